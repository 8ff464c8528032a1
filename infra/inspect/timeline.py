"""A timeline of one user: events, state changes, offers and reasons against offers, in order."""

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
    """The kind of an entry. Entries of one instant are listed in this order."""

    EVENT = "event"
    REFUSED = "refused"
    STATE = "state"
    WITHDRAWN = "withdrawn"
    OFFER = "offer"
    NO_OFFER = "no offer"


RANK = {kind: rank for rank, kind in enumerate(Kind)}
"""The place of a kind among entries of one instant."""
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
    """The entry of an event, at `at` if given, else at the time of the event."""
    return Entry(at or event.occurred_at, Kind.EVENT, wording.of_event(event))


def of_message(topic: str, body: Mapping[str, Any]) -> Iterator[Entry]:
    """The entries of a message: one each, but for a decision one for each campaign that made no offer."""
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
    """The timeline as a table. Consecutive entries of one instant show it once."""
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
