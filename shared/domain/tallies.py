"""Tallies: exact counters of what left the user's document, so that caps hold for ever."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from shared.domain.events import FeedbackKind
from shared.domain.sketches import Sketch
from shared.domain.triggers import Trigger

ISSUED = "issued"
"""The event that every trigger given counts; the other events are the kinds of feedback."""
WITHHELD = "withheld"
"""The event of a trigger that won and was not given; caps count it as issued."""
MAX_NAMES = 96
"""The most names of one scope that have counters. Those that won longest ago lose theirs first."""

SCOPES: Mapping[str, Callable[[Trigger], str]] = {
    "campaign": lambda trigger: trigger.campaign_id,
    "offer": lambda trigger: trigger.offer_id,
    "placement": lambda trigger: trigger.placement,
    "channel": lambda trigger: trigger.channel,
    "user": lambda _: "",
}
"""The scopes of a cap, and the name under which a trigger counts in each."""
Events = Iterable[tuple[str, datetime]]
"""Events that can be counted, with their times."""


class Count(NamedTuple):
    """The exact count of one event."""

    event: str
    """`issued`, `withheld`, or the kind of feedback that is counted."""
    number: int
    last_at: datetime


class Tally(NamedTuple):
    """The counters of one name in one scope, such as those of one campaign, or of one offer in all campaigns."""

    scope: str
    name: str
    counts: tuple[Count, ...] = ()
    """One of each event, sorted by event."""

    @property
    def recency(self) -> tuple[datetime, str]:
        """The time of its last win, given or withheld, by which the names to keep are chosen; then its name.

        Feedback does not keep a name, so that what is forgotten is the same for control.
        """
        won = [count.last_at for count in self.counts if count.event in (ISSUED, WITHHELD)]
        return max(won or (count.last_at for count in self.counts)), self.name

    def plus(self, counts: Iterable[Count]) -> "Tally":
        """The tally with more events."""
        known = {count.event: count for count in self.counts}
        for event, number, at in counts:
            before = known.get(event, Count(event, 0, at))
            known[event] = Count(event, before.number + number, max(before.last_at, at))
        return self._replace(counts=tuple(sorted(known.values())))


class Tallies(NamedTuple):
    """All counters of one user: each scope counts by itself, at most `MAX_NAMES` names.

    So a name that is forgotten in one scope still counts in the others, and in that of the user always.
    """

    rows: tuple[Tally, ...] = ()
    """Sorted by scope and name."""
    sketches: tuple[Sketch, ...] = ()
    """The counts by hashes in documents of format 2 and before."""

    def plus(self, source: Trigger, events: Events) -> "Tallies":
        """The tallies with more events of one trigger."""
        counts = [Count(event, 1, at) for event, at in events]
        return self.merged([Tally(scope, name_of(source)).plus(counts) for scope, name_of in SCOPES.items()])

    def merged(self, more: Iterable[Tally]) -> "Tallies":
        """The tallies with the counts of others, within the bound."""
        rows = {row[:2]: row for row in self.rows}
        for tally in more:
            rows[tally[:2]] = rows.get(tally[:2], Tally(*tally[:2])).plus(tally.counts)
        return self._replace(rows=tuple(sorted(rows.values()))).newest(MAX_NAMES)

    def newest(self, limit: int) -> "Tallies":
        """The tallies with at most `limit` names of each scope: those that won last."""
        if len(self.rows) <= limit:
            return self
        kept = {
            row[:2]
            for scope in SCOPES
            for row in sorted((row for row in self.rows if row.scope == scope), key=_recency)[-limit:]
        }
        return self._replace(rows=tuple(row for row in self.rows if row[:2] in kept))

    @property
    def most_names(self) -> int:
        """The number of names in the scope that has the most."""
        return max((sum(row.scope == scope for row in self.rows) for scope in SCOPES), default=0)


def _recency(tally: Tally) -> tuple[datetime, str]:
    return tally.recency


def events_of(trigger: Trigger) -> Iterator[tuple[str, datetime]]:
    """Every event of a trigger that can be counted, with its time: all of its impressions, not the first alone."""
    yield WITHHELD if trigger.withheld else ISSUED, trigger.decided_at
    for report in trigger.feedback:
        yield report.kind, report.at
    for report in trigger.impressions:
        yield FeedbackKind.IMPRESSION, report.at


def evict(
    triggers: tuple[Trigger, ...], tallies: Tallies, limit: int, now: datetime
) -> tuple[tuple[Trigger, ...], Tallies, tuple[Trigger, ...]]:
    """Evict all but `limit` triggers: the kept ones, the grown tallies, and the evicted ones that are still open.

    Triggers that are over go first, the oldest of them first of all. An evicted open trigger can no longer be
    watched, so the caller revokes it.
    """
    leaving = sorted(triggers, key=lambda trigger: trigger.is_open(now))[: max(len(triggers) - limit, 0)]
    for trigger in leaving:
        tallies = tallies.plus(trigger, events_of(trigger))
    kept = tuple(trigger for trigger in triggers if trigger not in leaving)
    return kept, tallies, tuple(trigger for trigger in leaving if trigger.is_open(now))
