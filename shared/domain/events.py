"""Events from outside in the domain's terms: a user, an identity with a time, and a fact."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple


class PaymentOutcome(StrEnum):
    """The outcome of a payment, as the payment system reports it."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUNDED = "refunded"
    REFUND_REVERSED = "refund_reversed"
    DISPUTED = "disputed"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"


class Signal(StrEnum):
    """A churn signal. The first nine concern the subscription, the others only describe the user's behaviour."""

    AUTO_RENEW_OFF = "auto_renew_off"
    AUTO_RENEW_ON = "auto_renew_on"
    CANCELLED = "cancelled"
    PAUSE_SCHEDULED = "pause_scheduled"
    RESUMED = "resumed"
    DOWNGRADE_SCHEDULED = "downgrade_scheduled"
    PLAN_CHANGE_UNDONE = "plan_change_undone"
    PRICE_INCREASE_DECLINED = "price_increase_declined"
    PRICE_INCREASE_ACCEPTED = "price_increase_accepted"
    REFUND_REQUESTED = "refund_requested"
    INACTIVITY = "inactivity"
    CANCEL_PAGE_VIEWED = "cancel_page_viewed"
    SUPPORT_CONTACT = "support_contact"
    PAYMENT_METHOD_EXPIRING = "payment_method_expiring"


BEHAVIOURAL = frozenset(
    {
        Signal.REFUND_REQUESTED,
        Signal.INACTIVITY,
        Signal.CANCEL_PAGE_VIEWED,
        Signal.SUPPORT_CONTACT,
        Signal.PAYMENT_METHOD_EXPIRING,
    }
)
"""Signals that never change a status; they are merged outside the ring."""


class FeedbackKind(StrEnum):
    """The kinds of feedback that a consumer reports on a trigger."""

    DELIVERED = "delivered"
    IMPRESSION = "impression"
    CLICKED = "clicked"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    CONVERTED = "converted"


class Key(NamedTuple):
    """An event's place in the history: ordered by time, then by identity.

    `topic`, `source` and `event_id` are the identity. A missing source is the empty string.
    """

    occurred_at: datetime
    topic: str
    source: str
    event_id: str

    @property
    def cause(self) -> str:
        """A short, stable name of the identity: 16 hex digits, the same on every machine."""
        return cause_of(self.topic, self.source, self.event_id)


@lru_cache(maxsize=256)
def cause_of(*parts: str) -> str:
    """A stable 64-bit hash of the parts, in hex. Cached, because one event needs the same name several times."""
    return blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()


class TrialStarted(NamedTuple):
    """A user started a trial of a plan."""

    plan: str
    trial_ends_at: datetime
    auto_renew: bool = True


class PaymentReported(NamedTuple):
    """The outcome of the payment for one period; amounts are whole minor units (cents) of the currency."""

    outcome: PaymentOutcome
    plan: str
    amount: int
    currency: str
    period_start: datetime
    period_end: datetime
    final: bool = False
    """True if no further retry will be made."""
    grace_until: datetime | None = None
    payment_id: str | None = None
    partial: bool = False
    """True if only a part of the amount was refunded."""


class SignalSeen(NamedTuple):
    """A sign that a user may leave, or may stay after all."""

    kind: Signal
    reason: str | None = None
    effective_at: datetime | None = None
    resume_at: datetime | None = None
    to_plan: str | None = None
    strength: float | None = None
    """The strength of a behavioural signal, 0 to 1."""


class FeedbackGiven(NamedTuple):
    """A consumer's feedback on a trigger."""

    trigger_id: str
    kind: FeedbackKind


@dataclass(frozen=True, slots=True)
class TimePassed:
    """A tick of the clock: only time has passed, and something is due for this user."""


Fact = TrialStarted | PaymentReported | SignalSeen | FeedbackGiven | TimePassed


class Environment(StrEnum):
    """The environment in which an event happened; stores mark purchases by testers as sandbox."""

    PRODUCTION = "production"
    SANDBOX = "sandbox"


class Profile(NamedTuple):
    """Facts about the user, given by producers; None means not given."""

    country: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    student: bool | None = None


class Event(NamedTuple):
    """One fact about one user, with the identity by which a redelivery is recognised."""

    key: Key
    user_id: str
    subscription_id: str
    fact: Fact
    digest: str
    """A hash of the content: events with the same identity and different digests are different events."""
    profile: Profile = Profile()
    environment: Environment = Environment.PRODUCTION

    @property
    def occurred_at(self) -> datetime:
        """The time of the event in UTC, given by the producer."""
        return self.key.occurred_at
