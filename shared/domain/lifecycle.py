"""The effect of each event on a subscription: the facts it sets, and its happening in the status machine."""

from datetime import datetime

from shared.domain.events import Event, PaymentOutcome, PaymentReported, Signal, SignalSeen, TrialStarted
from shared.domain.machine import Happening, Step, as_of, covered_until, moment, move
from shared.domain.moments import MomentKind
from shared.domain.payments import apply_success, latest_period, record_verdict
from shared.domain.subscription import LIVE, Pause, PlanChange, Status, Subscription
from shared.domain.terms import Terms


def react(sub: Subscription, event: Event, at: datetime, terms: Terms) -> Step:
    """Apply an event to a subscription whose deadlines before `at` have been passed.

    `at` is the instant at which the event takes effect: its `occurred_at`, or the base's mark for a late event.
    """
    match event.fact:
        case TrialStarted() as trial:
            step = _start_trial(sub, trial, at, terms, event.key.cause)
        case PaymentReported(outcome=PaymentOutcome.PENDING) as payment:
            step = _apply_pending_payment(sub, payment, at, terms, event.key.cause)
        case PaymentReported(outcome=PaymentOutcome.SUCCEEDED) as payment:
            step = apply_success(sub, payment, at, terms, event.key)
        case PaymentReported(outcome=PaymentOutcome.FAILED) as payment:
            step = _apply_failure(sub, payment, at, terms, event.key.cause)
        case PaymentReported() as payment:
            step = record_verdict(sub, payment, at, terms, event.key)
        case SignalSeen() as signal:
            step = _apply_signal(sub, signal, at, terms, event.key.cause)
        case _:
            step = Step(sub)
    return _hide_if_revoked(Step(as_of(step.subscription, at), step.moments))


def _hide_if_revoked(step: Step) -> Step:
    """Drop every moment but `refunded` while `revoked` is shown: the machine runs on without announcing it."""
    if step.subscription.shown_status is not Status.REVOKED:
        return step
    return Step(step.subscription, tuple(m for m in step.moments if m.kind is MomentKind.REFUNDED))


def _start_trial(sub: Subscription, trial: TrialStarted, at: datetime, terms: Terms, cause: str) -> Step:
    """Start a trial. While the subscription is live, a trial start only sets the trial's end."""
    invoiced = _has_only_zero_invoice(sub, trial)
    if sub.status in LIVE and not invoiced:
        return Step(_set_trial_end(sub, trial, cause))
    begun = _start_anew(sub)._replace(
        plan=trial.plan,
        trial_ends_at=trial.trial_ends_at,
        trial_counts=True,
        auto_renew=trial.auto_renew,
        granted_by=cause,
    )
    started = move(begun, Happening.TRIAL_INVOICED if invoiced else Happening.TRIAL_STARTED, at, terms)
    return Step(started.subscription, (moment(MomentKind.TRIAL_STARTED, sub, at, cause),))


def _has_only_zero_invoice(sub: Subscription, trial: TrialStarted) -> bool:
    """True if the current period is only the trial's own zero invoice, which came before the trial's start."""
    free = sub.paid_by is not None and sub.paid_by.free
    ends_within = sub.period_end is not None and sub.period_end <= trial.trial_ends_at
    return sub.status is Status.ACTIVE and free and ends_within


def _set_trial_end(sub: Subscription, trial: TrialStarted, cause: str) -> Subscription:
    """Set the trial's end as a fact: it extends a running trial, and a running grace ends no earlier."""
    ends_at = trial.trial_ends_at
    extends = sub.status is Status.TRIALING and ends_at != sub.trial_ends_at
    grace_until = max(sub.grace_until or ends_at, ends_at) if sub.status is Status.GRACE else sub.grace_until
    granted_by = cause if extends else sub.granted_by
    return sub._replace(trial_ends_at=ends_at, trial_counts=True, granted_by=granted_by, grace_until=grace_until)


def _start_anew(sub: Subscription) -> Subscription:
    """The subscription at a first or new start: schedules and grants of its earlier life no longer count."""
    return sub._replace(
        paid_by=None, period_counts=False, grace_until=None, after_trial=False, auto_renew_reason=None, replaced=()
    )


