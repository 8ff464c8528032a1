"""Transitions: the effect of an event, and the moments that follow from a change of state."""

from datetime import datetime
from typing import NamedTuple

from shared.domain.events import cause_of
from shared.domain.moments import Moment, MomentKind, caused_by_time
from shared.domain.subscription import ENTITLED, LIVE, Status, Subscription


class Effect(NamedTuple):
    """The effect of an event: the facts that it sets, before the status is derived, and the moments it brings."""

    subscription: Subscription
    moments: tuple[MomentKind, ...] = ()


class Step(NamedTuple):
    """A subscription after an event or an instant, and the moments that it brought."""

    subscription: Subscription
    moments: tuple[Moment, ...] = ()


def moment(kind: MomentKind, sub: Subscription, at: datetime, cause: str | None = None, which: str = "") -> Moment:
    """A moment of this subscription, caused by the event named `cause`, or else by time (see `caused_by_time`)."""
    if cause:
        return Moment(kind, sub.id, at, cause)
    return caused_by_time(kind, sub.id, at, sub.granted_by, which=which)


def moments_between(
    before: Subscription, after: Subscription, at: datetime, cause: str | None = None
) -> tuple[Moment, ...]:
    """The moments that follow from two states alone; payments and signals add their own.

    An end has the same cause whether an event or time brought it, because the grant that ended names it. So a
    cancellation that arrives after the clock has found the end brings no second moment.
    """
    was, now = before.status, after.status
    moments = []
    if was is not now:
        moments = [moment(kind, before, at) for kind in _kinds_of_change(before, after)]
        if cause is None and (kind := _begun_by_time(was, now)):
            moments.append(moment(kind, after, at))
    if was in LIVE and now in LIVE and Status.PENDING not in {was, now} and _plan_changed(before, after):
        moments.append(moment(MomentKind.PLAN_CHANGED, before, at, cause, which=cause_of(after.plan or "")))
    return tuple(moments)


def with_beginnings(before: Subscription, step: Step, at: datetime) -> Step:
    """The step whose subscription remembers what began in it: a trial, or paid access.

    The first paid period after a trial brings no `activated`, but paid access begins with it all the same.
    """
    sub = step.subscription
    kinds = [one.kind for one in step.moments]
    was_trial = before.current is not None and before.current.is_trial
    if MomentKind.TRIAL_STARTED in kinds:
        sub = sub._replace(trial_began_at=at)
    if MomentKind.ACTIVATED in kinds or (was_trial and sub.status is Status.ACTIVE and sub.activated_at is None):
        sub = sub._replace(activated_at=at)
    return step if sub is step.subscription else Step(sub, step.moments)


def _plan_changed(before: Subscription, after: Subscription) -> bool:
    return before.current is not after.current and bool(before.plan) and before.plan != after.plan


def _kinds_of_change(before: Subscription, after: Subscription) -> list[MomentKind]:
    """The moments of an end, and of a pause that began or was ended by the user or by its time."""
    kinds = []
    in_trial = before.current is not None and before.current.is_trial
    if in_trial and before.status in {Status.TRIALING, Status.GRACE} and after.status in UNPAID:
        kinds.append(MomentKind.TRIAL_ENDED)
    if after.status is Status.EXPIRED and before.status is not Status.NONE:
        kinds.append(MomentKind.EXPIRED)
    if after.status is Status.PAUSED:
        kinds.append(MomentKind.PAUSED)
    if before.status is Status.PAUSED and after.status in ENTITLED and after.resumed_at == after.as_of:
        kinds.append(MomentKind.RESUMED)
    return kinds


UNPAID = frozenset({Status.EXPIRED, Status.ON_HOLD})
"""The statuses in which a trial has ended unpaid."""


def _begun_by_time(was: Status, now: Status) -> MomentKind | None:
    """The moment of a waiting trial or payment whose time begins."""
    if now is Status.TRIALING and was is Status.ACTIVE:
        return MomentKind.TRIAL_STARTED
    waited = {Status.PENDING, Status.EXPIRED, Status.REVOKED}
    return MomentKind.ACTIVATED if now is Status.ACTIVE and was in waited else None
