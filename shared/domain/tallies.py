"""Tallies: counters for triggers evicted from the user's document, so that caps count them for ever."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from shared.domain.triggers import Trigger

ISSUED = "issued"
"""The event that every trigger given counts; the other events are the kinds of feedback."""
WITHHELD = "withheld"
"""The event of a trigger that won and was not given; caps count it as issued."""
MAX_ROWS = 64
"""The most exact counters of one user; the rows changed longest ago move to the sketches."""
CELLS = 512
"""The cells of one sketch, shared by its two hash rows."""
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
"""The digits of a cell, base 36. A cell stops at 35, which is more than any cap."""


class Tally(NamedTuple):
    """The exact count of one event, for the evicted triggers of one campaign with one offer."""

    campaign_id: str
    offer_id: str
    placement: str
    channel: str
    event: str
    """`issued`, `withheld`, or the kind of feedback that is counted."""
    number: int
    last_at: datetime


SCOPES: Mapping[str, Callable[[Trigger | Tally], str]] = {
    "campaign": lambda counted: counted.campaign_id,
    "offer": lambda counted: counted.offer_id,
    "placement": lambda counted: counted.placement,
    "channel": lambda counted: counted.channel,
    "user": lambda _: "",
}
"""The scopes of a cap, and the name under which a trigger counts in each."""


def events_of(trigger: Trigger) -> Iterator[tuple[str, datetime]]:
    """Every event of a trigger that can be counted, with its time."""
    yield WITHHELD if trigger.withheld else ISSUED, trigger.decided_at
    for report in trigger.feedback:
        yield report.kind, report.at


class CountMinSketch(NamedTuple):
    """A count-min sketch of the tallies of one event that exceed `MAX_ROWS`: never an undercount.

    Two hash rows share 512 cells. A scope's name has one cell in each row, and the lower of the two is its count.
    So a name that was never counted has a count above 0 only if other names use both of its cells.

    Cormode and Muthukrishnan (2005), https://doi.org/10.1016/j.jalgor.2003.12.001.
    """

    event: str
    cells: str
    """One digit of `DIGITS` for each cell."""
    last_at: datetime

    def estimate(self, scope: str, name: str) -> int:
        """The count of a name in a scope: exact or too high, never too low up to 35, where cells stop."""
        return min(DIGITS.index(self.cells[cell]) for cell in _cells(scope, name))

    def plus(self, tally: Tally) -> "CountMinSketch":
        """The sketch with a tally that no longer has a row of its own."""
        cells = [*self.cells]
        for cell in {cell for scope, name_of in SCOPES.items() for cell in _cells(scope, name_of(tally))}:
            cells[cell] = DIGITS[min(DIGITS.index(cells[cell]) + tally.number, len(DIGITS) - 1)]
        return CountMinSketch(self.event, "".join(cells), max(self.last_at, tally.last_at))


class Tallies(NamedTuple):
    """All counters of one user: exact rows for the tallies changed last, one sketch per event for the others."""

    rows: tuple[Tally, ...] = ()
    sketches: tuple[CountMinSketch, ...] = ()

    def plus(self, leaving: Trigger) -> "Tallies":
        """The tallies with one more evicted trigger."""
        rows, sketches = {row[:5]: row for row in self.rows}, {sketch.event: sketch for sketch in self.sketches}
        group = (leaving.campaign_id, leaving.offer_id, leaving.placement, leaving.channel)
        for event, at in events_of(leaving):
            before = rows.get((*group, event), Tally(*group, event, 0, at))
            rows[*group, event] = before._replace(number=before.number + 1, last_at=max(before.last_at, at))
        newest_last = sorted(rows.values(), key=lambda row: (row.last_at, row))
        for row in newest_last[:-MAX_ROWS]:
            sketch = sketches.get(row.event, CountMinSketch(row.event, DIGITS[0] * CELLS, row.last_at))
            sketches[row.event] = sketch.plus(row)
        return Tallies(tuple(sorted(newest_last[-MAX_ROWS:])), tuple(sorted(sketches.values())))


def evict(
    triggers: tuple[Trigger, ...], tallies: Tallies, limit: int, now: datetime
) -> tuple[tuple[Trigger, ...], Tallies, tuple[Trigger, ...]]:
    """Evict all but `limit` triggers: the kept ones, the grown tallies, and the evicted ones that are still open.

    Triggers that are over go first, the oldest of them first of all. An evicted open trigger can no longer be
    watched, so the caller revokes it.
    """
    leaving = sorted(triggers, key=lambda trigger: trigger.is_open(now))[: max(len(triggers) - limit, 0)]
    for trigger in leaving:
        tallies = tallies.plus(trigger)
    kept = tuple(trigger for trigger in triggers if trigger not in leaving)
    return kept, tallies, tuple(trigger for trigger in leaving if trigger.is_open(now))


def _cells(scope: str, name: str) -> set[int]:
    """The cells of a name in both hash rows; a single one if the two hashes agree."""
    digest = blake2b(f"{scope}\0{name}".encode(), digest_size=4).digest()
    return {int.from_bytes(half) % CELLS for half in (digest[:2], digest[2:])}
