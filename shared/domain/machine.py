"""The status machine as a table: the happenings that can change a status, and the status each leads to."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from shared.domain.instants import later
from shared.domain.moments import Moment, MomentKind, caused_by_time
from shared.domain.subscription import Status, Subscription
from shared.domain.terms import Terms


class Happening(StrEnum):
    """Everything that can change a status. `docs/lifecycle.md` quotes the values."""

    TRIAL_STARTED = "trial started"
    PAYMENT_PENDING = "payment pending"
    PAYMENT_SUCCEEDED = "payment succeeded"
    SUCCEEDED_IN_TRIAL = "first payment succeeded while the trial runs"
    PAYMENT_FAILED = "payment failed, no paid or trial time left"
    FAILED_FOR_GOOD = "retries exhausted, no paid or trial time left"
    FAILED_IN_TRIAL = "first payment failed for good while the trial runs"
    TRIAL_INVOICED = "trial started; the current period cost nothing and ends within it"
    TRIAL_ENDED_PAID = "trial ended within a paid period"
    TIME_ENDED = "time ended, auto-renew on"
    TIME_ENDED_FOR_GOOD = "time ended, auto-renew off"
    AUTO_RENEW_OFF = "auto-renew turned off"
    PAUSE_DUE = "pause falls due"
    RESUMED = "resumed, or resume falls due"
    CANCELLED = "cancelled"


H = Happening
S = Status

_STARTS = {H.TRIAL_STARTED: S.TRIALING, H.PAYMENT_PENDING: S.PENDING, H.PAYMENT_SUCCEEDED: S.ACTIVE}
_ENDS = {H.FAILED_FOR_GOOD: S.EXPIRED, H.TIME_ENDED_FOR_GOOD: S.EXPIRED, H.CANCELLED: S.EXPIRED}

TABLE: Mapping[Status, Mapping[Happening, Status]] = {
    S.NONE: _STARTS,
    S.EXPIRED: _STARTS,
    S.PENDING: _ENDS
    | {
        H.PAYMENT_SUCCEEDED: S.ACTIVE,
        H.SUCCEEDED_IN_TRIAL: S.TRIALING,
        H.FAILED_IN_TRIAL: S.TRIALING,
    },
    S.TRIALING: _ENDS
    | {
        H.PAYMENT_SUCCEEDED: S.ACTIVE,
        H.PAYMENT_FAILED: S.GRACE,
        H.TIME_ENDED: S.GRACE,
        H.TRIAL_ENDED_PAID: S.ACTIVE,
    },
    S.ACTIVE: _ENDS
    | {
        H.TRIAL_INVOICED: S.TRIALING,
        H.PAYMENT_SUCCEEDED: S.ACTIVE,
        H.PAYMENT_FAILED: S.GRACE,
        H.TIME_ENDED: S.GRACE,
        H.PAUSE_DUE: S.PAUSED,
    },
    S.GRACE: _ENDS
    | {
        H.PAYMENT_SUCCEEDED: S.ACTIVE,
        H.TIME_ENDED: S.ON_HOLD,
    },
    S.ON_HOLD: _ENDS
    | {
        H.PAYMENT_SUCCEEDED: S.ACTIVE,
        H.TIME_ENDED: S.EXPIRED,
        H.AUTO_RENEW_OFF: S.EXPIRED,
    },
    S.PAUSED: _ENDS
    | {
        H.PAYMENT_SUCCEEDED: S.ACTIVE,
        H.PAYMENT_FAILED: S.ON_HOLD,
        H.RESUMED: S.GRACE,
    },
}
"""The status that follows from a status and a happening; a pair that is not listed changes nothing."""


class Step(NamedTuple):
    """A subscription after a happening, and the moments that the happening brought."""

    subscription: Subscription
    moments: tuple[Moment, ...] = ()


def moment(kind: MomentKind, sub: Subscription, at: datetime, cause: str | None = None, which: str = "") -> Moment:
    """A moment of this subscription, caused by the event named `cause`, or else by time (see `caused_by_time`)."""
    if cause:
        return Moment(kind, sub.id, at, cause)
    return caused_by_time(kind, sub.id, at, sub.granted_by, which=which)


def covered_until(sub: Subscription) -> datetime | None:
    """The end of the paid or trial time that no failure may take, or None if there is no such time."""
    paid = sub.period_end if sub.period_counts else None
    trial = sub.trial_ends_at if sub.trial_counts else None
    return max(paid, trial) if paid and trial else paid or trial


def move(sub: Subscription, happening: Happening, at: datetime, terms: Terms) -> Step:
    """Follow the table from the subscription's status; a pair that is not listed changes nothing."""
    target = TABLE[sub.status].get(happening) if sub.status in TABLE else None
    if target is None:
        return Step(sub)
    moved = sub._replace(status=target, since=at, as_of=at, **_facts_on_entry(sub, target, at, terms))
    return Step(moved, _moments_of_move(sub, moved, happening, at))


def as_of(sub: Subscription, at: datetime) -> Subscription:
    """The subscription as of an instant whose event or deadline has taken effect."""
    return sub if sub.as_of == at else sub._replace(as_of=at)


def grace_ends(sub: Subscription, at: datetime, terms: Terms) -> datetime:
    """The end of a grace that begins at `at`: no earlier than the end of the paid or trial time."""
    # A failure during a pause must not shorten the grace after it.
    given = sub.grace_until if sub.status is not Status.PAUSED else None
    ends_at = given or later(at, terms.grace)
    return max(ends_at, covered_until(sub) or ends_at)


def _facts_on_entry(sub: Subscription, target: Status, at: datetime, terms: Terms) -> dict[str, Any]:
    """The facts that change on entry into a status."""
    match target:
        case Status.GRACE:
            after_trial = sub.status is Status.TRIALING
            return {"grace_until": grace_ends(sub, at, terms), "after_trial": after_trial, "resume_at": None}
        case Status.PAUSED:
            resume_at = sub.pause.resume_at if sub.pause else None
            return {"pause": None, "resume_at": resume_at, "grace_until": None}
        case Status.EXPIRED:
            return {
                "period_counts": False,
                "trial_counts": False,
                "failing": False,
                "cancel_at": None,
                "pause": None,
                "plan_change": None,
                "replaced": (),
                "resume_at": None,
            }
        case _:
            return {}


def _moments_of_move(
    before: Subscription, after: Subscription, happening: Happening, at: datetime
) -> tuple[Moment, ...]:
    """The moments that follow from the table alone; payments and signals add their own.

    An end has the same cause whether an event or time brought it, because the grant that ended names it. So a
    cancellation that arrives after the clock has found the end brings no second moment.
    """
    kinds = []
    unpaid_trial = before.status is Status.TRIALING or (before.status is Status.GRACE and before.after_trial)
    if unpaid_trial and after.status in {Status.EXPIRED, Status.ON_HOLD}:
        kinds.append(MomentKind.TRIAL_ENDED)
    if after.status is Status.EXPIRED:
        kinds.append(MomentKind.EXPIRED)
    if after.status is Status.PAUSED:
        kinds.append(MomentKind.PAUSED)
    if happening is Happening.RESUMED:
        kinds.append(MomentKind.RESUMED)
    return tuple([moment(kind, before, at) for kind in kinds])
