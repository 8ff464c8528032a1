"""Verdicts on payments: refunds, disputes and extensions, also those that come before their payment."""

from datetime import datetime

from shared.domain.events import PaymentOutcome, PaymentReported
from shared.domain.grants import Dispute, DisputeState, Grant, Refund
from shared.domain.instants import BEGINNING_OF_TIME
from shared.domain.ledger import find, replace
from shared.domain.moments import MomentKind
from shared.domain.subscription import Subscription, Verdict
from shared.domain.transitions import Effect

MAX_WAITING = 8
"""The most verdicts kept whose payment is not known yet."""
_DISPUTES = {
    PaymentOutcome.DISPUTED: DisputeState.OPEN,
    PaymentOutcome.DISPUTE_WON: DisputeState.WON,
    PaymentOutcome.DISPUTE_LOST: DisputeState.LOST,
}
_ORDER = {DisputeState.OPEN: 0, DisputeState.LOST: 1, DisputeState.WON: 2}
"""The order of dispute states at one instant."""


def apply_verdict(sub: Subscription, reported: PaymentReported, occurred_at: datetime) -> Effect:
    """Apply a verdict on a payment; one whose payment is not known waits for it.

    A partial refund, or one that leaves the user the time, changes nothing: it is a fact for reports.
    """
    refunded = reported.outcome is PaymentOutcome.REFUNDED
    if refunded and (reported.partial or reported.keeps_access):
        return Effect(sub)
    grant = _judged_payment(sub, reported, occurred_at)
    if grant is None:
        return Effect(_wait(sub, reported, occurred_at))
    judged = _judge(grant, reported.outcome, occurred_at)
    is_news = refunded and not (grant.refund and grant.refund.gone)
    changed = _undo_conversion(replace(sub, grant, judged), judged)
    return Effect(changed, (MomentKind.REFUNDED,) if is_news else ())


def _judged_payment(sub: Subscription, reported: PaymentReported, occurred_at: datetime) -> Grant | None:
    """The payment that a verdict is about. One found by its period alone must not be newer than the verdict."""
    grant = find(sub, reported)
    if grant is None or (reported.payment_id and grant.payment_id == reported.payment_id):
        return grant
    return grant if grant.at <= occurred_at else None


def _undo_conversion(sub: Subscription, judged: Grant) -> Subscription:
    """Let the trial run on that a payment was to convert, if its money went back before its period began."""
    trial, withdrawn_at = sub.trial, judged.withdrawn_at
    if trial is None or withdrawn_at is None or withdrawn_at >= judged.start or trial.cut != judged.start:
        return sub
    return sub._replace(trial=trial._replace(cut=None))


def _judge(grant: Grant, outcome: PaymentOutcome, at: datetime) -> Grant:
    """The grant with a verdict, unless a later one of the same kind is known.

    At one instant, lost comes before won and refunded before reversed. A dispute that was lost is not open again.
    """
    if outcome not in _DISPUTES:
        refund, refunded = Refund(at, gone=outcome is PaymentOutcome.REFUNDED), grant.refund
        is_old = refunded is not None and (refunded.at, not refunded.gone) > (at, not refund.gone)
        return grant if is_old else grant._replace(refund=refund)
    dispute, known = Dispute(at, _DISPUTES[outcome]), grant.dispute
    if known is None:
        return grant._replace(dispute=dispute)
    is_old = (known.at, _ORDER[known.state]) > (at, _ORDER[dispute.state])
    is_reopened = (known.state, dispute.state) == (DisputeState.LOST, DisputeState.OPEN)
    return grant if is_old or is_reopened else grant._replace(dispute=dispute)


def apply_extension(sub: Subscription, extended: PaymentReported, at: datetime, occurred_at: datetime) -> Effect:
    """Move the end of a payment's period. Only a later end counts, of a payment that stands and was not cut.

    Without an id and the start of a period it is about the current payment.
    """
    end = extended.period_end
    names_payment = extended.payment_id or extended.period_start
    grant = _judged_payment(sub, extended, occurred_at) if names_payment else sub.current
    if grant is None:
        return Effect(_wait(sub, extended, occurred_at))
    if end is None or end <= grant.end or grant.cut or not grant.stands:
        return Effect(sub)
    moved = replace(sub, grant, grant._replace(end=end))
    return Effect(moved._replace(failed_at=None, told_grace=None) if end > at else moved)


def _wait(sub: Subscription, reported: PaymentReported, occurred_at: datetime) -> Subscription:
    """The subscription with a verdict that waits for its payment."""
    new_end = reported.period_end if reported.outcome is PaymentOutcome.EXTENDED else None
    verdict = Verdict(reported.payment_id, reported.period_start, reported.outcome, occurred_at, new_end)
    waiting = sorted({*sub.waiting, verdict}, key=_by_time)
    return sub._replace(waiting=tuple(waiting[-MAX_WAITING:]))


def _by_time(verdict: Verdict) -> tuple[datetime, str, str, datetime, datetime]:
    """The order of verdicts: by time; the rest makes it the same for every order of arrival."""
    start, end = verdict.period_start or BEGINNING_OF_TIME, verdict.period_end or BEGINNING_OF_TIME
    return verdict.at, verdict.outcome, verdict.payment_id or "", start, end


def with_waiting_verdicts(grant: Grant, waiting: tuple[Verdict, ...]) -> tuple[Grant, tuple[Verdict, ...]]:
    """The grant of a new payment with the verdicts that waited for it, and those that wait on."""
    found = [verdict for verdict in waiting if _is_about(verdict, grant)]
    for verdict in found:
        if verdict.outcome is PaymentOutcome.EXTENDED:
            grant = grant._replace(end=max(grant.end, verdict.period_end or grant.end))
        else:
            grant = _judge(grant, verdict.outcome, verdict.at)
    return grant, tuple([verdict for verdict in waiting if verdict not in found])


def _is_about(verdict: Verdict, grant: Grant) -> bool:
    """True if a verdict is about this payment. Without an id it must be later than the payment."""
    if verdict.payment_id and grant.payment_id:
        return verdict.payment_id == grant.payment_id
    return verdict.period_start == grant.start and grant.at <= verdict.at
