"""The ring's rows: recent events as plain JSON, so that loading a document costs nothing until one is needed."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from shared.domain.events import (
    NO_PURCHASE,
    Event,
    Key,
    Ownership,
    PaymentOutcome,
    PaymentReported,
    Purchase,
    ReasonCode,
    Signal,
    SignalSeen,
    TrialStarted,
)
from shared.domain.instants import from_micros, to_micros

Row = tuple[Any, ...]
"""One event: the columns below, then the columns of its fact, all of them plain JSON values."""
RingFact = TrialStarted | PaymentReported | SignalSeen
"""The facts that the ring holds: those that bear on the status."""

OCCURRED_AT, TOPIC, SOURCE, EVENT_ID, SUBSCRIPTION_ID, DIGEST, ORDER = range(7)
"""The columns before the fact; the first is in microseconds since 1970 UTC."""
KEY = slice(OCCURRED_AT, SUBSCRIPTION_ID)
"""The columns of the key."""
FACT = slice(ORDER + 1, None)
"""The columns of the fact, starting with its kind. Trailing columns that are None are left out."""

TRIAL, PAYMENT, SIGNAL = "trial", "payment", "signal"
"""The kinds of facts, as the first column of a fact names them."""
RANKS: tuple[str, ...] = (
    Signal.CANCELLED,
    TRIAL,
    PaymentOutcome.PENDING,
    PaymentOutcome.FAILED,
    PaymentOutcome.SUCCEEDED,
    PaymentOutcome.EXTENDED,
    PaymentOutcome.DISPUTED,
    PaymentOutcome.REFUNDED,
    PaymentOutcome.DISPUTE_LOST,
    PaymentOutcome.REFUND_REVERSED,
    PaymentOutcome.DISPUTE_WON,
    Signal.AUTO_RENEW_OFF,
    Signal.AUTO_RENEW_ON,
    Signal.PAUSE_SCHEDULED,
    Signal.RESUMED,
)
"""The order of the kinds of events at one instant; all others come after them.

