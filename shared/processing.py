"""One processing, pure: a user's record and an event become the next record and the messages it owes the world."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from shared.contracts.messages import Message
from shared.decisioning import hysteresis
from shared.decisioning.catalog import Catalog
from shared.decisioning.decide import decide
from shared.decisioning.situation import Situation
from shared.domain import profiles, signals, triggers
from shared.domain.account import Account
from shared.domain.arrival import Arrival
from shared.domain.assignments import assign
from shared.domain.conditions import holds
from shared.domain.deadlines import next_change, next_heard
from shared.domain.events import BEHAVIOURAL, Event, FeedbackGiven, SignalSeen, TimePassed
from shared.domain.milestones import milestones
from shared.domain.moments import Deferred, Moment, moment_of
from shared.domain.tallies import forget
from shared.domain.terms import Terms
from shared.domain.triggers import Trigger
from shared.domain.user import User
from shared.outbox import Outbox
from shared.record import MAX_DEFERRED, MAX_TRIGGERS, UserRecord


@dataclass(frozen=True, slots=True)
class Processed:
    """What became of an event. Where `record` is the very one that came in, there is nothing to commit."""

    record: UserRecord
    arrival: Arrival
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """What a processing is decided by, besides the record: the catalog in force and the terms of business."""

    catalog: Catalog
    terms: Terms


def process(record: UserRecord, event: Event, now: datetime, policy: Policy) -> Processed:
    """Fold an event into a record, and decide all that is due by `now` (UTC).

    The same whatever caused it: a fact from outside or the clock. Raises `Rejected` for an event that contradicts
    what the record holds (`id_reused`, `unknown_trigger`); the record then stays as it was.
    """
    absorbed, arrival, moments = _absorb(record, event, policy.terms)
    if absorbed is record and not isinstance(event.fact, TimePassed):
        return Processed(record, arrival)
    account, brought = absorbed.history.at(now, policy.terms)
    on_the_way = [*milestones(account.best, policy.catalog.milestones)]
    reached = [milestone for milestone in on_the_way if milestone.at <= now]
    due = _due(absorbed, [*moments, *brought, *reached])
    decided, messages = _settle(absorbed, event, account, due, now, policy)
    next_due_at = min(_ahead(decided, account, on_the_way, now, policy.terms), default=None)
    settled = replace(decided, next_due_at=next_due_at)
    return Processed(record if settled == record else replace(settled, as_of=now), arrival, messages)


def _absorb(record: UserRecord, event: Event, terms: Terms) -> tuple[UserRecord, Arrival, tuple[Moment, ...]]:
    """The record with the event merged or folded in; the very same record where it changes nothing.

    A churn signal's identity may be known among the behavioural ones or in the ring, whichever it is itself.
    """
    moments: tuple[Moment, ...] = ()
    match event.fact:
        case TimePassed():
            return record, Arrival.APPLIED, ()
        case FeedbackGiven() as given:
            noted, arrival = triggers.note(record.triggers, event, given)
            changed = replace(record, triggers=noted) if noted is not record.triggers else record
        case SignalSeen(kind=kind) as signal if kind in BEHAVIOURAL:
            record.history.holds(event)
            seen, arrival = signals.note(record.signals, event, signal)
            changed = replace(record, signals=seen) if seen is not record.signals else record
        case _:
            signals.holds(record.signals, event)
            folded = record.history.add(event, terms)
            arrival, moments = folded.arrival, folded.moments
            changed = replace(record, history=folded.history) if folded.history is not record.history else record
    said = profiles.merge(record.profile, event)
    return replace(changed, profile=said) if said != record.profile else changed, arrival, moments


def _due(record: UserRecord, moments: Iterable[Moment]) -> list[Moment]:
    """The moments that were not decided yet, each once."""
    fresh = {
        moment.cause if moment.by_time else (moment.cause, moment.kind): moment
        for moment in moments
        if not (moment.by_time and record.fired.covers(moment.at, moment.cause))
    }
    return list(fresh.values())


def _settle(
    record: UserRecord, event: Event, account: Account, due: list[Moment], now: datetime, policy: Policy
) -> tuple[UserRecord, tuple[Message, ...]]:
    """Decide what is due, revoke what no longer holds, and note what the world must be told."""
    outbox = Outbox(record, event, now)
    still, ceased = _still_true(record.triggers, account, now)
    for trigger in ceased:
        outbox.revoke(trigger)
    _expose(outbox, event, record.triggers)
    situation = Situation(policy.catalog, _seen(record, account, still, now))
    risen, raised = hysteresis.risen(situation, record.raised, event.key.cause)
    asked = _asked(record, [*due, *risen], account, now)
    fresh = [one for one in asked if _is_fresh(moment_of(one), account, now, policy.terms)]
    decision = decide(situation, fresh, [one for one in asked if one not in fresh])
    for trigger in decision.issued:
        outbox.issue(trigger)
    for spared in decision.suppressed:
        outbox.spare(spared)
    if decision.candidates:
        outbox.explain(decision, dict.fromkeys(map(moment_of, asked)))
    announced = outbox.announce(account)
    offered, tallies = still, record.tallies
    if decision.issued:
        kept, tallies, unwatched = forget((*still, *decision.issued), record.tallies, MAX_TRIGGERS, now)
        offered = triggers.settle(kept, before=now - policy.terms.redelivery)
        for trigger in unwatched:
            outbox.revoke(trigger)
    waiting = (deferred for deferred in record.deferred if deferred.until > now)
    decided = tuple((moment.at, moment.cause) for moment in due if moment.by_time)
    changed = replace(
        record,
        triggers=offered,
        tallies=tallies,
        announced=announced,
        fired=record.fired.plus(decided),
        assignments=assign(record.assignments, decision.assignments),
        deferred=tuple(sorted((*waiting, *decision.deferred), key=lambda one: one.until)[:MAX_DEFERRED]),
        raised=raised,
    )
    return outbox.leave(changed, policy.terms), outbox.messages


def _seen(record: UserRecord, account: Account, offered: tuple[Trigger, ...], now: datetime) -> User:
    """The user as a decision sees them."""
    profile = profiles.profile(record.profile)
    return User(record.user_id, now, account, profile, record.signals, offered, record.tallies, record.assignments)


def _expose(outbox: Outbox, event: Event, offered: tuple[Trigger, ...]) -> None:
    """Pass on what a consumer newly reports of a trigger, to be analysed with how the trigger came about."""
    if isinstance(event.fact, FeedbackGiven):
        for trigger in offered:
            if any(report.cause == event.key.cause for report in trigger.feedback):
                outbox.expose(trigger, event.fact)


def _asked(record: UserRecord, due: list[Moment], account: Account, now: datetime) -> list[Moment | Deferred]:
    """What a decision is about: the moments of the subscription that speaks for the user, and what was put off."""
    spoken = (moment for moment in due if moment.subscription_id == account.best.id)
    return [*spoken, *(deferred for deferred in record.deferred if deferred.until <= now)]


def _is_fresh(moment: Moment, account: Account, now: datetime, terms: Terms) -> bool:
    """Whether a moment is recent, and what it says is still true."""
    return now - moment.at < terms.freshness and holds(account, moment.kind, moment.subscription_id, moment.cause)


def _still_true(
    offered: tuple[Trigger, ...], account: Account, now: datetime
) -> tuple[tuple[Trigger, ...], list[Trigger]]:
    """All triggers, those that say something untrue by now marked as revoked; and these alone."""
    ceased = [
        trigger
        for trigger in offered
        if trigger.is_open(now) and not holds(account, trigger.moment, trigger.subscription_id, trigger.cause)
    ]
    if not ceased:
        return offered, ceased
    return tuple(one._replace(revoked=True) if one in ceased else one for one in offered), ceased


def _ahead(
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
        if at := next_heard(sub, terms) if silence_will_do else next_change(sub, terms):
            yield at
