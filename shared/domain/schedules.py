"""Schedules: what was said for a later time takes effect when it falls due."""

from datetime import datetime

from shared.domain.ledger import cut_short, replace, retire
from shared.domain.look import Look
from shared.domain.subscription import Cancellation, Pause, Renewal, Said, ScheduledPause, Status, Subscription
from shared.domain.terms import Terms


def carry_out(sub: Subscription, at: datetime, terms: Terms) -> Subscription:
    """Carry out what is due: the end of paid time, a plan change, a cancellation, the end or start of a pause."""
    plan_change, pause, cancellation = sub.plan_change, sub.scheduled_pause, sub.cancellation
    if not (plan_change or pause or cancellation or sub.pause):
        return retire(sub, at)
    plan_due = plan_change is not None and is_due(plan_change.effective_at or sub.term_end, at)
    pause_due = pause is not None and is_due(pause.effective_at or sub.term_end, at)
    sub = retire(sub, at)
    if plan_due and plan_change:
        sub = _change_plan(sub._replace(plan_change=None), plan_change.to_plan, at, terms)
    if cancellation and is_due(cancellation.effective_at, at):
        sub = retire(cancel(sub, cancellation, at), at)
    if sub.pause:
        sub = _end_pause(sub, sub.pause, at)
    if pause_due and pause:
        sub = sub._replace(scheduled_pause=None, pause=_begin_pause(sub, pause, at))
    return sub


def _begin_pause(sub: Subscription, due: ScheduledPause, at: datetime) -> Pause | None:
    """The pause that runs from now: the one that fell due, unless the status allows none."""
    is_allowed = sub.pause is not None or sub.status in MAY_PAUSE
    return Pause(due.at, due.resume_at) if is_allowed and not is_due(due.resume_at, at) else None


MAY_PAUSE = frozenset({Status.ACTIVE, Status.TRIALING, Status.GRACE})
"""The statuses in which a pause may begin."""


def is_due(due: datetime | None, at: datetime) -> bool:
    """True if an instant has come."""
    return due is not None and due <= at


def _change_plan(sub: Subscription, plan: str, at: datetime, terms: Terms) -> Subscription:
    """The subscription with another plan for what covers, or else lapsed, and for what is paid ahead."""
    look = Look(sub, at, terms)
    grant = look.covering or look.lapsed
    if grant:
        sub = retire(replace(sub, grant, grant._replace(plan=plan)), at)
    return sub._replace(grants=tuple([g._replace(plan=plan) if g.start > at else g for g in sub.grants]))


def cancel(sub: Subscription, asked: Cancellation, at: datetime) -> Subscription:
    """The subscription cancelled at an instant: all its time is cut, and it does not renew.

    If no reason is given, the reason for which auto-renew was off already stays.
    """
    said = sub.renewal if sub.renewal and not sub.renewal.on else None
    reason = asked.reason or (said.reason if said else None)
    reason_code = asked.reason_code or (said.reason_code if said else None)
    renewal = Renewal(on=False, by=Said.CANCELLED, at=at, reason=reason, reason_code=reason_code)
    return cut_short(sub, at)._replace(renewal=renewal, cancellation=None)


def _end_pause(sub: Subscription, pause: Pause, at: datetime) -> Subscription:
    """End a pause that has reached its end, or after which a payment was made whose period has begun."""
    if is_due(pause.resume_at, at):
        return sub._replace(pause=None, resumed_at=at)
    paid = any(grant.stands and grant.covers(at) and grant.at > pause.at for grant in sub.grants)
    return sub._replace(pause=None) if paid else sub