def _apply_pending_payment(
    sub: Subscription, payment: PaymentReported, at: datetime, terms: Terms, cause: str
) -> Step:
    """Apply a pending first payment. While the subscription is live, a pending payment changes nothing."""
    if sub.status in LIVE:
        return Step(sub)
    waiting = _start_anew(sub)._replace(plan=payment.plan, granted_by=cause)
    return move(waiting, Happening.PAYMENT_PENDING, at, terms)


def _apply_failure(sub: Subscription, payment: PaymentReported, at: datetime, terms: Terms, cause: str) -> Step:
    """Apply a failed payment. No failure takes paid time or trial time."""
    latest = latest_period(sub, at)
    already_paid = latest is not None and payment.period_start <= latest
    if already_paid or sub.status not in LIVE:
        return Step(sub)
    covered = covered_until(sub)
    grace_until = sub.grace_until
    if payment.grace_until:
        grace_until = max(payment.grace_until, covered or payment.grace_until)
    failing = sub._replace(failing=True, grace_until=grace_until)
    failed = moment(MomentKind.PAYMENT_FAILED, sub, at, cause)
    if covered and covered > at:
        step = _apply_final_failure_while_covered(failing, at, terms, cause) if payment.final else Step(failing)
    else:
        happening = Happening.FAILED_FOR_GOOD if payment.final else Happening.PAYMENT_FAILED
        step = move(failing, happening, at, terms)
    return Step(step.subscription, (failed, *step.moments))


def _apply_final_failure_while_covered(sub: Subscription, at: datetime, terms: Terms, cause: str) -> Step:
    """Apply a final failure while granted time still runs: turn auto-renew off, because no retry will come.

    A pending first payment falls back to its trial.
    """
    step = _set_auto_renew(sub, on=False, reason="billing", at=at, cause=cause)
    moved = move(step.subscription, Happening.FAILED_IN_TRIAL, at, terms)
    return Step(moved.subscription, step.moments + moved.moments)


def _set_auto_renew(sub: Subscription, *, on: bool, reason: str | None, at: datetime, cause: str) -> Step:
    """Turn auto-renew on or off. Repeating the present value brings no moment."""
    turned = sub._replace(auto_renew=on, auto_renew_reason=reason, cancel_at=None if on else sub.cancel_at)
    if sub.auto_renew == on or sub.status not in LIVE:
        return Step(turned)
    kind = MomentKind.AUTO_RENEW_ON if on else MomentKind.AUTO_RENEW_OFF
    return Step(turned, (moment(kind, sub, at, cause),))


def _apply_signal(sub: Subscription, signal: SignalSeen, at: datetime, terms: Terms, cause: str) -> Step:
    """Apply a signal about the subscription. Price consent is only a fact for reports and audiences."""
    match signal.kind:
        case Signal.AUTO_RENEW_OFF:
            off = _set_auto_renew(sub, on=False, reason=signal.reason, at=at, cause=cause)
            moved = move(off.subscription, Happening.AUTO_RENEW_OFF, at, terms)
            return Step(moved.subscription, off.moments + moved.moments)
        case Signal.AUTO_RENEW_ON:
            return _set_auto_renew(sub, on=True, reason=None, at=at, cause=cause)
        case Signal.PRICE_INCREASE_DECLINED:
            return Step(sub._replace(price_consent="declined"))
        case Signal.PRICE_INCREASE_ACCEPTED:
            return Step(sub._replace(price_consent="accepted"))
        case _ if sub.status not in LIVE:
            return Step(sub)
        case Signal.CANCELLED:
            return _cancel(sub, signal, at, terms)
        case Signal.PAUSE_SCHEDULED:
            return Step(sub._replace(pause=Pause(signal.effective_at, signal.resume_at)))
        case Signal.RESUMED:
            undone = sub._replace(pause=None)
            return move(undone, Happening.RESUMED, at, terms)
        case Signal.DOWNGRADE_SCHEDULED:
            return Step(sub._replace(plan_change=PlanChange(signal.to_plan, signal.effective_at)))
        case Signal.PLAN_CHANGE_UNDONE:
            return Step(sub._replace(plan_change=None))
        case _:
            return Step(sub)


def _cancel(sub: Subscription, signal: SignalSeen, at: datetime, terms: Terms) -> Step:
    """Cancel at once, or schedule the cancellation if `effective_at` lies ahead."""
    if signal.effective_at and signal.effective_at > at:
        return Step(sub._replace(cancel_at=signal.effective_at))
    return move(sub, Happening.CANCELLED, at, terms)
