"""Payments: the effect of a success, and of a later verdict on the payment, on a subscription."""

from bisect import insort
from datetime import datetime

from shared.domain.events import Key, PaymentOutcome, PaymentReported
from shared.domain.machine import Happening, Step, moment, move
from shared.domain.moments import MomentKind
from shared.domain.subscription import (
    LIVE,
    WITHDRAWN,
    Payment,
    Replaced,
    Status,
    Subscription,
    Verdict,
)
from shared.domain.terms import Terms

MAX_PAYMENTS = 8
"""The most payments kept for one subscription: those for its latest periods."""

VERDICTS = {
    PaymentOutcome.SUCCEEDED: Verdict.PAID,
    PaymentOutcome.REFUNDED: Verdict.REFUNDED,
    PaymentOutcome.REFUND_REVERSED: Verdict.REVERSED,
    PaymentOutcome.DISPUTED: Verdict.DISPUTED,
    PaymentOutcome.DISPUTE_WON: Verdict.WON,
    PaymentOutcome.DISPUTE_LOST: Verdict.LOST,
}
"""The verdict that each outcome gives; a pending or failed payment has none."""


def find_payment(sub: Subscription, reported: PaymentReported) -> Payment | None:
    """The known payment of a report, or None. Of several matches the same id wins, then the granting payment."""
    known = sub.payments if sub.paid_by is None else (*sub.payments, sub.paid_by)
    matches = [payment for payment in known if payment.is_for(reported)]
    if len(matches) < 2:
        return matches[0] if matches else None
    return max(
        matches, key=lambda payment: (payment.payment_id == reported.payment_id, payment.is_same(sub.paid_by))
    )


def _set_verdict(sub: Subscription, reported: PaymentReported, at: datetime) -> Subscription:
    """The subscription with the verdict of a report, which must be the latest on its payment so far."""
    verdict = VERDICTS[reported.outcome]
    known = find_payment(sub, reported) or Payment(reported.payment_id, reported.period_start, verdict, at)
    free = reported.amount == 0 if verdict is Verdict.PAID else known.free
    judged = Payment(known.payment_id, known.period_start, verdict, at, free)
    payments = [payment for payment in sub.payments if not payment.is_same(known)]
    insort(payments, judged, key=_period_and_id)
    return sub._replace(
        payments=tuple(payments[-MAX_PAYMENTS:]), paid_by=judged if judged.is_same(sub.paid_by) else sub.paid_by
    )


def _period_and_id(payment: Payment) -> tuple[datetime, str]:
    return payment.period_start, payment.payment_id or ""


def apply_success(sub: Subscription, paid: PaymentReported, at: datetime, terms: Terms, key: Key) -> Step:
    """Apply a successful payment: the later period wins, and the status follows the table."""
    latest = latest_period(sub, at)
    judged = _set_paid_dates(_set_verdict(sub, paid, key.occurred_at), paid, key.occurred_at)
    if latest and paid.period_start < latest:
        return Step(judged)
    if _is_zero_invoice_of_trial(judged, paid):
        return Step(judged._replace(plan=paid.plan, period_start=paid.period_start, period_end=paid.period_end))
    return _grant(judged, paid, at, terms, key.cause, starts=_is_new_start(sub))


def _is_new_start(sub: Subscription) -> bool:
    """True if a success starts the subscription anew: from none, pending, expired or revoked."""
    return sub.shown_status not in LIVE or sub.status is Status.PENDING


def latest_period(sub: Subscription, at: datetime) -> datetime | None:
    """The start of the latest paid period, or None. A period that expired before it began will never come."""
    never_comes = not sub.period_counts and not _has_begun(sub, at)
    return None if never_comes else sub.period_start


def _set_paid_dates(sub: Subscription, paid: PaymentReported, occurred_at: datetime) -> Subscription:
    """Set the dates of the first and last payment; an amount of 0 is no payment of money."""
    if paid.amount == 0:
        return sub
    first = min(occurred_at, sub.first_paid_at or occurred_at)
    last = max(occurred_at, sub.last_paid_at or occurred_at)
    return sub._replace(first_paid_at=first, last_paid_at=last)


def _is_zero_invoice_of_trial(sub: Subscription, paid: PaymentReported) -> bool:
    """True for an amount of 0 for a period within the trial: it confirms the trial and does not convert it."""
    ends_within = sub.trial_ends_at is not None and paid.period_end <= sub.trial_ends_at
    return sub.status is Status.TRIALING and paid.amount == 0 and ends_within


