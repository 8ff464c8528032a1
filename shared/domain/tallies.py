"""Tallies: how often what was made that is no longer remembered one by one, so that caps hold for ever."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from shared.domain.triggers import Trigger

ISSUED = "issued"
"""What is counted of every trigger; the other events are the kinds of feedback."""
MAX_ROWS = 64
CELLS = 512
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
"""What a cell counts to; no cap is as high as the last of them."""


class Tally(NamedTuple):
    """What is left of the triggers of one campaign with one offer, and of what was reported of them."""

    campaign_id: str
    offer_id: str
    placement: str
    channel: str
    event: str
    """`issued`, or the kind of feedback that is counted here."""
    number: int
    last_at: datetime


SCOPES: Mapping[str, Callable[[Trigger | Tally], str]] = {
    "campaign": lambda it: it.campaign_id,
    "offer": lambda it: it.offer_id,
    "placement": lambda it: it.placement,
    "channel": lambda it: it.channel,
    "user": lambda _: "",
}
"""What those have in common that a cap counts together."""


def events_of(trigger: Trigger) -> Iterator[tuple[str, datetime]]:
    """What can be counted of a trigger, and when it took place."""
    yield ISSUED, trigger.decided_at
    for report in trigger.feedback:
        yield report.kind, report.at


class CountMinSketch(NamedTuple):
    """What is left of the tallies of one event that were too many: counts that are never too low.

    Each scope's name has two of 512 cells, which it may share with others; the lower of both is its count. So a
    name that was never counted is counted only where others hold both its cells.
    """

    event: str
    cells: str
    """A digit each."""
    last_at: datetime

    def number(self, scope: str, name: str) -> int:
        """How often it took place, or somewhat more."""
        return min(DIGITS.index(self.cells[cell]) for cell in _cells(scope, name))

    def plus(self, tally: Tally) -> "CountMinSketch":
        """With a tally that is kept by itself no more."""
        cells = [*self.cells]
        for cell in {cell for scope, name_of in SCOPES.items() for cell in _cells(scope, name_of(tally))}:
            cells[cell] = DIGITS[min(DIGITS.index(cells[cell]) + tally.number, len(DIGITS) - 1)]
        return CountMinSketch(self.event, "".join(cells), max(self.last_at, tally.last_at))


class Tallies(NamedTuple):
    """All that is counted of one user: the tallies changed last by themselves, the others roughly."""

    rows: tuple[Tally, ...] = ()
    sketches: tuple[CountMinSketch, ...] = ()

    def plus(self, leaving: Trigger) -> "Tallies":
        """With a trigger that is remembered by itself no more."""
        rows, sketches = {row[:5]: row for row in self.rows}, {one.event: one for one in self.sketches}
        about = (leaving.campaign_id, leaving.offer_id, leaving.placement, leaving.channel)
        for event, at in events_of(leaving):
            before = rows.get((*about, event), Tally(*about, event, 0, at))
            rows[*about, event] = before._replace(number=before.number + 1, last_at=max(before.last_at, at))
        newest_last = sorted(rows.values(), key=lambda row: (row.last_at, row))
        for row in newest_last[:-MAX_ROWS]:
            known = sketches.get(row.event, CountMinSketch(row.event, DIGITS[0] * CELLS, row.last_at))
            sketches[row.event] = known.plus(row)
        return Tallies(tuple(sorted(newest_last[-MAX_ROWS:])), tuple(sorted(sketches.values())))


def forget(
    triggers: tuple[Trigger, ...], tallies: Tallies, most: int, now: datetime
) -> tuple[tuple[Trigger, ...], Tallies, tuple[Trigger, ...]]:
    """At most so many triggers; all that was counted of the others; and those of the others that are still open.

    The oldest that is over goes first. An open one that has to go cannot be watched any longer, so the caller
    revokes it.
    """
    leaving = sorted(triggers, key=lambda trigger: trigger.is_open(now))[: max(len(triggers) - most, 0)]
    for trigger in leaving:
        tallies = tallies.plus(trigger)
    kept = tuple(trigger for trigger in triggers if trigger not in leaving)
    return kept, tallies, tuple(trigger for trigger in leaving if trigger.is_open(now))


def _cells(scope: str, name: str) -> set[int]:
    digest = blake2b(f"{scope}\0{name}".encode(), digest_size=4).digest()
    return {int.from_bytes(half) % CELLS for half in (digest[:2], digest[2:])}
