"""Settling: untrue triggers are revoked, due moments are decided, and changes are announced."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from shared.contracts.outbound.subscription_change import facts_of
from shared.decisioning import hysteresis
from shared.decisioning.decide import Decision, decide
from shared.decisioning.situation import Situation
from shared.decisioning.upholding import EVICTED, REPLACED, no_longer_true
from shared.domain import profiles
from shared.domain.account import Account
from shared.domain.assignments import assign
from shared.domain.conditions import is_still_true
from shared.domain.events import Event, FeedbackGiven
from shared.domain.moments import Deferred, Moment, moment_of
from shared.domain.subscription import Subscription
from shared.domain.tallies import evict
from shared.domain.terms import Terms
from shared.domain.triggers import Trigger, forget_feedback_events
from shared.domain.user import User
from shared.processing.effects import Change, Effects
from shared.processing.rules import Rules
from shared.record.user_record import MAX_DEFERRED, MAX_TRIGGERS, Announced, UserRecord

NOTHING_ANNOUNCED = facts_of(Subscription(""))
"""The facts that others assume of a subscription about which nothing was ever announced."""


class Settled(NamedTuple):
    """The outcome of settling: the next record, without messages, and the effects to tell others."""

    record: UserRecord
    effects: Effects


def settle(
    record: UserRecord, event: Event, account: Account, due: list[Moment], now: datetime, rules: Rules
) -> Settled:
    """Decide everything that is due by `now`.

    `account` is the user's account as read at `now`, `due` the moments that were not decided yet.
    """
    user, is_outdated = (
        user_of(record, account, record.triggers, now),
        rules.catalog.number < record.catalog_number,
    )
    situation = Situation(rules.catalog, user, is_outdated=is_outdated)
    score_moments, raised = hysteresis.cross_thresholds(situation, record.raised, event.key.cause)
    triggers, untrue = _revoke(record.triggers, no_longer_true(record.triggers, situation, raised))
    if untrue:
        situation = situation.with_triggers(triggers)
    considered = _considered(record, [*due, *score_moments], account, now)
    fresh = [one for one in considered if _is_fresh(moment_of(one), account, now, rules.terms)]
    stale = [one for one in considered if one not in fresh]
    decision = decide(situation, fresh, stale).caused_by(event.key.cause)
    triggers, replaced = _revoke(triggers, {one.trigger_id: REPLACED for one in decision.replaced})
    changed, evicted = _remember_decision(record._replace(triggers=triggers), decision, now, rules.terms)
    decided_by_time = tuple((moment.at, moment.cause) for moment in due if moment.by_time)
    announced, changes = _changed_facts(record.announced, account)
    settled = changed._replace(
        announced=announced,
        fired=record.fired.plus(decided_by_time),
        raised=raised,
    )
    kinds = tuple(moment.kind for moment in dict.fromkeys(map(moment_of, considered)))
    reported = _reported(event, record.triggers)
    return Settled(settled, Effects(_given((*untrue, *replaced)), reported, decision, kinds, changes, evicted))


def user_of(record: UserRecord, account: Account, triggers: tuple[Trigger, ...], now: datetime) -> User:
    """The user as a decision sees them."""
    profile = profiles.profile(record.profile)
    return User(
        record.user_id, now, account, profile, record.signals, triggers, record.tallies, record.assignments
    )


def _revoke(
    triggers: tuple[Trigger, ...], reasons: Mapping[str, str]
) -> tuple[tuple[Trigger, ...], tuple[Trigger, ...]]:
    """All triggers, those with a reason revoked for it; and these alone."""
    if not reasons:
        return triggers, ()
    changed = tuple(
        one.revoke(reasons[one.trigger_id]) if one.trigger_id in reasons and not one.revoked else one
        for one in triggers
    )
    return changed, tuple(new for old, new in zip(triggers, changed, strict=True) if new is not old)


def _reported(event: Event, triggers: tuple[Trigger, ...]) -> tuple[Trigger, ...]:
    """The triggers on which this event gives new feedback."""
    if not isinstance(event.fact, FeedbackGiven):
        return ()
    cause = event.key.cause
    return tuple(trigger for trigger in triggers if any(report.cause == cause for report in trigger.feedback))


def _considered(record: UserRecord, due: list[Moment], account: Account, now: datetime) -> list[Moment | Deferred]:
    """The due moments of the best subscription, and those that were deferred until now."""
    of_the_best = (moment for moment in due if moment.subscription_id == account.best.id)
    return [*of_the_best, *(deferred for deferred in record.deferred if deferred.until <= now)]


def _is_fresh(moment: Moment, account: Account, now: datetime, terms: Terms) -> bool:
    """True if a moment is recent and still describes the user."""
    recent = now - moment.at < terms.freshness
    return recent and is_still_true(account, moment.kind, moment.subscription_id, moment.grant)


def _remember_decision(
    record: UserRecord, decision: Decision, now: datetime, terms: Terms
) -> tuple[UserRecord, tuple[Trigger, ...]]:
    """The record with the decision's deferrals, triggers and assignments, and the open triggers it evicted."""
    waiting = tuple(deferred for deferred in record.deferred if deferred.until > now)
    new = decision.deferred
    if waiting != record.deferred or new:
        soonest_first = sorted((*waiting, *new), key=lambda deferred: deferred.until)
        record = record._replace(deferred=tuple(soonest_first[:MAX_DEFERRED]))
    record = record._replace(assignments=assign(record.assignments, decision.assignments))
    if not decision.won:
        return record, ()
    kept, tallies, evicted = evict((*record.triggers, *decision.won), record.tallies, MAX_TRIGGERS, now)
    triggers = forget_feedback_events(kept, before=now - terms.redelivery)
    return record._replace(triggers=triggers, tallies=tallies), _given(one.revoke(EVICTED) for one in evicted)


def _given(triggers: Iterable[Trigger]) -> tuple[Trigger, ...]:
    """The triggers that the user was given: nobody hears of the others."""
    return tuple(trigger for trigger in triggers if not trigger.withheld)


def _changed_facts(
    announced: tuple[Announced, ...], account: Account
) -> tuple[tuple[Announced, ...], tuple[Change, ...]]:
    """The facts of every subscription, to be remembered as announced, and those that changed since last time."""
    known = {one.subscription_id: one.facts for one in announced}
    facts = {sub.id: facts_of(sub) for sub in account.subscriptions}
    changes = tuple(
        Change(subscription_id, before, after, account.best.status)
        for subscription_id, after in facts.items()
        if (before := known.get(subscription_id, NOTHING_ANNOUNCED)) != after
    )
    if not changes:
        return announced, ()
    return tuple(Announced(subscription_id, after) for subscription_id, after in facts.items()), changes
