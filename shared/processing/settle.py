"""Settling: what is due is decided, what no longer holds is revoked, and the world is told of all that changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.contracts.outbound.messages import Message
from shared.decisioning import hysteresis
from shared.decisioning.catalog import Catalog
from shared.decisioning.decide import Decision, decide
from shared.decisioning.situation import Situation
from shared.domain import profiles, triggers
from shared.domain.account import Account
from shared.domain.assignments import assign
from shared.domain.conditions import is_still_true
from shared.domain.events import Event, FeedbackGiven
from shared.domain.moments import Deferred, Moment, moment_of
from shared.domain.tallies import forget
from shared.domain.terms import Terms
from shared.domain.triggers import Trigger
from shared.domain.user import User
from shared.processing.outbox import Outbox
from shared.record.user_record import MAX_DEFERRED, MAX_TRIGGERS, UserRecord


@dataclass(frozen=True, slots=True)
class Rules:
    """What a processing is decided by, besides the record: the catalog in force and the terms of business."""

    catalog: Catalog
    terms: Terms


def settle(
    record: UserRecord, event: Event, account: Account, due: list[Moment], now: datetime, rules: Rules
) -> tuple[UserRecord, tuple[Message, ...]]:
    """The record after all that is due by `now` was decided, and the messages that come of it."""
    outbox = Outbox(record, event, now)
    still, ceased = _still_true(record.triggers, account, now)
    for trigger in ceased:
        outbox.revoke(trigger)
    _expose(outbox, event, record.triggers)
    situation = Situation(rules.catalog, user_of(record, account, still, now))
    risen, raised = hysteresis.risen(situation, record.raised, event.key.cause)
    asked = _asked(record, [*due, *risen], account, now)
    fresh = [one for one in asked if _is_fresh(moment_of(one), account, now, rules.terms)]
    decision = decide(situation, fresh, [one for one in asked if one not in fresh])
    _tell(outbox, decision, map(moment_of, asked))
    announced = outbox.announce(account)
    decided = tuple((moment.at, moment.cause) for moment in due if moment.by_time)
    changed = _remembered(record._replace(triggers=still), decision, outbox, now, rules.terms)._replace(
        announced=announced, fired=record.fired.plus(decided), raised=raised
    )
    return outbox.leave(changed, rules.terms), tuple(outbox.messages)


def _tell(outbox: Outbox, decision: Decision, moments: Iterable[Moment]) -> None:
    """Say what was decided of these moments, and why."""
    for trigger in decision.issued:
        outbox.issue(trigger)
    for spared in decision.suppressed:
        outbox.spare(spared)
    if decision.candidates:
        outbox.explain(decision, dict.fromkeys(moments))


def _remembered(record: UserRecord, decision: Decision, outbox: Outbox, now: datetime, terms: Terms) -> UserRecord:
    """The record with what a decision has to be remembered by; an offer that cannot be any more is revoked."""
    waiting = tuple(deferred for deferred in record.deferred if deferred.until > now)
    if waiting != record.deferred or decision.deferred:
        soonest_first = sorted((*waiting, *decision.deferred), key=lambda deferred: deferred.until)
        record = record._replace(deferred=tuple(soonest_first[:MAX_DEFERRED]))
    if not decision.issued:
        return record._replace(assignments=assign(record.assignments, decision.assignments))
    kept, tallies, unwatched = forget((*record.triggers, *decision.issued), record.tallies, MAX_TRIGGERS, now)
    for trigger in unwatched:
        outbox.revoke(trigger)
    return record._replace(
        triggers=triggers.forget_feedback_events(kept, before=now - terms.redelivery),
        tallies=tallies,
        assignments=assign(record.assignments, decision.assignments),
    )


def user_of(record: UserRecord, account: Account, offered: tuple[Trigger, ...], now: datetime) -> User:
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
    return now - moment.at < terms.freshness and is_still_true(
        account, moment.kind, moment.subscription_id, moment.cause
    )


def _still_true(
    offered: tuple[Trigger, ...], account: Account, now: datetime
) -> tuple[tuple[Trigger, ...], list[Trigger]]:
    """All triggers, those that say something untrue by now marked as revoked; and these alone."""
    ceased = [
        trigger
        for trigger in offered
        if trigger.is_open(now)
        and not is_still_true(account, trigger.moment, trigger.subscription_id, trigger.cause)
    ]
    if not ceased:
        return offered, ceased
    return tuple(one._replace(revoked=True) if one in ceased else one for one in offered), ceased
