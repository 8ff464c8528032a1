"""Overtaking: a success drops the failures, the schedules and the words on renewal that came before it."""

from datetime import datetime
from typing import Any

from shared.domain.events import PaymentReported
from shared.domain.grants import Grant
from shared.domain.schedules import is_due
from shared.domain.subscription import PlanChange, Said, Subscription


def overtake(sub: Subscription, before: Subscription, grant: Grant, at: datetime) -> Subscription:
    """Drop failures, a pending payment, and the schedules that the period of a success reaches beyond.

    `before` is the subscription without the success. What was said after the payment occurred stays.
    """
    cancels = before.cancellation
    is_overtaken = {
        "failed_at": before.failed_at and before.failed_at <= grant.at,
        "told_grace": before.told_grace and before.told_grace.at <= grant.at,
        "pending": before.pending and before.pending.at <= grant.at,
        "scheduled_pause": _overtakes_pause(before, grant),
        "cancellation": cancels and cancels.at <= grant.at and cancels.effective_at < grant.end,
        "plan_change": before.plan_change and _overtakes_plan_change(before, before.plan_change, grant, at),
    }
    changes: dict[str, Any] = {name: None for name, overtaken in is_overtaken.items() if overtaken}
    return sub._replace(**changes) if changes else sub


def _overtakes_pause(before: Subscription, grant: Grant) -> bool:
    """True if the period reaches beyond the time at which a scheduled pause would begin."""
    pause = before.scheduled_pause
    if pause is None or pause.at > grant.at:
        return False
    due = pause.effective_at or before.term_end
    return due is not None and due < grant.end


def _overtakes_plan_change(before: Subscription, change: PlanChange, grant: Grant, at: datetime) -> bool:
    """True for a payment of another plan than the present one, or of time that begins once the change is due."""
    if change.at > grant.at:
        return False
    begins_after = change.effective_at is not None and change.effective_at <= grant.start
    is_due_now = is_due(change.effective_at or before.term_end, at)
    return grant.plan == change.to_plan or grant.plan != before.plan or begins_after or is_due_now


def lift_renewal(sub: Subscription, paid: PaymentReported, grant: Grant, *, new_life: bool) -> Subscription:
    """Lift what was said of renewal before a success; the user's own word survives a renewal of the same plan."""
    if sub.cut and sub.cut.at <= grant.at and sub.cut.plan == grant.plan:
        sub = sub._replace(cut=None)
    said = sub.renewal
    if said is None or said.at > grant.at:
        return sub
    is_off_still = not said.on and paid.auto_renew is False
    another_plan = sub.plan is not None and grant.plan != sub.plan
    is_lifted = new_life or another_plan or paid.auto_renew is not None or said.by is not Said.USER
    return sub._replace(renewal=None) if is_lifted and not is_off_still else sub
