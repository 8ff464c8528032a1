"""The effect of each event on a subscription: the facts that it sets, and the moments that it brings."""

from datetime import datetime
from typing import assert_never

from shared.domain.events import (
    NO_PURCHASE,
    ErasureRequested,
    Event,
    FeedbackGiven,
    OfferRequested,
    PaymentOutcome,
    PaymentReported,
    Purchase,
    Signal,
    SignalSeen,
    TimePassed,
    TrialStarted,
)
from shared.domain.failures import apply_failure, begin_pending
from shared.domain.grants import Grant, GrantKind
from shared.domain.moments import MomentKind
from shared.domain.schedules import cancel
from shared.domain.settling import settle
from shared.domain.subscription import (
    LIVE,
    Cancellation,
    Cut,
    PlanChange,
    PriceIncrease,
    Renewal,
    Said,
    ScheduledPause,
    Status,
    Subscription,
)
from shared.domain.successes import apply_success
from shared.domain.terms import Terms
from shared.domain.transitions import Effect, Step, moment, moments_between, with_beginnings
from shared.domain.verdicts import apply_extension, apply_verdict


def react(sub: Subscription, event: Event, at: datetime, terms: Terms) -> Step:
    """Apply an event to a subscription whose deadlines before `at` have been passed.

    `at` is the instant at which the event takes effect: its `occurred_at`, or the base's mark for a late event.
    """
    changed, kinds = _effect(sub, event, at, terms)
    settled, cause = settle(changed, at, terms), event.key.cause
    own = [moment(kind, sub, at, cause) for kind in kinds]
    if settled.status is Status.TRIALING is not sub.status:
        if isinstance(event.fact, TrialStarted):
            own.append(moment(MomentKind.TRIAL_STARTED, sub, at, cause))
        elif sub.status is Status.ACTIVE:  # the money of the payment went back behind which the trial waited
            own.append(moment(MomentKind.TRIAL_STARTED, settled, at))
    step = Step(settled, (*own, *moments_between(sub, settled, at, cause)))
    return with_beginnings(sub, step, at)


def _effect(sub: Subscription, event: Event, at: datetime, terms: Terms) -> Effect:
    """The facts that an event sets, and the moments that it brings by itself."""
    match event.fact:
        case TrialStarted() as trial:
            return Effect(_start_trial(_with_purchase(sub, trial.purchase), trial, event.occurred_at))
        case PaymentReported() as payment:
            return _apply_payment(_with_purchase(sub, payment.purchase), payment, at, terms, event.occurred_at)
        case SignalSeen() as signal:
            return _apply_signal(sub, signal, at, event.occurred_at)
        case FeedbackGiven() | OfferRequested() | ErasureRequested() | TimePassed():
            return Effect(sub)
        case other:
            assert_never(other)


def _apply_payment(
    sub: Subscription, payment: PaymentReported, at: datetime, terms: Terms, occurred_at: datetime
) -> Effect:
    match payment.outcome:
        case PaymentOutcome.SUCCEEDED:
            return apply_success(sub, payment, at, occurred_at)
        case PaymentOutcome.PENDING:
            return begin_pending(sub, payment, terms, occurred_at)
        case PaymentOutcome.FAILED:
            return apply_failure(sub, payment, at, occurred_at)
        case PaymentOutcome.EXTENDED:
            return apply_extension(sub, payment, at, occurred_at)
        case _:
            return apply_verdict(sub, payment, occurred_at)


def _with_purchase(sub: Subscription, given: Purchase) -> Subscription:
    """The subscription with the facts about its purchase that an event gives; others stay as they are."""
    if given == NO_PURCHASE:
        return sub
    news = {name: value for name, value in given._asdict().items() if value is not None}
    return sub._replace(purchase=sub.purchase._replace(**news))


def _start_trial(sub: Subscription, trial: TrialStarted, occurred_at: datetime) -> Subscription:
    """Start a trial in place of the one before it. While paid time runs, it waits behind it."""
    grant = Grant(
        GrantKind.TRIAL,
        occurred_at,
        trial.trial_ends_at,
        occurred_at,
        trial.plan,
        renews=trial.auto_renew is not False,
    )
    is_new = sub.status not in LIVE or (sub.plan is not None and trial.plan != sub.plan)
    is_off_still = sub.renewal is not None and not sub.renewal.on and trial.auto_renew is False
    is_lifted = (is_new or trial.auto_renew is not None) and not is_off_still
    return sub._replace(
        trial=grant,
        renewal=None if is_lifted else sub.renewal,
        pause=None,
        cut=None,
        failed_at=None,
        told_grace=None,
        resumed_at=None,
    )


