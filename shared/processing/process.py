"""One processing, pure: a user's record and an event become the next record and its messages."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from shared.contracts.outbound.message import Message
from shared.domain import attributes, profiles, signals, triggers
from shared.domain.account import Account
from shared.domain.arrival import Arrival
from shared.domain.deadlines import next_announced_change, next_deadline
from shared.domain.events import (
    BEHAVIOURAL,
    ErasureRequested,
    Event,
    FeedbackGiven,
    OfferRequested,
    SignalSeen,
    TimePassed,
)
from shared.domain.features import NO_FEATURES, KnownFeatures
from shared.domain.follow_ups import follow_ups
from shared.domain.impressions import Shown, keep_newest
from shared.domain.milestones import milestones
from shared.domain.moments import Moment, MomentKind
from shared.domain.requests import answer_to
from shared.domain.terms import Terms
from shared.processing.answer import answered
from shared.processing.erase import due_at_once, erased, is_erased
from shared.processing.outbox import keep_pending, write_messages
from shared.processing.rules import Rules
from shared.processing.settle import settle
from shared.record.user_record import UserRecord

FOLDED_NOWHERE = TimePassed, OfferRequested
"""The facts that change nothing in a record by themselves, and for which it is settled all the same."""


@dataclass(frozen=True, slots=True)
class Processed:
    """The outcome of processing an event. If `record` is the very one passed in, there is nothing to commit."""

    record: UserRecord
    arrival: Arrival
    messages: tuple[Message, ...] = ()


def process(
    record: UserRecord, event: Event, now: datetime, rules: Rules, features: KnownFeatures = NO_FEATURES
) -> Processed:
    """Fold an event into a record, and decide everything that is due by `now` (UTC).

    Events from outside and ticks of the clock are processed alike. An erasure decides nothing and tells nobody:
    what it leaves is due at once. `features` are the user's, for decisions alone: no fold depends on them. Raises
    `Rejected` for an event that contradicts the record (`id_reused`, `unknown_trigger`).
    """
    absorbed, arrival, moments = absorb(record, event, rules.terms)
    if isinstance(event.fact, ErasureRequested):
        is_rest = absorbed is not record and not absorbed.is_tombstone
        if is_rest:
            absorbed = absorbed._replace(as_of=now, next_due_at=due_at_once(record, now))
        return Processed(absorbed, arrival)
    if absorbed is record and (arrival is not Arrival.APPLIED or not isinstance(event.fact, FOLDED_NOWHERE)):
        return Processed(record, arrival)
    account, brought_by_time = absorbed.history.at(now, rules.terms)
    if isinstance(event.fact, OfferRequested):
        moments = (Moment(MomentKind.OFFER_REQUESTED, account.best.id, now, event.key.cause),)
    all_milestones = [*milestones(account.best, rules.catalog.milestones)]
    following = follow_ups(absorbed.triggers, rules.catalog.follow_ups, now, rules.terms)
    reached = [moment for moment in (*all_milestones, *following) if moment.at <= now]
    due = _undecided(absorbed, [*moments, *brought_by_time, *reached])
    settled, effects = settle(absorbed, event, account, due, now, rules, features)
    if isinstance(event.fact, OfferRequested):
        settled = answered(settled, event, event.fact, effects.decision, now)
    messages = write_messages(effects, record, event, now)
    due_at = _next_due_at(settled, account, all_milestones, now, rules)
    changed = keep_pending(settled, event, messages, now, rules.terms)._replace(next_due_at=due_at)
    if changed == record:  # a commit only for the time, or for the catalog's number, would tell nobody anything
        return Processed(record, arrival, messages)
    number = max(record.catalog_number, rules.catalog.number)
    return Processed(changed._replace(as_of=now, catalog_number=number), arrival, messages)


def absorb(record: UserRecord, event: Event, terms: Terms) -> tuple[UserRecord, Arrival, tuple[Moment, ...]]:
    """The record with the event merged or folded in (the same one if it adds nothing), and the moments it brought.

    The identity of a churn signal is looked up among the behavioural signals and in the ring, whichever kind the
    new event is.
    """
    if is_erased(record, event):
        is_same = isinstance(event.fact, ErasureRequested) and event.occurred_at == record.erased_at
        return record, Arrival.DUPLICATE if is_same else Arrival.IGNORED, ()
    moments: tuple[Moment, ...] = ()
    match event.fact:
        case ErasureRequested():
            return erased(record, event.occurred_at, terms), Arrival.APPLIED, ()
        case TimePassed():
            return record, Arrival.APPLIED, ()
        case OfferRequested():
            is_known = answer_to(record.requests, event) is not None
            return record, Arrival.DUPLICATE if is_known else Arrival.APPLIED, ()
        case FeedbackGiven() as given:
            changed, arrival = _with_feedback(record, event, given)
        case SignalSeen(kind=kind) as signal if kind in BEHAVIOURAL:
            record.history.contains(event)
            with_signal, arrival = signals.record_signal(record.signals, event, signal)
            changed = record._replace(signals=with_signal) if with_signal is not record.signals else record
        case _:
            signals.was_seen(record.signals, event)
            folded = record.history.add(event, terms)
            arrival, moments = folded.arrival, folded.moments
            changed = record._replace(history=folded.history) if folded.history is not record.history else record
    return with_profile(changed, event), arrival, moments


def with_profile(record: UserRecord, event: Event) -> UserRecord:
    """The record with what the event says of the user; the very same one if that adds nothing."""
    profile, about = profiles.merge(record.profile, event), attributes.merge(record.attributes, event)
    if profile == record.profile and about is record.attributes:
        return record
    return record._replace(profile=profile, attributes=about)


def _with_feedback(record: UserRecord, event: Event, given: FeedbackGiven) -> tuple[UserRecord, Arrival]:
    """The record with one more report of feedback; the same one if it adds nothing."""
    reported, arrival = triggers.record_feedback(record.triggers, event, given)
    if reported is record.triggers:
        return record, arrival
    shown = keep_newest(Shown(record.triggers, record.tallies), reported, event.key.cause)
    if shown.triggers is record.triggers:
        return record, Arrival.LATE
    return record._replace(triggers=shown.triggers, tallies=shown.tallies), arrival


def _undecided(record: UserRecord, moments: Iterable[Moment]) -> list[Moment]:
    """The moments that were not decided yet, each once."""
    undecided = {
        moment.cause if moment.is_derived else (moment.cause, moment.kind): moment
        for moment in moments
        if not (moment.is_derived and record.fired.covers(moment.at, moment.cause))
    }
    return list(undecided.values())


def next_due_at(record: UserRecord, now: datetime, rules: Rules) -> datetime | None:
    """The first instant after `now` (UTC) at which the clock must look at this user; None if there is none."""
    account, _ = record.history.at(now, rules.terms)
    return _next_due_at(record, account, milestones(account.best, rules.catalog.milestones), now, rules)


def _next_due_at(
    record: UserRecord, account: Account, all_milestones: Iterable[Moment], now: datetime, rules: Rules
) -> datetime | None:
    ahead = (milestone.at for milestone in all_milestones if milestone.at > now)
    return min((*ahead, *_deadlines(record, account, now, rules)), default=None)


def _deadlines(record: UserRecord, account: Account, now: datetime, rules: Rules) -> Iterator[datetime]:
    """The instants, milestones apart, at which the clock must look at this user again.

    A deadline that announces nothing needs a tick all the same if an open trigger may become untrue by it, or if
    another subscription may then determine the user's status.
    """
    yield from (deferred.until for deferred in record.deferred)
    following = follow_ups(record.triggers, rules.catalog.follow_ups, now, rules.terms)
    yield from (moment.at for moment in following if moment.at > now)
    if record.next_due_at and record.next_due_at > now and rules.catalog.number < record.catalog_number:
        yield record.next_due_at  # for a milestone, perhaps, that only the newer catalog has
    no_early_tick_needed = len(account.subscriptions) == 1 and not any(one.is_open(now) for one in record.triggers)
    next_tick = next_announced_change if no_early_tick_needed else next_deadline
    for sub in account.subscriptions:
        if at := next_tick(sub, rules.terms):
            yield at
