"""The ring: recent events as plain rows, so that a loaded document costs nothing until an old event comes in.

A row starts with the event's key, so rows sort as events do.
"""

from datetime import datetime
from typing import Any

from shared.domain.events import (
    Event,
    Fact,
    Key,
    PaymentOutcome,
    PaymentReported,
    Signal,
    SignalSeen,
    TrialStarted,
)
from shared.domain.instants import from_micros, to_micros

Row = tuple[Any, ...]
"""(µs since 1970, topic, source, event_id, subscription_id, digest, fact...), all of them plain JSON values."""


def _micros(instant: datetime | None) -> int | None:
    return None if instant is None else to_micros(instant)


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


def key_row(key: Key) -> Row:
    """A key as the first four columns of a row."""
    return (to_micros(key.occurred_at), key.topic, key.source, key.event_id)


def key_of(row: Row) -> Key:
    """The key that a row starts with."""
    return Key(from_micros(row[0]), row[1], row[2], row[3])


def to_row(event: Event) -> Row:
    """An event of a kind that the ring holds, as a row."""
    return (*key_row(event.key), event.subscription_id, event.digest, *_pack(event.fact))


def _pack(fact: Fact) -> Row:
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


def from_row(row: Row, user_id: str) -> Event:
    """The event that was packed; its profile was merged when it came and is not kept."""
    return Event(key_of(row), user_id, row[4], _unpack(row[6:]), row[5])


def _unpack(row: Row) -> Fact:
    match row:
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
        case _:
            raise ValueError(f"not a row of the ring: it has {len(row)} columns after the digest")
