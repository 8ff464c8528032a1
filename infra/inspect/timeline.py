"""A timeline: what was heard of one user, what came of it, and what was said, in the order it came about."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from rich.table import Table
from rich.text import Text

from infra.terminal import wording
from shared.contracts.topics import Topic
from shared.domain.events import Event


class Kind(StrEnum):
    """What an entry is about, in the order in which what came about together is told."""

    EVENT = "event"
    REFUSED = "refused"
    STATE = "state"
    WITHDRAWN = "withdrawn"
    OFFER = "offer"
    NO_OFFER = "no offer"


RANK = {kind: rank for rank, kind in enumerate(Kind)}
STYLES = {
    Kind.EVENT: "bold",
    Kind.REFUSED: "red",
    Kind.STATE: "cyan",
    Kind.OFFER: "green",
    Kind.WITHDRAWN: "yellow",
    Kind.NO_OFFER: "dim",
}


class Entry(NamedTuple):
    """One line of a timeline."""

    at: datetime
    kind: Kind
    text: str


def of_event(event: Event, at: datetime | None = None) -> Entry:
    """An event, when it happened or when it came."""
    return Entry(at or event.occurred_at, Kind.EVENT, wording.of_event(event))


def of_message(topic: str, body: Mapping[str, Any]) -> Iterator[Entry]:
    """What a message says: one entry, but of a decision one for each campaign that made no offer."""
    at = datetime.fromisoformat(body["decided_at"])
    if topic == Topic.SUBSCRIPTION_CHANGE:
        yield Entry(at, Kind.STATE, wording.of_change(body))
    elif topic == Topic.UPSELL_TRIGGER:
        kind = Kind.OFFER if body["kind"] == "issued" else Kind.WITHDRAWN
        yield Entry(at, kind, wording.of_trigger(body))
    elif topic == Topic.DECISION:
        lost = (candidate for candidate in body["candidates"] if candidate["outcome"] == "lost")
        yield from (Entry(at, Kind.NO_OFFER, wording.of_candidate(candidate)) for candidate in lost)


def table(entries: Iterable[Entry]) -> Table:
    """The timeline as a person reads it; the same instant is written once."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    previous = None
    for entry in entries:
        instant = wording.of_value(entry.at)
        style = STYLES[entry.kind]
        grid.add_row("" if instant == previous else instant, Text(entry.kind, style), Text(entry.text, style))
        previous = instant
    return grid
