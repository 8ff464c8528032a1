"""One processing, pure: a user's record and an event become the next record and the messages it owes the world."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.contracts.outbound.messages import Message
from shared.domain import profiles, signals, triggers
from shared.domain.account import Account
from shared.domain.arrival import Arrival
from shared.domain.deadlines import next_announced_change, next_change
from shared.domain.events import BEHAVIOURAL, Event, FeedbackGiven, SignalSeen, TimePassed
from shared.domain.milestones import milestones
from shared.domain.moments import Moment
from shared.domain.terms import Terms
from shared.processing.settle import Rules, settle
from shared.record.user_record import UserRecord


@dataclass(frozen=True, slots=True)
class Processed:
    """What became of an event. Where `record` is the very one that came in, there is nothing to commit."""

    record: UserRecord
    arrival: Arrival
    messages: tuple[Message, ...] = ()


def process(record: UserRecord, event: Event, now: datetime, rules: Rules) -> Processed:
    """Fold an event into a record, and decide all that is due by `now` (UTC).

    The same whatever caused it: a fact from outside or the clock. Raises `Rejected` for an event that contradicts
    what the record holds (`id_reused`, `unknown_trigger`); the record then stays as it was.
    """
    absorbed, arrival, moments = _absorb(record, event, rules.terms)
    if absorbed is record and not isinstance(event.fact, TimePassed):
        return Processed(record, arrival)
    account, brought = absorbed.history.at(now, rules.terms)
    on_the_way = [*milestones(account.best, rules.catalog.milestones)]
    reached = [milestone for milestone in on_the_way if milestone.at <= now]
    due = _due(absorbed, [*moments, *brought, *reached])
    decided, messages = settle(absorbed, event, account, due, now, rules)
    next_due_at = min(_next_due(decided, account, on_the_way, now, rules.terms), default=None)
    settled = decided._replace(next_due_at=next_due_at)
    return Processed(record if settled == record else settled._replace(as_of=now), arrival, messages)


def _absorb(record: UserRecord, event: Event, terms: Terms) -> tuple[UserRecord, Arrival, tuple[Moment, ...]]:
    """The record with the event merged or folded in; the very same record where it changes nothing.

    A churn signal's identity may be known among the behavioural ones or in the ring, whichever it is itself.
    """
    moments: tuple[Moment, ...] = ()
    match event.fact:
        case TimePassed():
            return record, Arrival.APPLIED, ()
        case FeedbackGiven() as given:
            noted, arrival = triggers.record_feedback(record.triggers, event, given)
            changed = record._replace(triggers=noted) if noted is not record.triggers else record
        case SignalSeen(kind=kind) as signal if kind in BEHAVIOURAL:
            record.history.contains(event)
            seen, arrival = signals.record_signal(record.signals, event, signal)
            changed = record._replace(signals=seen) if seen is not record.signals else record
        case _:
            signals.was_seen(record.signals, event)
            folded = record.history.add(event, terms)
            arrival, moments = folded.arrival, folded.moments
            changed = record._replace(history=folded.history) if folded.history is not record.history else record
    said = profiles.merge(record.profile, event)
    return changed._replace(profile=said) if said != record.profile else changed, arrival, moments


def _due(record: UserRecord, moments: Iterable[Moment]) -> list[Moment]:
    """The moments that were not decided yet, each once."""
    fresh = {
        moment.cause if moment.by_time else (moment.cause, moment.kind): moment
        for moment in moments
        if not (moment.by_time and record.fired.covers(moment.at, moment.cause))
    }
    return list(fresh.values())


def _next_due(
    record: UserRecord, account: Account, on_the_way: Iterable[Moment], now: datetime, terms: Terms
) -> Iterable[datetime]:
    """The instants at which the clock must look at this user again.

    A deadline that is silent by itself matters all the same where an offer may cease to be true by it, or another
    subscription may come to speak for the user.
    """
    yield from (milestone.at for milestone in on_the_way if milestone.at > now)
    yield from (deferred.until for deferred in record.deferred)
    silence_will_do = len(account.subscriptions) == 1 and not any(one.is_open(now) for one in record.triggers)
    for sub in account.subscriptions:
        if at := next_announced_change(sub, terms) if silence_will_do else next_change(sub, terms):
            yield at
