"""One processing, pure: a user's record and an event become the next record and the messages it owes the world."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from shared.contracts.messages import Message
from shared.decisioning.catalog import Catalog
from shared.decisioning.decide import Decision, decide
from shared.domain import profiles, signals, triggers
from shared.domain.account import Account
from shared.domain.arrival import Arrival
from shared.domain.conditions import holds
from shared.domain.deadlines import next_heard
from shared.domain.events import BEHAVIOURAL, Event, FeedbackGiven, SignalSeen, TimePassed
from shared.domain.milestones import milestones
from shared.domain.moments import Moment
from shared.domain.terms import Terms
from shared.domain.triggers import Trigger
from shared.domain.user import User
from shared.outbox import Outbox
from shared.record import MAX_TRIGGERS, UserRecord


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
    reached = [*milestones(account.best, policy.catalog.milestones)]
    due = _due(absorbed, [*moments, *brought, *reached], now)
    decided, messages = _settle(absorbed, event, account, due, now, policy)
    settled = replace(decided, next_due_at=_next_due(account, reached, now, policy.terms))
    return Processed(record if settled == record else settled, arrival, messages)


def _absorb(record: UserRecord, event: Event, terms: Terms) -> tuple[UserRecord, Arrival, tuple[Moment, ...]]:
    """The record with the event merged or folded in; the very same record where it changes nothing."""
    moments: tuple[Moment, ...] = ()
    match event.fact:
        case TimePassed():
            return record, Arrival.APPLIED, ()
        case FeedbackGiven() as given:
            noted, arrival = triggers.note(record.triggers, event, given)
            changed = replace(record, triggers=noted) if noted is not record.triggers else record
        case SignalSeen(kind=kind) as signal if kind in BEHAVIOURAL:
            seen, arrival = signals.note(record.signals, event, signal)
            changed = replace(record, signals=seen) if seen is not record.signals else record
        case _:
            folded = record.history.add(event, terms)
            arrival, moments = folded.arrival, folded.moments
            changed = replace(record, history=folded.history) if folded.history is not record.history else record
    if arrival is not Arrival.DUPLICATE:
        said = profiles.merge(record.profile, event)
        changed = replace(changed, profile=said) if said is not record.profile else changed
    return changed, arrival, moments


def _due(record: UserRecord, moments: Iterable[Moment], now: datetime) -> list[Moment]:
    """The moments up to `now` that were not decided yet, each once."""
    fresh = {
        moment.cause if moment.by_time else (moment.cause, moment.kind): moment
        for moment in moments
        if not moment.by_time or (moment.at <= now and not record.fired.covers(moment.at, moment.cause))
    }
    return list(fresh.values())


def _settle(
    record: UserRecord, event: Event, account: Account, due: list[Moment], now: datetime, policy: Policy
) -> tuple[UserRecord, tuple[Message, ...]]:
    """Decide what is due, revoke what no longer holds, and note what the world must be told."""
    spoken = [moment for moment in due if moment.subscription_id == account.best.id]
    fresh = [moment for moment in spoken if _is_fresh(moment, account, now, policy.terms)]
    stale = [moment for moment in spoken if moment not in fresh]
    outbox = Outbox(record, event, now)
    still, ceased = _still_true(record.triggers, account, now)
    for trigger in ceased:
        outbox.revoke(trigger)
    user = User(record.user_id, now, account, profiles.profile(record.profile), record.signals, still)
    decision: Decision = decide(policy.catalog, user, fresh, stale)
    for issued in decision.issued:
        outbox.issue(issued, decision.catalog_version)
    if decision.candidates:
        outbox.explain(decision, spoken)
    announced = outbox.announce(account)
    offered = (*still, *(issued.trigger for issued in decision.issued))[-MAX_TRIGGERS:]
    decided = tuple((moment.at, moment.cause) for moment in due if moment.by_time)
    changed = replace(record, triggers=offered, announced=announced, fired=record.fired.plus(decided))
    return outbox.leave(changed, policy.terms), outbox.messages


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
    return tuple(replace(one, revoked=True) if one in ceased else one for one in offered), ceased


def _next_due(account: Account, reached: Iterable[Moment], now: datetime, terms: Terms) -> datetime | None:
    """When the clock must look at this user again."""
    heard = (next_heard(sub, terms) for sub in account.subscriptions)
    ahead = (moment.at for moment in reached if moment.at > now)
    return min((at for at in (*heard, *ahead) if at), default=None)
