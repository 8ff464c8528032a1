"""A successful payment: its time enters the ledger."""

from datetime import datetime
from typing import Any

from shared.domain.events import PaymentReported
from shared.domain.grants import Grant, GrantKind, is_zero_invoice
from shared.domain.ledger import find, replace
from shared.domain.moments import MomentKind
from shared.domain.overtaking import lift_renewal, overtake
from shared.domain.subscription import LIVE, Status, Subscription
from shared.domain.transitions import Effect
from shared.domain.verdicts import with_waiting_verdicts


def apply_success(sub: Subscription, paid: PaymentReported, at: datetime, occurred_at: datetime) -> Effect:
    """Apply a successful payment: its time enters the ledger, and what was said before it is overtaken.

    A success for a time gone by is a fact alone, as is one whose money has gone back already.
    """
    grant = _grant_of(paid, occurred_at)
    if known := _told_before(sub, paid):
        return Effect(_tell_again(sub._replace(**_paid_dates(sub, grant)), known, paid, grant, at))
    settles = _settles_cancelled_time(sub, paid, grant)
    grant = _within_cut(sub, grant)
    if paid.auto_renew is False or settles:
        grant = grant._replace(renews=False)
    grant, waiting = with_waiting_verdicts(grant, sub.waiting)
    added = sub._replace(grants=(*sub.grants, grant), waiting=waiting, **_paid_dates(sub, grant))
    is_of_trial = sub.trial is not None and sub.trial.covers(grant.start) and is_zero_invoice(grant, sub.trial)
    if grant.until <= at or not grant.stands or is_of_trial:
        return Effect(added)
    overtaken = overtake(_convert_trial(added, grant), sub, grant, at)
    if not settles:
        overtaken = lift_renewal(overtaken, paid, grant, new_life=_is_new_life(sub))
    return Effect(overtaken, _kinds_of_success(sub, grant, at))


def _grant_of(paid: PaymentReported, occurred_at: datetime) -> Grant:
    """The grant of a success. Raises `ValueError` for one without plan or period, which the contract refuses."""
    if not (paid.plan and paid.period_start and paid.period_end):
        raise ValueError("a successful payment has a plan and a period")
    return Grant(
        GrantKind.PAYMENT,
        paid.period_start,
        paid.period_end,
        occurred_at,
        paid.plan,
        paid.amount or 0,
        paid.payment_id,
        currency=paid.currency,
    )


def _told_before(sub: Subscription, paid: PaymentReported) -> Grant | None:
    """The payment that a success tells again: of the same id, or, where an id lacks, for the same period.

    An amount of 0 from the same start is the same payment with its end moved. Without ids, a success after a
    refund pays again.
    """
    known = find(sub, paid)
    if known is None or (known.payment_id and known.payment_id == paid.payment_id):
        return known
    if not known.stands:
        return None
    same_period = known.end == paid.period_end or (paid.amount == 0 and known.plan == paid.plan)
    return known if same_period else None


def _tell_again(
    sub: Subscription, known: Grant, paid: PaymentReported, grant: Grant, at: datetime
) -> Subscription:
    """The subscription with a known payment told again: it takes no time and lifts no cut; a later end counts."""
    told = known._replace(
        start=min(known.start, grant.start),
        end=max(known.end, grant.end),
        plan=grant.plan,
        amount=grant.amount or known.amount,
        currency=grant.currency if grant.amount or not known.amount else known.currency,
        payment_id=known.payment_id or grant.payment_id,
        renews=known.renews if paid.auto_renew is None else paid.auto_renew,
    )
    changed = replace(sub, known, told)
    is_longer = told.stands and told.until > max(at, known.until)
    return changed._replace(failed_at=None, told_grace=None) if is_longer else changed


def _within_cut(sub: Subscription, grant: Grant) -> Grant:
    """The grant as a cancellation leaves it: one said after it, or one of which it is the closing invoice of 0."""
    cut = sub.cut
    if cut is None:
        return grant
    is_closing_invoice = grant.plan == cut.plan and grant.amount == 0 and grant.start <= cut.at
    return grant._replace(cut=min(grant.end, cut.at)) if grant.at < cut.at or is_closing_invoice else grant


def _settles_cancelled_time(sub: Subscription, paid: PaymentReported, grant: Grant) -> bool:
    """True for a payment of time that began before the cancellation: it covers, and does not renew."""
    cut = sub.cut
    return cut is not None and grant.plan == cut.plan and grant.start < cut.at and not paid.auto_renew


def _is_new_life(sub: Subscription) -> bool:
    """True if a success starts the subscription anew, since nothing runs, waits or can recover."""
    if sub.status is Status.PENDING:
        return not (_goes_on(sub) or any(grant.stands for grant in sub.grants))
    return sub.status not in LIVE


def _goes_on(sub: Subscription) -> bool:
    """True if the time that ran out last may still be renewed: no end for good came after it."""
    current, as_of = sub.current, sub.as_of
    if current is None or as_of is None or current.start > as_of:
        return False
    return sub.ended_at is None or current.until > sub.ended_at


def _paid_dates(sub: Subscription, grant: Grant) -> dict[str, Any]:
    """The dates of the first and the last payment, as changes; an amount of 0 is no payment of money."""
    if not grant.amount:
        return {}
    first = min(grant.at, sub.first_paid_at or grant.at)
    last = max(grant.at, sub.last_paid_at or grant.at)
    return {"first_paid_at": first, "last_paid_at": last}


def _convert_trial(sub: Subscription, grant: Grant) -> Subscription:
    """End the trial where a paid period begins, if the trial is current then, so that it covers no failure.

    Its zero invoices end with it.
    """
    trial, begins = sub.trial, max(grant.start, grant.at)
    if trial is None or not trial.covers(begins) or is_zero_invoice(grant, trial):
        return sub
    others = [other for other in sub.grants if other.stands and other is not grant and other.covers(begins)]
    if any(not is_zero_invoice(other, trial) for other in others):
        return sub
    grants = [other._replace(cut=begins) if other in others else other for other in sub.grants]
    return sub._replace(trial=trial._replace(cut=begins), grants=tuple(grants))


def _kinds_of_success(before: Subscription, grant: Grant, at: datetime) -> tuple[MomentKind, ...]:
    """The moments of a success, by the state before it; to pay again for a period is no renewal."""
    current = before.current
    if before.status not in LIVE or (before.status is Status.PENDING and not _goes_on(before)):
        return (MomentKind.ACTIVATED,) if grant.covers(at) else ()
    if current and current.is_trial:
        return (MomentKind.TRIAL_CONVERTED,)
    if before.failing:
        return (MomentKind.PAYMENT_RECOVERED,)
    if current and before.status is Status.ACTIVE and not _is_news(grant, current):
        return ()
    return (MomentKind.RENEWED,)


def _is_news(grant: Grant, current: Grant) -> bool:
    """True for a period that is neither the current one nor an earlier one."""
    return grant.start >= current.start and (grant.start, grant.end) != (current.start, current.end)
