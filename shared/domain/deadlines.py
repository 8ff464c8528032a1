"""Deadlines: the changes that time alone brings to a subscription."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from shared.domain.events import cause_of
from shared.domain.instants import later
from shared.domain.machine import Happening, Step, as_of, grace_ends, moment, move
from shared.domain.moments import Moment, MomentKind
from shared.domain.subscription import LIVE, Status, Subscription
from shared.domain.terms import Terms


class Deadline(NamedTuple):
    """A change that time will bring. At one instant, the lower rank goes first."""

    at: datetime
    rank: int
    apply: Callable[[Subscription, datetime, Terms], Step]
    """Makes the change, at the instant at which it takes effect."""


def advance(sub: Subscription, until: datetime, terms: Terms, *, inclusive: bool = True) -> Step:
    """Pass every deadline before `until`, and those at `until` itself if `inclusive`.

    Events precede deadlines at the same instant, so the fold is exclusive and a read is inclusive. A deadline
    already past when its status began takes effect at the event that began the status.
    """
    moments: list[Moment] = []
    while (deadline := next_deadline(sub, terms)) and (
        deadline.at < until or (inclusive and deadline.at == until)
    ):
        sub, brought = _apply(deadline, sub, terms)
        moments += brought
    return Step(sub, tuple(moments))


def next_deadline(sub: Subscription, terms: Terms) -> Deadline | None:
    """The next deadline, or None if time changes nothing any more."""
    if sub.status not in LIVE:
        return None
    ends_at = _status_ends(sub, terms)
    end = Deadline(ends_at, 3, _end) if ends_at else None
    if not _is_scheduled(sub):
        return end
    return min(filter(None, (*_scheduled(sub), end)), default=None)


def next_change(sub: Subscription, terms: Terms) -> datetime | None:
    """The instant at which time next changes the shown state, or None; it never does while `revoked` is shown."""
    deadline = next_deadline(sub, terms) if sub.shown_status is not Status.REVOKED else None
    return deadline.at if deadline else None


def next_announced_change(sub: Subscription, terms: Terms) -> datetime | None:
    """The instant of the next deadline that needs a tick of the clock, or None.

    Entering grace needs no tick: the user keeps access, and every read of the state passes the deadline anyway.
    Deadlines that pass while `revoked` is shown need none either, because they change nothing that is shown.
    """
    while sub.shown_status is not Status.REVOKED and (deadline := next_deadline(sub, terms)):
        enters_grace = deadline.apply is _end and sub.status in {Status.ACTIVE, Status.TRIALING} and sub.auto_renew
        if not enters_grace:
            return deadline.at
        if sub.status is Status.ACTIVE and not _is_scheduled(sub):  # only the end of that grace can follow
            return grace_ends(sub, _takes_effect(deadline, sub), terms)
        sub, _ = _apply(deadline, sub, terms)
    return None


def _takes_effect(deadline: Deadline, sub: Subscription) -> datetime:
    """The deadline's instant; if it was past when the status began, the instant of the event that began it."""
    return max(deadline.at, sub.as_of or deadline.at)


def _apply(deadline: Deadline, sub: Subscription, terms: Terms) -> Step:
    at = _takes_effect(deadline, sub)
    passed, moments = deadline.apply(sub, at, terms)
    is_hidden = passed.shown_status is Status.REVOKED
    return Step(as_of(passed, at), () if is_hidden else moments)


def _is_scheduled(sub: Subscription) -> bool:
    """True if a plan change, a pause, a resumption or a cancellation is scheduled."""
    return bool(sub.plan_change or sub.pause or sub.resume_at or sub.cancel_at)


def _scheduled(sub: Subscription) -> Iterator[Deadline]:
    """The scheduled deadlines. Order at one instant: plan change, pause or resume, cancellation, end of status."""
    term_end = sub.trial_ends_at if sub.status is Status.TRIALING else sub.period_end
    if sub.plan_change and (at := sub.plan_change.effective_at or term_end):
        yield Deadline(at, 0, _change_plan)
    if sub.pause and sub.status is Status.ACTIVE and sub.auto_renew and (at := sub.pause.effective_at or term_end):
        yield Deadline(at, 1, _pause)
    if sub.resume_at and sub.status is Status.PAUSED:
        yield Deadline(sub.resume_at, 1, _resume)
    if sub.cancel_at:
        yield Deadline(sub.cancel_at, 2, _cancel)


def _status_ends(sub: Subscription, terms: Terms) -> datetime | None:
    """The instant at which the status itself runs out, or None if time does not end it."""
    since = sub.since
    match sub.status:
        case Status.PENDING if since:
            return later(since, terms.pending)
        case Status.TRIALING:
            return sub.trial_ends_at
        case Status.ACTIVE:
            return sub.period_end
        case Status.GRACE:
            return sub.grace_until
        case Status.ON_HOLD if since:
            return later(since, terms.hold) if sub.auto_renew else since
        case _:
            return None


def _change_plan(sub: Subscription, at: datetime, _terms: Terms) -> Step:
    plan = (sub.plan_change and sub.plan_change.to_plan) or sub.plan
    changed = sub._replace(plan=plan, plan_change=None)
    if plan is None or plan == sub.plan:
        return Step(changed)
    return Step(changed, (moment(MomentKind.PLAN_CHANGED, sub, at, which=cause_of(plan)),))


def _pause(sub: Subscription, at: datetime, terms: Terms) -> Step:
    return move(sub, Happening.PAUSE_DUE, at, terms)


def _resume(sub: Subscription, at: datetime, terms: Terms) -> Step:
    return move(sub, Happening.RESUMED, at, terms)


def _cancel(sub: Subscription, at: datetime, terms: Terms) -> Step:
    return move(sub, Happening.CANCELLED, at, terms)


def _end(sub: Subscription, at: datetime, terms: Terms) -> Step:
    """End the status. A trial or a paid period that runs longer continues."""
    if sub.status is Status.PENDING and sub.trial_counts and sub.trial_ends_at and sub.trial_ends_at > at:
        unpaid = sub._replace(auto_renew=False, auto_renew_reason="billing")
        return move(unpaid, Happening.FAILED_IN_TRIAL, at, terms)
    if sub.status is Status.TRIALING and sub.period_counts and sub.period_end and sub.period_end > at:
        return move(sub, Happening.TRIAL_ENDED_PAID, at, terms)
    if sub.status is Status.PENDING or not sub.auto_renew:
        return move(sub, Happening.TIME_ENDED_FOR_GOOD, at, terms)
    return move(sub, Happening.TIME_ENDED, at, terms)
