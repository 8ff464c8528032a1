"""Deadlines: the instants at which time alone changes a subscription."""

from collections.abc import Iterator
from datetime import datetime

from shared.domain.instants import later
from shared.domain.look import grace_end
from shared.domain.moments import Moment
from shared.domain.settling import settle
from shared.domain.subscription import Status, Subscription
from shared.domain.terms import Terms
from shared.domain.transitions import Step, moments_between, with_beginnings


def advance(sub: Subscription, until: datetime, terms: Terms, *, inclusive: bool = True) -> Step:
    """Pass every deadline before `until`, and those at `until` itself if `inclusive`.

    The fold is exclusive, because what is due at the instant of an event takes effect after it. A read is
    inclusive.
    """
    moments: list[Moment] = []
    while (at := next_deadline(sub, terms)) and (at < until or (inclusive and at == until)):
        passed = settle(sub, at, terms)
        step = with_beginnings(sub, Step(passed, moments_between(sub, passed, at)), at)
        moments += step.moments
        sub = step.subscription
    return Step(sub, tuple(moments))


def next_deadline(sub: Subscription, terms: Terms) -> datetime | None:
    """The next instant after the last event at which something is due, or None if time changes nothing more."""
    as_of = sub.as_of
    if as_of is None:
        return None
    return min([at for at in _deadlines(sub, terms) if at > as_of], default=None)


def next_announced_change(sub: Subscription, terms: Terms) -> datetime | None:
    """The instant of the next deadline that needs a tick of the clock, or None.

    Entering grace needs no tick: the user keeps access, and every read of the state passes the deadline anyway.
    """
    if sub.auto_renew and _has_one_running_payment(sub):  # the usual case: it ends, and then its grace
        return grace_end(sub, sub.grants[0].until, terms)
    while at := next_deadline(sub, terms):
        passed = settle(sub, at, terms)
        if not (_is_same(sub, passed) or _enters_grace(sub, passed)):
            return at
        sub = passed
    return None


def _has_one_running_payment(sub: Subscription) -> bool:
    """True if one payment runs, and nothing else can change anything before its end."""
    if sub.status is not Status.ACTIVE or len(sub.grants) != 1 or sub.current != sub.grants[0]:
        return False
    is_scheduled = sub.plan_change or sub.scheduled_pause or sub.cancellation or sub.pending
    is_trial_over = sub.trial is None or sub.trial.until <= sub.grants[0].start
    return is_trial_over and not is_scheduled


def _enters_grace(before: Subscription, after: Subscription) -> bool:
    """True if access goes on in grace, by the same plan."""
    ran = before.status in {Status.ACTIVE, Status.TRIALING}
    return ran and after.status is Status.GRACE and before.plan == after.plan


def _is_same(before: Subscription, after: Subscription) -> bool:
    """True if two states show the same status, plan and period."""
    return before.status is after.status and before.current == after.current and before.plan == after.plan


def _deadlines(sub: Subscription, terms: Terms) -> list[datetime]:
    """Every instant at which something begins, ends or falls due; some of them are past."""
    found = [at for grant in sub.grants for at in (grant.start, grant.until)]
    if sub.trial:
        found.append(sub.trial.until)
    if sub.pending:
        found += filter(None, (sub.pending.until, sub.pending.grace_until))
    if sub.grace_ends:
        found += (sub.grace_ends, later(sub.grace_ends, terms.hold))
    elif sub.past and sub.current and sub.as_of and sub.current.until <= sub.as_of:
        found.append(grace_end(sub, sub.current.end, terms))
    if sub.plan_change or sub.scheduled_pause or sub.pause or sub.cancellation:
        found += _schedules(sub)
    return found


def _schedules(sub: Subscription) -> Iterator[datetime]:
    """The instants at which what was scheduled falls due."""
    if sub.plan_change and (at := sub.plan_change.effective_at or sub.term_end):
        yield at
    if sub.scheduled_pause and (at := sub.scheduled_pause.effective_at or sub.term_end):
        yield at
    if sub.pause and sub.pause.resume_at:
        yield sub.pause.resume_at
    if sub.cancellation:
        yield sub.cancellation.effective_at
