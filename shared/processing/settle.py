"""Settling: untrue triggers are revoked, due moments are decided, and changes are announced."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from shared.contracts.outbound.subscription_change import facts_of, payment_of
from shared.decisioning import hysteresis
from shared.decisioning.decide import Decision, decide
from shared.decisioning.situation import Situation
from shared.decisioning.upholding import EVICTED, no_longer_true, untrue_follow_ups
from shared.domain import profiles
from shared.domain.account import Account
from shared.domain.assignments import assign
from shared.domain.conditions import is_moment_true
from shared.domain.events import Event, FeedbackGiven
from shared.domain.features import NO_FEATURES, KnownFeatures
from shared.domain.moments import NOT_TOLD, Deferred, Moment, moment_of
from shared.domain.subscription import Subscription
from shared.domain.tallies import evict
from shared.domain.terms import Terms
from shared.domain.triggers import REPLACED, Trigger, forget_feedback_events
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
    record: UserRecord,
    event: Event,
    account: Account,
    due: list[Moment],
    now: datetime,
    rules: Rules,
    features: KnownFeatures = NO_FEATURES,
) -> Settled:
    """Decide everything that is due by `now`.

    `account` is the user's account as read at `now`, `due` the moments that were not decided yet.
    """
    user = user_of(record, account, record.triggers, now, event, features)
    situation = Situation(rules.catalog, user, is_outdated=rules.catalog.number < record.catalog_number)
    score_moments, raised = hysteresis.cross_thresholds(situation, record.raised, event.key.cause)
    situation, untrue = _uphold(situation, raised)
    user = situation.user
    considered = _considered(record, [*due, *score_moments], account, now)
    fresh = [one for one in considered if _is_fresh(moment_of(one), user, rules.terms)]
    stale = [one for one in considered if one not in fresh] if len(fresh) < len(considered) else []
    decision = decide(situation, fresh, stale).caused_by(event.key.cause)
    triggers, replaced = _revoke(user.triggers, {one.trigger_id: REPLACED for one in decision.replaced})
    remembered = record if triggers is record.triggers else record._replace(triggers=triggers)
    changed, gone = _remember_decision(remembered, decision, user, rules.terms)
    decided = tuple((moment.at, moment.cause) for moment in due if moment.is_derived)
    told = [moment for moment in (*due, *score_moments) if moment.kind not in NOT_TOLD]
    announced, changes = _changes(record.announced, account, told)
    settled = changed._replace(
        announced=announced,
        fired=record.fired.plus(decided),
        raised=raised,
    )
    kinds = tuple(moment.kind for moment in dict.fromkeys(map(moment_of, considered)))
    reported = _reported(event, record.triggers)
    return Settled(settled, Effects(_given((*untrue, *replaced)), reported, decision, kinds, changes, gone))


def user_of(
    record: UserRecord,
    account: Account,
    triggers: tuple[Trigger, ...],
    now: datetime,
    event: Event | None = None,
    features: KnownFeatures = NO_FEATURES,
) -> User:
    """The user as a decision sees them, with the event that is being processed if there is one."""
    return User(
        record.user_id,
        now,
        account,
        profiles.profile(record.profile),
        record.signals,
        triggers,
        record.tallies,
        record.assignments,
        record.attributes,
        event,
        features,
    )


def _uphold(situation: Situation, raised: tuple[str, ...]) -> tuple[Situation, tuple[Trigger, ...]]:
    """The situation once the triggers that are no longer true are revoked, with what follows them; and these."""
    triggers = situation.user.triggers
    triggers, untrue = _revoke(triggers, no_longer_true(triggers, situation, raised))
    if not untrue:
        return situation, ()
    situation = situation.with_triggers(triggers)
    triggers, following = _revoke(triggers, untrue_follow_ups(situation.user, triggers))
    return situation.with_triggers(triggers) if following else situation, (*untrue, *following)


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


def _is_fresh(moment: Moment, user: User, terms: Terms) -> bool:
    """True if a moment is recent and still describes the user."""
    return user.now - moment.at < terms.freshness and is_moment_true(moment, user)


def _remember_decision(
    record: UserRecord, decision: Decision, user: User, terms: Terms
) -> tuple[UserRecord, tuple[Trigger, ...]]:
    """The record with the decision's deferrals, triggers and assignments.

    Also the open triggers that it evicted, and the open follow-ups of what it evicted.
    """
    now = user.now
    waiting = tuple([deferred for deferred in record.deferred if deferred.until > now])
    new = decision.deferred
    if waiting != record.deferred or new:
        soonest_first = sorted((*waiting, *new), key=lambda deferred: deferred.until)
        record = record._replace(deferred=tuple(soonest_first[:MAX_DEFERRED]))
    if assigned := decision.assignments:
        record = record._replace(assignments=assign(record.assignments, assigned))
    won = decision.won
    if not won:
        return record, ()
    kept, tallies, evicted = evict((*record.triggers, *won), record.tallies, MAX_TRIGGERS, now)
    kept, following = _revoke(kept, untrue_follow_ups(user, kept))
    triggers = forget_feedback_events(kept, before=now - terms.redelivery)
    gone = _given((*(one.revoke(EVICTED) for one in evicted), *following))
    return record._replace(triggers=triggers, tallies=tallies), gone


def _given(triggers: Iterable[Trigger]) -> tuple[Trigger, ...]:
    """The triggers that the user was given: nobody hears of the others."""
    return tuple(trigger for trigger in triggers if not trigger.withheld)


def _changes(
    announced: tuple[Announced, ...], account: Account, moments: list[Moment]
) -> tuple[tuple[Announced, ...], tuple[Change, ...]]:
    """The facts of every subscription, to be remembered as announced; and the changes to tell.

    A subscription has a change if its facts are no longer as announced last, or if it had a moment, true still or
    not. Of one that the account holds no more, nothing is told.
    """
    known = {one.subscription_id: one.facts for one in announced}
    facts = {sub.id: facts_of(sub) for sub in account.subscriptions}
    changes = []
    for sub in account.subscriptions:
        before, after = known.get(sub.id, NOTHING_ANNOUNCED), facts[sub.id]
        own = [moment for moment in moments if moment.subscription_id == sub.id]
        if own or before != after:
            own.sort(key=lambda moment: (moment.at, moment.kind, moment.cause))
            changes.append(Change(sub.id, before, after, account.best.status, payment_of(sub), tuple(own)))
    if not changes:
        return announced, ()
    return tuple(Announced(subscription_id, after) for subscription_id, after in facts.items()), tuple(changes)