def _apply_signal(sub: Subscription, signal: SignalSeen, at: datetime, occurred_at: datetime) -> Effect:
    """Apply a signal about the subscription."""
    match signal.kind:
        case Signal.AUTO_RENEW_OFF:
            return _turn_off(sub, signal, occurred_at)
        case Signal.AUTO_RENEW_ON:
            return _turn_on(sub, occurred_at)
        case Signal.CANCELLED:
            return Effect(_cancel(sub, signal, at, occurred_at))
        case Signal.PRICE_INCREASE_PENDING | Signal.PRICE_INCREASE_DECLINED | Signal.PRICE_INCREASE_ACCEPTED:
            return Effect(_note_price_increase(sub, signal))
        case _:
            return Effect(_schedule(sub, signal, at, occurred_at) if sub.live else sub)


def _schedule(sub: Subscription, signal: SignalSeen, at: datetime, occurred_at: datetime) -> Subscription:
    """Apply a signal that schedules, changes or undoes something of a live subscription."""
    match signal.kind:
        case Signal.PAUSE_SCHEDULED:
            pause = ScheduledPause(signal.effective_at, signal.resume_at, occurred_at)
            return sub._replace(scheduled_pause=pause)
        case Signal.RESUMED:
            resumed_at = at if sub.pause else sub.resumed_at
            return sub._replace(scheduled_pause=None, pause=None, resumed_at=resumed_at)
        case Signal.PLAN_CHANGED:
            return _schedule_plan(sub, signal, signal.effective_at or occurred_at, occurred_at)
        case Signal.PLAN_CHANGE_SCHEDULED | Signal.DOWNGRADE_SCHEDULED:
            return _schedule_plan(sub, signal, signal.effective_at, occurred_at)
        case Signal.PLAN_CHANGE_UNDONE:
            return sub._replace(plan_change=None)
        case _:
            return sub


def _turn_off(sub: Subscription, signal: SignalSeen, occurred_at: datetime) -> Effect:
    """Turn auto-renew off. Said in the instant of a purchase it describes the purchase, and is no moment."""
    described = _bought_in_this_instant(sub, occurred_at)
    if described is not sub:
        return Effect(described._replace(renewal=None))
    off = Renewal(
        on=False,
        by=Said.USER,
        at=occurred_at,
        in_grace=sub.status is Status.GRACE,
        reason=signal.reason,
        reason_code=signal.reason_code,
    )
    is_news = sub.live and sub.auto_renew
    return Effect(sub._replace(renewal=off), (MomentKind.AUTO_RENEW_OFF,) if is_news else ())


def _bought_in_this_instant(sub: Subscription, occurred_at: datetime) -> Subscription:
    """The subscription whose purchases of this very instant do not renew; the same one if there are none."""
    trial = sub.trial
    if trial and trial.at == occurred_at:
        sub = sub._replace(trial=trial._replace(renews=False))
    if any(grant.at == occurred_at for grant in sub.grants):
        grants = [grant._replace(renews=False) if grant.at == occurred_at else grant for grant in sub.grants]
        sub = sub._replace(grants=tuple(grants))
    return sub


def _turn_on(sub: Subscription, occurred_at: datetime) -> Effect:
    """Turn auto-renew on, and drop a cancellation to come."""
    on = sub._replace(renewal=Renewal(on=True, by=Said.USER, at=occurred_at), cancellation=None)
    is_news = sub.live and not sub.auto_renew
    return Effect(on, (MomentKind.AUTO_RENEW_ON,) if is_news else ())


def _note_price_increase(sub: Subscription, signal: SignalSeen) -> Subscription:
    """Note a price increase, or the user's answer to it: a fact for reports and audiences."""
    consent = signal.kind.value.removeprefix("price_increase_")
    if signal.kind is Signal.PRICE_INCREASE_PENDING:
        return sub._replace(
            price_increase=PriceIncrease(consent, signal.price, signal.effective_at, signal.agree_until)
        )
    known = sub.price_increase or PriceIncrease(consent)
    return sub._replace(price_increase=known._replace(consent=consent))


def _cancel(sub: Subscription, signal: SignalSeen, at: datetime, occurred_at: datetime) -> Subscription:
    """Cancel at once, or schedule the cancellation if `effective_at` lies ahead.

    What is over stays as it is, but from then on its closing invoice brings it back no more.
    """
    is_ahead = signal.effective_at is not None and signal.effective_at > at
    if sub.status is Status.NONE or (sub.status is Status.EXPIRED and is_ahead):
        return sub
    if sub.status is Status.EXPIRED:
        return sub._replace(cut=Cut(at, sub.plan))
    asked = Cancellation(signal.effective_at or at, occurred_at, signal.reason, signal.reason_code)
    return sub._replace(cancellation=asked) if is_ahead else cancel(sub, asked, at)


def _schedule_plan(
    sub: Subscription, signal: SignalSeen, effective_at: datetime | None, occurred_at: datetime
) -> Subscription:
    """Schedule a plan change, in place of any other. One without a plan says nothing."""
    if signal.to_plan is None:
        return sub
    return sub._replace(plan_change=PlanChange(signal.to_plan, effective_at, occurred_at))
