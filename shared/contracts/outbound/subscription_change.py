"""The message that announces a change of a user's subscription: the facts before and after it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, computed_field

from shared.contracts.outbound.base import Draft, Json, Sequenced, UtcTime, WrittenTime, name_of, rfc3339
from shared.contracts.topics import Topic
from shared.domain.events import Ownership, Purchase, ReasonCode
from shared.domain.moments import Moment, MomentKind
from shared.domain.subscription import Status, Subscription

Facts = dict[str, str | bool | int]
"""The public facts of a subscription that apply, as JSON, so that they can be stored and compared later."""


class SubscriptionFacts(BaseModel):
    """Public facts of a subscription; null for one that does not apply, or no longer."""

    model_config = ConfigDict(defer_build=True, frozen=True)

    status: Status = Field(description="The status of the subscription.")
    entitled: bool = Field(description="True while this subscription gives access.")
    plan: str | None = Field(default=None, description="The current plan.")
    period_start: WrittenTime | None = Field(default=None, description="The start of the paid period (UTC).")
    period_end: WrittenTime | None = Field(default=None, description="The end of the paid period (UTC).")
    trial_ends_at: WrittenTime | None = Field(default=None, description="The end of the trial (UTC).")
    auto_renew: bool | None = Field(default=None, description="True if it renews at the end of the period.")
    auto_renew_reason: str | None = Field(default=None, description="Why auto-renew was turned off, as reported.")
    grace_until: WrittenTime | None = Field(default=None, description="The end of the grace period (UTC).")
    resume_at: WrittenTime | None = Field(default=None, description="When a paused subscription resumes (UTC).")
    cancel_at: WrittenTime | None = Field(
        default=None, description="When a scheduled cancellation takes effect (UTC)."
    )
    scheduled_plan: str | None = Field(default=None, description="The plan to which a scheduled change leads.")
    price_consent: str | None = Field(
        default=None, description="The user's answer to a price increase: `pending`, `accepted` or `declined`."
    )
    reason_code: ReasonCode | None = Field(
        default=None,
        description="Why auto-renew was turned off or the subscription cancelled, from a closed list.",
    )
    store: str | None = Field(default=None, description="The store of the purchase, as reported.")
    product_id: str | None = Field(default=None, description="The store's id of the product, as reported.")
    ownership: Ownership | None = Field(default=None, description="How the user came by it, as reported.")
    quantity: int | None = Field(default=None, description="The number of units bought, as reported.")
    current_price: int | None = Field(
        default=None, description="The price per period in whole minor units of `currency`, as reported."
    )
    currency: str | None = Field(default=None, description="The currency of `current_price` (ISO 4217).")


class AllFacts(SubscriptionFacts):
    """All public facts of a subscription; one that does not apply is left out."""

    period_amount: int | None = Field(
        default=None,
        description="The amount of the payment that grants the current period, in whole minor units of "
        "`period_currency`; 0 for one that cost nothing.",
    )
    period_currency: str | None = Field(default=None, description="The currency of `period_amount` (ISO 4217).")


_ALWAYS_TOLD = ("status", "entitled")
_NAMES = tuple(SubscriptionFacts.model_fields)
_values_of = attrgetter(*(f"purchase.{name}" if name in Purchase._fields else name for name in _NAMES))


def public_facts(subscription: Subscription) -> dict[str, Any]:
    """All public facts of a subscription, by the names of the contract; instants are datetimes in UTC."""
    return dict(zip(_NAMES, _values_of(subscription), strict=True))


def facts_of(subscription: Subscription) -> Facts:
    """The public facts of a subscription that apply, as JSON."""
    named = zip(_NAMES, _values_of(subscription), strict=True)
    return {
        name: value if type(value) in _PLAIN else _as_json(value) for name, value in named if value is not None
    }


def payment_of(subscription: Subscription) -> Facts:
    """The amount and currency of the payment that grants the period, if they are known."""
    if subscription.current is None or subscription.current.currency is None:
        return {}
    return {"period_amount": subscription.current.amount, "period_currency": subscription.current.currency}


_PLAIN = frozenset({str, bool, int})


def _as_json(value: StrEnum | datetime) -> str:
    return rfc3339(value) if isinstance(value, datetime) else value.value


class Difference(NamedTuple):
    """The facts of a subscription before and after an event, as a change tells them."""

    before: Json
    """The status, the access, and the facts that differ; null for one that does not apply."""
    after: Json
    changed: list[str]
    """The names of the facts that differ."""


def difference(before: Facts, after: Facts) -> Difference:
    """Both sides of a change, each with the status, the access and the facts that differ; and these by name."""
    changed = [name for name in _NAMES if before.get(name) != after.get(name)]
    told = {*_ALWAYS_TOLD, *changed}
    return Difference(_only(told, before), _only(told, after), changed)


def _only(names: Iterable[str], facts: Facts) -> Json:
    return {name: facts.get(name) for name in names}


class MomentTold(BaseModel):
    """One moment in the life of the subscription, heard by a campaign or not."""

    model_config = ConfigDict(defer_build=True, frozen=True)

    kind: MomentKind = Field(description="The kind of the moment.")
    subscription_id: str = Field(description="The subscription in whose life it occurred.")
    at: UtcTime = Field(description="When it occurred (UTC), however late the event arrived.")
    offset: str | None = Field(
        description="The offset of a milestone, in days or hours: `3d`, `36h`; null for another moment."
    )
    cause: str = Field(
        description="The id of this one occurrence: the `cause` of the candidates and triggers that it led to."
    )


class SubscriptionChange(Sequenced):
    """A public fact of a subscription changed, or it had a moment; each subscription has its own message."""

    TOPIC = Topic.SUBSCRIPTION_CHANGE.value

    subscription_id: str = Field(description="The subscription that changed.")
    user_status: Status = Field(
        description="The user's status after the change: that of the best of the user's subscriptions."
    )
    user_entitled: bool = Field(description="True while the user has access, by whichever subscription.")
    cause: str = Field(description="The short id of the event that led to the change.")
    before: SubscriptionFacts = Field(description="The facts as they were last announced.")
    after: SubscriptionFacts = Field(description="The facts as they are now.")
    changed: tuple[str, ...] = Field(
        default=(), description="The names of the facts that changed; empty if only a moment is told."
    )
    facts: AllFacts | None = Field(
        default=None, description="All public facts as they are now; one that does not apply is left out."
    )
    moments: tuple[MomentTold, ...] = Field(
        default=(), description="The moments of the subscription that this event brought or found, each told once."
    )

    @computed_field(description="The id of the change.")  # type: ignore[prop-decorator]
    @property
    def change_id(self) -> str:
        """One id for each event and subscription, since one event changes a subscription once."""
        return _identity(self.user_id, self.cause, self.subscription_id)

    def identity(self) -> str:
        """The change's own id."""
        return self.change_id


def change_draft(user_id: str, cause: str, about: Json, told: Difference, moments: Sequence[Moment]) -> Draft:
    """The message about a change: its difference, its moments, and the other fields `about` it."""
    name = _identity(user_id, cause, about["subscription_id"])
    fields = {
        "change_id": name,
        "cause": cause,
        "before": told.before,
        "after": told.after,
        "changed": told.changed,
        "moments": [_told(moment) for moment in moments],
        **about,
    }
    return Draft(SubscriptionChange.TOPIC, name, fields)


def _told(moment: Moment) -> Json:
    """A moment as `MomentTold` describes it."""
    return {
        "kind": moment.kind.value,
        "subscription_id": moment.subscription_id,
        "at": rfc3339(moment.at),
        "offset": moment.offset_text,
        "cause": moment.cause,
    }


def _identity(user_id: str, cause: str, subscription_id: str) -> str:
    return name_of(SubscriptionChange.TOPIC, user_id, cause, subscription_id)
