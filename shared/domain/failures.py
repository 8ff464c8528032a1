"""Payments that have brought no money yet: one that is pending, and one that failed."""

from datetime import datetime

from shared.domain.events import PaymentReported, ReasonCode
from shared.domain.instants import later
from shared.domain.moments import MomentKind
from shared.domain.subscription import LIVE, PendingPayment, Renewal, Said, Status, Subscription, ToldGrace
from shared.domain.terms import Terms
from shared.domain.transitions import Effect


def begin_pending(sub: Subscription, payment: PaymentReported, terms: Terms, occurred_at: datetime) -> Effect:
    """Note a payment that was started: it may settle within the time that the terms give it.

    The grace that another pending payment gives goes on.
    """
    until = later(occurred_at, terms.pending)
    plan = payment.plan or sub.plan
    grace_until = payment.grace_until or (sub.pending.grace_until if sub.pending else None)
    return Effect(sub._replace(pending=PendingPayment(occurred_at, until, grace_until, plan)))


def apply_failure(sub: Subscription, payment: PaymentReported, at: datetime, occurred_at: datetime) -> Effect:
    """Apply a failed payment if it concerns the renewal of what runs; else it is a fact for reports alone.

    The last retry of a payment that pends gives it up, whatever it was for.
    """
    if payment.final and sub.pending and payment.plan in {None, sub.pending.plan}:
        sub = sub._replace(pending=sub.pending.given_up(at))
    if sub.status not in LIVE or _is_for_paid_time(sub, payment, at) or not _concerns_renewal(sub, payment):
        return Effect(sub)
    failing = sub._replace(failed_at=occurred_at)
    is_on_hold = sub.status is Status.ON_HOLD  # the grace is over, and a new end for it comes too late
    if payment.grace_until and not is_on_hold:
        failing = failing._replace(told_grace=ToldGrace(payment.grace_until, occurred_at))
    if payment.final and sub.status is not Status.PENDING:
        return _end_retries(failing, at, occurred_at)
    return Effect(failing, (MomentKind.PAYMENT_FAILED,))


def _is_for_paid_time(sub: Subscription, payment: PaymentReported, at: datetime) -> bool:
    """True if a standing grant ends no sooner than the period of a failed payment.

    If the newer of two plans has run out over the older one, the older one does not pay for the newer.
    """
    end, current = payment.period_end, sub.current
    if end is None:
        return False
    paying = [grant for grant in sub.all_grants if grant.end >= end and grant.until >= end and grant.stands]
    if paying and current and current.until <= at and not current.is_trial:
        paying = [grant for grant in paying if grant.start >= current.start]
    return bool(paying)


def _concerns_renewal(sub: Subscription, payment: PaymentReported) -> bool:
    """True for the plan that runs, ran out last, or is scheduled; an upgrade that is declined changes nothing."""
    return payment.plan is None or payment.plan in {sub.plan, sub.scheduled_plan}


def _end_retries(sub: Subscription, at: datetime, occurred_at: datetime) -> Effect:
    """End the retries of a failed payment: what runs does not renew."""
    covered = any(grant.stands and grant.covers(at) for grant in sub.all_grants)
    turned_off = covered and sub.auto_renew
    kinds = (MomentKind.PAYMENT_FAILED, MomentKind.AUTO_RENEW_OFF) if turned_off else (MomentKind.PAYMENT_FAILED,)
    return Effect(sub._replace(renewal=_off_for_good(sub, occurred_at)), kinds)


def _off_for_good(sub: Subscription, occurred_at: datetime) -> Renewal:
    """Auto-renew after the last retry: off, and no grace is left. The user's own word before it stays."""
    if sub.renewal and not sub.renewal.on:
        return sub.renewal._replace(in_grace=False)
    return Renewal(
        on=False,
        by=Said.BILLING,
        at=occurred_at,
        reason=Said.BILLING.value,
        reason_code=ReasonCode.BILLING,
    )