A swap ends the old plan and pays for the new one in the same second; a gift says in the second of its purchase
that it does not renew.
"""
_RANK_OF = {str(kind): number for number, kind in enumerate(RANKS)}


def _micros(instant: datetime | None) -> int | None:
    return None if instant is None else to_micros(instant)


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


def place_of(row: Row) -> Row:
    """The place of a row among the others: its instant, the order within the instant, and its identity.

    Within an instant the rank of the kind decides, then the producer's `order`, then the content.
    """
    occurred_at, *identity = row[KEY]
    kind, content = _order_of(row[FACT])
    return (occurred_at, _RANK_OF.get(kind, len(RANKS)), row[ORDER], *content, *identity)


def _order_of(fact: Row) -> tuple[str, Row]:
    """The kind of a fact as `RANKS` has it, and its order among others of that kind: times, plan and amount."""
    match fact:
        case ("payment", outcome, plan, amount, _, start, end, *_):
            return outcome, (start or 0, end or 0, plan or "", amount or 0)
        case ("trial", plan, ends, *_):
            return TRIAL, (ends, 0, plan, 0)
        case ("signal", kind, *rest):
            effective_at, to_plan = (rest[1] if len(rest) > 1 else 0), (rest[3] if len(rest) > 3 else "")
            return kind, (effective_at or 0, 0, to_plan or "", 0)
        case columns:
            raise ValueError(f"not a row of the ring: it has {len(columns)} columns after the order")


def key_of(row: Row) -> Key:
    """The key in the first columns of a row."""
    occurred_at, topic, source, event_id = row[KEY]
    return Key(from_micros(occurred_at), topic, source, event_id)


def to_row(event: Event) -> Row:
    """An event as a row. Raises `TypeError` for a kind of fact that the ring does not hold."""
    occurred_at, topic, source, event_id = event.key
    about = (to_micros(occurred_at), topic, source, event_id, event.subscription_id, event.digest, event.order)
    return (*about, *_trimmed(_columns(event.fact)))


def from_row(row: Row, user_id: str) -> Event:
    """The event of a row, without its profile, which was merged on arrival and is not kept."""
    return Event(key_of(row), user_id, row[SUBSCRIPTION_ID], fact_of(row), row[DIGEST], order=row[ORDER])


def _trimmed(columns: Row) -> Row:
    """The columns without trailing ones that say nothing; the first seven always stay."""
    end = len(columns)
    while end > LEAST_COLUMNS and columns[end - 1] is None:
        end -= 1
    return columns[:end]


LEAST_COLUMNS = 7
"""The columns of a fact that are never left out, so that a payment always has those of its period."""


def _columns(fact: object) -> Row:
    match fact:
        case TrialStarted(plan, trial_ends_at, auto_renew, purchase):
            return (TRIAL, plan, to_micros(trial_ends_at), auto_renew, *purchase)
        case PaymentReported():
            return (
                PAYMENT,
                fact.outcome.value,
                fact.plan,
                fact.amount,
                fact.currency,
                _micros(fact.period_start),
                _micros(fact.period_end),
                fact.final or None,
                _micros(fact.grace_until),
                fact.payment_id,
                fact.partial or None,
                fact.auto_renew,
                fact.keeps_access or None,
                *fact.purchase,
            )
        case SignalSeen():
            return (
                SIGNAL,
                fact.kind.value,
                fact.reason,
                _micros(fact.effective_at),
                _micros(fact.resume_at),
                fact.to_plan,
                fact.reason_code,
                fact.price,
                fact.currency,
                _micros(fact.agree_until),
            )
        case _:
            raise TypeError(f"the ring holds no {type(fact).__name__}")


def fact_of(row: Row) -> RingFact:
    """The fact of a row. Raises `ValueError` for a row of another shape."""
    kind, *columns = row[FACT]
    if kind not in WIDTHS or len(columns) > WIDTHS[kind]:
        raise ValueError(f"not a row of the ring: it has {len(columns) + 1} columns after the order")
    return _READERS[kind](*columns)


def _trial(plan: str, ends_at: int, auto_renew: bool | None = None, *purchase: Any) -> TrialStarted:
    return TrialStarted(plan, from_micros(ends_at), auto_renew, _purchase(purchase))


def _payment(  # noqa: PLR0913, PLR0917 - the columns of a row
    outcome: str,
    plan: str | None,
    amount: int | None,
    currency: str | None,
    start: int | None,
    end: int | None,
    final: bool | None = None,
    grace_until: int | None = None,
    payment_id: str | None = None,
    partial: bool | None = None,
    auto_renew: bool | None = None,
    keeps_access: bool | None = None,
    *purchase: Any,
) -> PaymentReported:
    return PaymentReported(
        PaymentOutcome(outcome),
        plan,
        amount,
        currency,
        _instant(start),
        _instant(end),
        bool(final),
        _instant(grace_until),
        payment_id,
        bool(partial),
        auto_renew,
        bool(keeps_access),
        _purchase(purchase),
    )


def _signal(  # noqa: PLR0913, PLR0917 - the columns of a row
    kind: str,
    reason: str | None = None,
    effective_at: int | None = None,
    resume_at: int | None = None,
    to_plan: str | None = None,
    code: str | None = None,
    price: int | None = None,
    currency: str | None = None,
    agree_until: int | None = None,
) -> SignalSeen:
    return SignalSeen(
        Signal(kind),
        reason,
        _instant(effective_at),
        _instant(resume_at),
        to_plan,
        None,
        ReasonCode(code) if code else None,
        price,
        currency,
        _instant(agree_until),
    )


_READERS: Mapping[str, Callable[..., RingFact]] = {TRIAL: _trial, PAYMENT: _payment, SIGNAL: _signal}
WIDTHS = {TRIAL: 3 + len(Purchase._fields), PAYMENT: 12 + len(Purchase._fields), SIGNAL: 9}
"""The columns of a fact after its kind, by kind."""


def _purchase(columns: tuple[Any, ...]) -> Purchase:
    if not columns:
        return NO_PURCHASE
    purchase = Purchase(*columns)
    return purchase._replace(ownership=Ownership(purchase.ownership)) if purchase.ownership else purchase
