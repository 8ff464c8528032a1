"""The fold: events in any order become one account; a ring of recent events lets a late one find its place."""

from bisect import bisect_left
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from shared.domain.account import MAX_SUBSCRIPTIONS, Account
from shared.domain.arrival import Arrival, check_same
from shared.domain.deadlines import advance
from shared.domain.events import Event, PaymentOutcome, PaymentReported, TrialStarted
from shared.domain.instants import BEGINNING_OF_TIME, from_micros, to_micros
from shared.domain.ledger import find
from shared.domain.lifecycle import react
from shared.domain.moments import Moment
from shared.domain.ring import (
    DIGEST,
    EVENT_ID,
    OCCURRED_AT,
    SOURCE,
    TOPIC,
    Row,
    from_row,
    place_of,
    to_row,
)
from shared.domain.subscription import RANK, Status, Subscription
from shared.domain.terms import Terms

RING_SIZE = 96


class Folded(NamedTuple):
    """A history with one more event, and the moments that the event or the passing of time brought."""

    history: "History"
    arrival: Arrival
    moments: tuple[Moment, ...] = ()


class History(NamedTuple):
    """The base, ring and head of one user: `head` is always the fold of `ring` onto `base`."""

    base: Account = Account()
    mark: Row | None = None
    """The place of the newest event folded into the base; an event that is not newer is late."""
    ring: tuple[Row, ...] = ()
    head: Account = Account()

    def add(self, event: Event, terms: Terms, ring_size: int = RING_SIZE) -> Folded:
        """Fold one event into its place. Raises `Rejected` (`id_reused`) for a known id with other content."""
        if self.contains(event):
            return Folded(self, Arrival.DUPLICATE)
        row = to_row(event)
        if self.mark is not None and place_of(row) <= self.mark:
            return self._add_late(event, terms)
        if self._is_newest(row):
            ring = (*self.ring, row)
            head, moments = fold(self.head, event, terms)
        else:
            place = bisect_left(self.ring, place_of(row), key=place_of)
            ring = (*self.ring[:place], row, *self.ring[place:])
            head, moments = _refold(self.base, ring, terms, event.user_id)
        grown = History(self.base, self.mark, ring, head).shrink(ring_size, terms, event.user_id)
        return Folded(grown, Arrival.APPLIED, _brought_by(event, moments))

    def _is_newest(self, row: Row) -> bool:
        """True if a row comes after every row of the ring."""
        if not self.ring or row[OCCURRED_AT] > self.ring[-1][OCCURRED_AT]:
            return True
        return row[OCCURRED_AT] == self.ring[-1][OCCURRED_AT] and place_of(row) > place_of(self.ring[-1])

    def contains(self, event: Event) -> bool:
        """True if the ring holds this event. Raises `Rejected` (`id_reused`) if only the identity is the same."""
        topic, source, event_id = event.key.topic, event.key.source, event.key.event_id
        for row in self.ring:
            if row[EVENT_ID] == event_id and row[TOPIC] == topic and row[SOURCE] == source:
                check_same(row[DIGEST], event)
                return True
        return False

    def holds(self, event_id: str) -> bool:
        """True if the ring holds an event of this id, whatever its topic and source."""
        return any(row[EVENT_ID] == event_id for row in self.ring)

    def shrink(self, ring_size: int, terms: Terms, user_id: str) -> "History":
        """The same history with at most `ring_size` events in the ring; the oldest are folded into the base."""
        if len(self.ring) <= ring_size:
            return self
        cut = len(self.ring) - ring_size
        leaving, ring = self.ring[:cut], self.ring[cut:]
        base, _ = _refold(self.base, leaving, terms, user_id)
        return History(base, place_of(leaving[-1]), ring, self.head)

    def evict_least_valuable(self, terms: Terms) -> "History":
        """The same history without its least valuable subscription. The ring must be empty: then head is base."""
        least = _least_valuable(
            self.head, from_micros(self.mark[OCCURRED_AT]) if self.mark else BEGINNING_OF_TIME, terms
        )
        forgotten = self.head.without(least)
        return self._replace(base=forgotten, head=forgotten)

    def at(self, now: datetime, terms: Terms) -> tuple[Account, tuple[Moment, ...]]:
        """The account as read at `now`, and the moments that time brought since each subscription's last event."""
        steps = [advance(sub, now, terms) for sub in self.head.subscriptions]
        moments = tuple([moment for step in steps for moment in step.moments])
        return Account(tuple([step.subscription for step in steps]), self.head.trial_used), moments

    def up_to(self, at: datetime, terms: Terms, user_id: str) -> "History":
        """The same history without events after `at` (UTC), which must not be before the base's mark."""
        ring = tuple(row for row in self.ring if row[OCCURRED_AT] <= to_micros(at))
        if len(ring) == len(self.ring):
            return self
        head, _ = _refold(self.base, ring, terms, user_id)
        return self._replace(ring=ring, head=head)

    def since(self, at: datetime, terms: Terms, user_id: str) -> "History":
        """The history of the ring's events after `at` (UTC) alone, folded anew from nothing.

        The base goes as a whole, also if events after `at` were folded into it: nothing tells them apart any more.
        """
        ring = tuple(row for row in self.ring if row[OCCURRED_AT] > to_micros(at))
        head, _ = _refold(Account(), ring, terms, user_id)
        return History(ring=ring, head=head)

    def _add_late(self, event: Event, terms: Terms) -> Folded:
        """Apply what still counts of a late event: a payment's success or verdict, and that a trial was used."""
        mark = from_micros(self.mark[OCCURRED_AT]) if self.mark else event.occurred_at
        base, moments = _take_late(self.base, mark, event, terms)
        if base == self.base:
            return Folded(self, Arrival.LATE)
        head, refolded = _refold(base, self.ring, terms, event.user_id)
        return Folded(self._replace(base=base, head=head), Arrival.LATE, _brought_by(event, moments + refolded))