def _grant(
    sub: Subscription, paid: PaymentReported, at: datetime, terms: Terms, cause: str, *, starts: bool
) -> Step:
    """Make the payment's plan and period the subscription's."""
    granted = sub._replace(
        plan=paid.plan,
        period_start=paid.period_start,
        period_end=paid.period_end,
        period_counts=True,
        paid_by=find_payment(sub, paid),
        granted_by=cause,
        replaced=_replaced(sub, paid, at),
        failing=False,
        after_trial=False,
        grace_until=None,
        resume_at=None,
        auto_renew=True if starts else sub.auto_renew,
        auto_renew_reason=None if starts else sub.auto_renew_reason,
        plan_change=None if _fulfils(sub, paid) else sub.plan_change,
        cancel_at=None if sub.cancel_at and paid.period_end > sub.cancel_at else sub.cancel_at,
    )
    trial_runs = sub.trial_counts and sub.trial_ends_at is not None and sub.trial_ends_at > at
    in_trial = sub.status is Status.PENDING and trial_runs
    happening = Happening.SUCCEEDED_IN_TRIAL if in_trial else Happening.PAYMENT_SUCCEEDED
    moved = move(granted, happening, at, terms).subscription
    kinds = _moments_of_success(sub, moved, starts=starts)
    return Step(moved, tuple(moment(kind, sub, at, cause) for kind in kinds))


def _fulfils(sub: Subscription, paid: PaymentReported) -> bool:
    """True if the payment is for the plan of the scheduled plan change."""
    return sub.plan_change is not None and sub.plan_change.to_plan == paid.plan


def _replaced(sub: Subscription, paid: PaymentReported, at: datetime) -> tuple[Replaced, ...]:
    """The states that refunds would restore while the paid period has not begun."""
    if paid.period_start <= at:
        return ()
    if paid.period_start == sub.period_start:
        return sub.replaced
    replaced = Replaced(*(getattr(sub, field) for field in Replaced._fields))
    return (*(() if _has_begun(sub, at) else sub.replaced), replaced)[-MAX_PAYMENTS:]


def _has_begun(sub: Subscription, at: datetime) -> bool:
    return sub.period_start is None or sub.period_start <= at


def _moments_of_success(before: Subscription, after: Subscription, *, starts: bool) -> list[MomentKind]:
    """The moments of a success, by the state before it; paying for an active period again is no renewal."""
    same_period = (before.period_start, before.period_end) == (after.period_start, after.period_end)
    kinds = []
    if starts:
        kinds.append(MomentKind.ACTIVATED)
    elif before.status is Status.TRIALING or before.after_trial:
        kinds.append(MomentKind.TRIAL_CONVERTED)
    elif before.failing:
        kinds.append(MomentKind.PAYMENT_RECOVERED)
    elif not (same_period and before.status is Status.ACTIVE):
        kinds.append(MomentKind.RENEWED)
    if not starts and before.plan != after.plan:
        kinds.append(MomentKind.PLAN_CHANGED)
    return kinds


def record_verdict(sub: Subscription, reported: PaymentReported, at: datetime, terms: Terms, key: Key) -> Step:
    """Apply a verdict on a payment. A partial refund changes nothing: it is a fact for reports."""
    if reported.partial and reported.outcome is PaymentOutcome.REFUNDED:
        return Step(sub)
    judged = _set_verdict(sub, reported, key.occurred_at)
    refunded = reported.outcome is PaymentOutcome.REFUNDED
    moments = (moment(MomentKind.REFUNDED, sub, at, key.cause),) if refunded else ()
    if _is_reinstated(sub, reported):
        return _grant(judged, reported, at, terms, key.cause, starts=_is_new_start(sub))
    return Step(_restore_replaced(judged, at), moments)


def _is_reinstated(sub: Subscription, reported: PaymentReported) -> bool:
    """True if the money for a period not yet begun was withdrawn, and this report says that it is back."""
    known = find_payment(sub, reported)
    stands = VERDICTS[reported.outcome] not in WITHDRAWN and reported.outcome is not PaymentOutcome.DISPUTED
    withdrawn = known is not None and known.verdict in WITHDRAWN
    return stands and withdrawn and (sub.period_start is None or reported.period_start > sub.period_start)


def _restore_replaced(sub: Subscription, at: datetime) -> Subscription:
    """Restore the period before the current one while the current one is withdrawn and has not begun.

    A pause that fell due in between goes on.
    """
    while sub.replaced and sub.shown_status is Status.REVOKED and not _has_begun(sub, at):
        *earlier, before = sub.replaced
        paid_by = next((p for p in sub.payments if p.is_same(before.paid_by)), before.paid_by)
        pause = {name: getattr(sub, name) for name in ("status", "since", "resume_at")}
        restored = before._asdict() | (pause if sub.status is Status.PAUSED else {})
        sub = sub._replace(**restored | {"paid_by": paid_by, "replaced": tuple(earlier)})
    return sub
