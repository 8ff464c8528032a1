"""The ring's rows: recent events as plain JSON rows, so that loading a document costs nothing until one is needed.

A row starts with the event's key, so rows sort as events do.
"""

from datetime import datetime
from typing import Any

from shared.domain.events import (
    Event,
    Key,
    PaymentOutcome,
    PaymentReported,
    Signal,
    SignalSeen,
    TrialStarted,
)
from shared.domain.instants import from_micros, to_micros

Row = tuple[Any, ...]
"""One event: the columns below, then the columns of its fact, all of them plain JSON values."""
RingFact = TrialStarted | PaymentReported | SignalSeen
"""The facts that the ring holds: those that bear on the status."""

OCCURRED_AT, TOPIC, SOURCE, EVENT_ID, SUBSCRIPTION_ID, DIGEST = range(6)
"""The columns before the fact; the first is in microseconds since 1970 UTC."""
KEY = slice(OCCURRED_AT, SUBSCRIPTION_ID)
"""The columns of the key."""
FACT = slice(DIGEST + 1, None)
"""The columns of the fact, starting with its kind."""


def _micros(instant: datetime | None) -> int | None:
    return None if instant is None else to_micros(instant)


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


def key_row(key: Key) -> Row:
    """A key as the first columns of a row."""
    return (to_micros(key.occurred_at), key.topic, key.source, key.event_id)


def key_of(row: Row) -> Key:
    """The key in the first columns of a row."""
    occurred_at, topic, source, event_id = row[KEY]
    return Key(from_micros(occurred_at), topic, source, event_id)


def to_row(event: Event) -> Row:
    """An event as a row. Raises `TypeError` for a kind of fact that the ring does not hold."""
    return (*key_row(event.key), event.subscription_id, event.digest, *_columns(event.fact))


def from_row(row: Row, user_id: str) -> Event:
    """The event of a row, without its profile, which was merged on arrival and is not kept."""
    return Event(key_of(row), user_id, row[SUBSCRIPTION_ID], fact_of(row), row[DIGEST])


def _columns(fact: object) -> Row:
    match fact:
        case TrialStarted(plan, trial_ends_at, auto_renew):
            return ("trial", plan, to_micros(trial_ends_at), auto_renew)
        case PaymentReported():
            return (
                "payment",
                fact.outcome.value,
                fact.plan,
                fact.amount,
                fact.currency,
                to_micros(fact.period_start),
                to_micros(fact.period_end),
                fact.final,
                _micros(fact.grace_until),
                fact.payment_id,
                fact.partial,
            )
        case SignalSeen():
            return (
                "signal",
                fact.kind.value,
                fact.reason,
                _micros(fact.effective_at),
                _micros(fact.resume_at),
                fact.to_plan,
            )
        case _:
            raise TypeError(f"the ring holds no {type(fact).__name__}")


def fact_of(row: Row) -> RingFact:
    """The fact of a row. Raises `ValueError` for a row of another shape."""
    match row[FACT]:
        case ("trial", plan, ends, auto_renew):
            return TrialStarted(plan, from_micros(ends), auto_renew)
        case ("payment", outcome, plan, amount, currency, start, end, final, grace, payment_id, partial):
            return PaymentReported(
                PaymentOutcome(outcome),
                plan,
                amount,
                currency,
                from_micros(start),
                from_micros(end),
                final,
                _instant(grace),
                payment_id,
                partial,
            )
        case ("signal", kind, reason, effective_at, resume_at, to_plan):
            return SignalSeen(Signal(kind), reason, _instant(effective_at), _instant(resume_at), to_plan)
        case columns:
            raise ValueError(f"not a row of the ring: it has {len(columns)} columns after the digest")
