"""A timeline of one user: events, state changes, offers and reasons against offers, in order."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from rich.table import Table
from rich.text import Text

from infra.inspect.withheld import is_withheld, offer_of, reason_of
from infra.terminal import wording
from infra.terminal.reasons import why_lost, why_revoked
from shared.contracts.outbound.upsell_trigger import TriggerKind
from shared.contracts.topics import Topic


class EntryKind(StrEnum):
    """The kind of an entry."""

    EVENT = "event"
    FEEDBACK = "feedback"
    REFUSED = "refused"
    STATE = "state"
    MOMENT = "moment"
    REVOKED = "revoked"
    OFFER = "offer"
    WITHHELD = "withheld"
    NO_OFFER = "no offer"


STYLES = {
    EntryKind.EVENT: "bold",
    EntryKind.FEEDBACK: "bold",
    EntryKind.REFUSED: "red",
    EntryKind.STATE: "cyan",
    EntryKind.MOMENT: "cyan",
    EntryKind.OFFER: "green",
    EntryKind.WITHHELD: "magenta",
    EntryKind.REVOKED: "yellow",
    EntryKind.NO_OFFER: "dim",
}


class TimelineEntry(NamedTuple):
    """One line of a timeline."""

    at: datetime
    kind: EntryKind
    text: str


def of_message(topic: str, body: Mapping[str, Any]) -> Iterator[TimelineEntry]:
    """The entries of a message: one each, but for a decision one for each campaign that gave no offer."""
    at = datetime.fromisoformat(body["decided_at"])
    if topic == Topic.SUBSCRIPTION_CHANGE:
        kind = EntryKind.MOMENT if body.get("changed") == [] else EntryKind.STATE
        yield TimelineEntry(at, kind, wording.of_change(body))
    elif topic == Topic.UPSELL_TRIGGER:
        if body["kind"] == TriggerKind.ISSUED:
            yield TimelineEntry(at, EntryKind.OFFER, wording.of_trigger(body))
        else:
            text = f"{wording.of_trigger(body)}: {why_revoked(body.get('revoke_reason'))}"
            yield TimelineEntry(at, EntryKind.REVOKED, text)
    elif topic == Topic.DECISION:
        yield from (_of_lost(at, candidate) for candidate in body["candidates"] if candidate["outcome"] == "lost")


def _of_lost(at: datetime, candidate: Mapping[str, Any]) -> TimelineEntry:
    """The entry of a candidate that was not given: it lost, or it won and was withheld."""
    if not is_withheld(candidate):
        text = f"{candidate['campaign_id']} ({wording.of_moment(candidate)}): {why_lost(candidate)}"
        return TimelineEntry(at, EntryKind.NO_OFFER, text)
    offered = {**candidate, "offer_id": offer_of(candidate)}
    return TimelineEntry(at, EntryKind.WITHHELD, f"{wording.of_trigger(offered)}, {reason_of(candidate)}")


def table(entries: Iterable[TimelineEntry]) -> Table:
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
