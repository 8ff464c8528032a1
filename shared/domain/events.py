"""Events from outside in the domain's terms: a user, an identity with a time, and a fact."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple


class PaymentOutcome(StrEnum):
    """The outcome of a payment, as the payment system reports it."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXTENDED = "extended"
    REFUNDED = "refunded"
    REFUND_REVERSED = "refund_reversed"
    DISPUTED = "disputed"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"


class Signal(StrEnum):
    """A churn signal. Those outside `BEHAVIOURAL` concern the subscription, the others only describe the user."""

    AUTO_RENEW_OFF = "auto_renew_off"
    AUTO_RENEW_ON = "auto_renew_on"
    CANCELLED = "cancelled"
    PAUSE_SCHEDULED = "pause_scheduled"
    RESUMED = "resumed"
    PLAN_CHANGED = "plan_changed"
    PLAN_CHANGE_SCHEDULED = "plan_change_scheduled"
    DOWNGRADE_SCHEDULED = "downgrade_scheduled"
    PLAN_CHANGE_UNDONE = "plan_change_undone"
    PRICE_INCREASE_PENDING = "price_increase_pending"
    PRICE_INCREASE_DECLINED = "price_increase_declined"
    PRICE_INCREASE_ACCEPTED = "price_increase_accepted"
    REFUND_REQUESTED = "refund_requested"
    INACTIVITY = "inactivity"
    CANCEL_PAGE_VIEWED = "cancel_page_viewed"
    SUPPORT_CONTACT = "support_contact"
    PAYMENT_METHOD_EXPIRING = "payment_method_expiring"
    PAYMENT_METHOD_UPDATED = "payment_method_updated"
    PAYMENT_ACTION_REQUIRED = "payment_action_required"
    REFUND_DECLINED = "refund_declined"
    CONSENT_RESCINDED = "consent_rescinded"


BEHAVIOURAL = frozenset(
    {
        Signal.REFUND_REQUESTED,
        Signal.INACTIVITY,
        Signal.CANCEL_PAGE_VIEWED,
        Signal.SUPPORT_CONTACT,
        Signal.PAYMENT_METHOD_EXPIRING,
        Signal.PAYMENT_METHOD_UPDATED,
        Signal.PAYMENT_ACTION_REQUIRED,
        Signal.REFUND_DECLINED,
        Signal.CONSENT_RESCINDED,
    }
)
"""Signals that never change a status; they are merged outside the ring."""


class ReasonCode(StrEnum):
    """A reason for an end or for auto-renew turned off, in terms that can be counted."""

    VOLUNTARY = "voluntary"
    BILLING = "billing"
    PRICE_INCREASE = "price_increase"
    REFUND = "refund"
    PRODUCT_WITHDRAWN = "product_withdrawn"
    REPLACED = "replaced"
    FRAUD = "fraud"
    DEVELOPER = "developer"
    FAMILY = "family"
    UNKNOWN = "unknown"


class Ownership(StrEnum):
    """The way in which a user came by a subscription."""

    PURCHASED = "purchased"
    FAMILY = "family"
    PROMOTIONAL = "promotional"
    SEAT = "seat"


class FeedbackKind(StrEnum):
    """The kinds of feedback that a consumer reports on a trigger."""

    DELIVERED = "delivered"
    IMPRESSION = "impression"
    CLICKED = "clicked"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    CONVERTED = "converted"


class Key(NamedTuple):
    """An event's time and identity: `topic`, `source` and `event_id`. A missing source is the empty string."""

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


class Purchase(NamedTuple):
    """Facts about a purchase that bear on no status; None means not given."""

    store: str | None = None
    product_id: str | None = None
    ownership: Ownership | None = None
    quantity: int | None = None
    current_price: int | None = None
    """The price of the plan per period, in whole minor units of `currency`."""
    currency: str | None = None


NO_PURCHASE = Purchase()
"""The facts of an event that gives none about its purchase."""


class TrialStarted(NamedTuple):
    """A user started a trial of a plan."""

    plan: str
    trial_ends_at: datetime
    auto_renew: bool | None = None
    """None if not given: then the plan renews after the trial."""
    purchase: Purchase = NO_PURCHASE


class PaymentReported(NamedTuple):
    """The outcome of a payment; amounts are whole minor units (cents) of the currency.

    A success has a plan, an amount and a period. Of the other outcomes, a verdict has at least a `payment_id` or a
    `period_start`, and a pending payment has a plan.
    """

    outcome: PaymentOutcome
    plan: str | None = None
    amount: int | None = None
    currency: str | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None
    final: bool = False
    """True if no further retry will be made."""
    grace_until: datetime | None = None
    payment_id: str | None = None
    partial: bool = False
    """True if only a part of the amount was refunded."""
    auto_renew: bool | None = None
    """False if the period does not renew; None if not given: then it does."""
    keeps_access: bool = False
    """True if the refunded user keeps the time that was paid for."""
    purchase: Purchase = NO_PURCHASE
    failure_reason: str | None = None
    """The reason of a failure in the producer's words. It is for the present decision only, and is not kept."""


class SignalSeen(NamedTuple):
    """A sign that a user may leave, or may stay after all."""

    kind: Signal
    reason: str | None = None
    effective_at: datetime | None = None
    resume_at: datetime | None = None
    to_plan: str | None = None
    strength: float | None = None
    """The strength of a behavioural signal, 0 to 1."""
    reason_code: ReasonCode | None = None
    price: int | None = None
    """The new price of an increase, in whole minor units of `currency`."""
    currency: str | None = None
    agree_until: datetime | None = None
    """The time until which the user may agree to a price increase."""


class FeedbackGiven(NamedTuple):
    """A consumer's feedback on a trigger."""

    trigger_id: str
    kind: FeedbackKind


class OfferRequested(NamedTuple):
    """An app asks what to offer the user in a placement. It tells nothing about the user: no fold keeps it."""

    placement: str


@dataclass(frozen=True, slots=True)
class ErasureRequested:
    """The user is to be forgotten, with everything that occurred up to the event."""


MAX_CATALOG_NUMBER = 10**12
"""The highest number that a catalog can have."""


@dataclass(frozen=True, slots=True)
class TimePassed:
    """Only time has passed: something is due for this user, or is to be asked again."""

    catalog_number: int = 0
    """The least number of the catalog by which the user is to be processed; 0 if any will do."""


Fact = TrialStarted | PaymentReported | SignalSeen | FeedbackGiven | OfferRequested | ErasureRequested | TimePassed


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
    order: int = 0
    """The producer's order among events of one instant, after the order of their kinds."""
    attributes: tuple[tuple[str, Any], ...] = ()
    """Named values about the user: text, a number, a boolean, or a list of texts and numbers; None removes one."""
    dropped: tuple[str, ...] = ()
    """A sentence for each attribute that was ill-formed and is not among `attributes`."""
    misspelt: tuple[str, ...] = ()
    """The fields that were ignored and most likely mean another: each with the name of the other."""

    @property
    def occurred_at(self) -> datetime:
        """The time of the event in UTC, given by the producer."""
        return self.key.occurred_at