def fold(account: Account, event: Event, terms: Terms) -> tuple[Account, tuple[Moment, ...]]:
    """The account after an event that is newer than all before it."""
    at = event.occurred_at
    reached = advance(account.get(event.subscription_id), at, terms, inclusive=False)
    reacted = react(reached.subscription, event, at, terms)
    trial_used = account.trial_used or isinstance(event.fact, TrialStarted)
    grown = _make_room(account, event, terms).put(reacted.subscription)
    if trial_used != account.trial_used:
        grown = grown._replace(trial_used=trial_used)
    return grown, reached.moments + reacted.moments


def _make_room(account: Account, event: Event, terms: Terms) -> Account:
    """The account with room for the event's subscription: the least valuable makes way for a ninth."""
    subs = account.subscriptions
    if len(subs) < MAX_SUBSCRIPTIONS or any(sub.id == event.subscription_id for sub in subs):
        return account
    return account.without(_least_valuable(account, event.occurred_at, terms))


def _least_valuable(account: Account, at: datetime, terms: Terms) -> str:
    """The id of the least valuable subscription: one that has ended, else the worst status; then the oldest."""
    reached = [advance(sub, at, terms).subscription for sub in account.subscriptions]
    return min(reached, key=lambda sub: (_value(sub), account.get(sub.id).as_of, sub.id)).id


def _value(sub: Subscription) -> int:
    return -min(RANK[sub.status], RANK[Status.EXPIRED])


def _refold(base: Account, ring: Iterable[Row], terms: Terms, user_id: str) -> tuple[Account, tuple[Moment, ...]]:
    account = base
    moments: list[Moment] = []
    for row in ring:
        account, brought = fold(account, from_row(row, user_id), terms)
        moments += brought
    return account, tuple(moments)


def _brought_by(event: Event, moments: tuple[Moment, ...]) -> tuple[Moment, ...]:
    """The moments that this event or time brought; those of other events were decided when those arrived."""
    cause = event.key.cause
    return tuple([moment for moment in moments if moment.is_derived or moment.cause == cause])


def _take_late(base: Account, mark: datetime, event: Event, terms: Terms) -> tuple[Account, tuple[Moment, ...]]:
    """The base after the part of a late event that still counts, taking effect at the base's mark (UTC)."""
    match event.fact:
        case TrialStarted():
            return base._replace(trial_used=True), ()
        case PaymentReported(outcome=outcome) if outcome not in _ONLY_IN_TIME:
            sub = base.get(event.subscription_id)
            if outcome is PaymentOutcome.SUCCEEDED and find(sub, event.fact):
                return base, ()
            at = max(mark, sub.as_of or mark)
            settled = advance(sub, at, terms).subscription
            late = react(settled, event, at, terms)
            if late.subscription == settled._replace(as_of=at):
                return base, ()
            return _make_room(base, event, terms).put(late.subscription), late.moments
        case _:
            return base, ()


_ONLY_IN_TIME = frozenset({PaymentOutcome.PENDING, PaymentOutcome.FAILED})
"""The outcomes that a late payment changes nothing by."""
