"""Base models of the inbound messages: the fields and conversions that all events share."""

from abc import abstractmethod
from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from typing import Any, ClassVar

import orjson
from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.inbound import fields
from shared.contracts.inbound.attributes import MAX_ITEMS, MAX_TEXT, NOTHING_GIVEN, Attributes
from shared.contracts.inbound.fields import Flag, Id, Time
from shared.domain import events
from shared.domain.account import DEFAULT_SUBSCRIPTION
from shared.domain.attributes import MAX_ATTRIBUTES, MAX_BYTES
from shared.domain.events import NO_PURCHASE, Event, Fact, Key, Purchase

PURCHASE_FACTS = frozenset({"store", "product_id", "ownership", "quantity", "price", "current_price"})
"""The fields of an event that make a `Purchase`."""


class Inbound(BaseModel):
    """Base of all inbound messages. Nothing is coerced: "5" and 5.0 are not 5. Unknown fields are ignored."""

    model_config = ConfigDict(
        defer_build=True,  # a function uses only the model of its own topic
        strict=True,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,  # input may be personal data
    )
    TOPIC: ClassVar[str]

    schema_version: fields.Version = Field(default=1, description="The version of this contract, always 1.")


class ProfileFacts(BaseModel):
    """Facts about the user that campaign audiences can select by. A field left out keeps its earlier value."""

    model_config = Inbound.model_config

    country: fields.Country | None = Field(
        default=None,
        description="The user's country as an ISO 3166-1 alpha-2 code in capitals, for example `DE`. "
        "`XK` stands for Kosovo.",
    )
    locale: fields.Locale | None = Field(
        default=None, description="The user's language as a BCP 47 tag, for example `de-DE`."
    )
    time_zone: fields.TimeZone | None = Field(
        default=None,
        description="The user's time zone by its name in the IANA database, for example `Europe/Berlin`. "
        "Campaigns keep their quiet hours in this zone; without it, in the zone that the catalog sets.",
    )
    student: Flag | None = Field(default=None, description="True if the user is a student.")
    attributes: Attributes = Field(
        default=NOTHING_GIVEN,
        description=f"Further facts by names of your own, such as a favourite genre: text of at most {MAX_TEXT} "
        f"characters, a number, a boolean, or a list of at most {MAX_ITEMS} texts and numbers. The catalog says "
        "which of them campaigns use, and their types. For each name, the event with the latest `occurred_at` "
        f"wins; null removes the attribute. A user has at most {MAX_ATTRIBUTES}, with {MAX_BYTES} bytes in names "
        "and values together: the oldest are dropped. An ill-formed attribute is ignored and logged; it never "
        "costs the event.",
    )

    def to_profile(self) -> events.Profile:
        """Convert to the domain's profile."""
        return events.Profile(self.country, self.locale, self.time_zone, self.student)


class UserEvent(Inbound):
    """A fact about one user. Topic, source and event_id identify the event when it is delivered again."""

    FORMER_DEFAULTS: ClassVar[Mapping[str, object]] = {}
    """Defaults that fields once had. In digests they still count as left out, so that stored ones stay valid."""

    event_id: Id = Field(
        description="The event's id, unique within its topic and `source`. Publish the same event again with "
        "the same id, and never give the id to another event."
    )
    user_id: Id = Field(description="The id of the user the event is about, the same on every topic.")
    occurred_at: Time = Field(
        description="The time the event happened, not the time it was published; at most 5 minutes ahead of "
        "Upbeat's clock. Upbeat orders events by it."
    )
    source: fields.Source | None = Field(
        default=None,
        description="The system that reports the event, for example as a URI. It is part of the event's "
        "identity; leaving it out is the same as an empty string.",
    )
    environment: fields.Environment = Field(
        default=events.Environment.PRODUCTION,
        description="`sandbox` for an event of a test environment, such as a tester's purchase in a store. Such "
        "events are acknowledged and change nothing, unless this installation is set to process them.",
    )

    @abstractmethod
    def fact(self) -> Fact:
        """Convert the event's own fields to a fact of the domain."""

    def to_event(self) -> Event:
        """Convert to an event of the domain."""
        return Event(
            key=Key(self.occurred_at, self.TOPIC, self.source or "", self.event_id),
            user_id=self.user_id,
            subscription_id=DEFAULT_SUBSCRIPTION,
            fact=self.fact(),
            digest=self.digest(),
            environment=self.environment,
        )

    def digest(self) -> str:
        """Hash the content to 16 hex digits, independent of key order, time offsets and unknown fields.

        A field left out and a field set to its default give the same hash, so adding an optional field to the
        contract changes no existing digest.
        """
        # Faster than to serialize the model, which looks at every field: most events give few of them.
        defaults, values, given_names = _defaults(type(self)), self.__dict__, self.__pydantic_fields_set__
        content = {
            name: values[name] for name in given_names if name not in defaults or values[name] != defaults[name]
        }
        return blake2b(orjson.dumps(content, _as_json, orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()


class InboundEvent(UserEvent):
    """A fact about one subscription of a user, which may also tell facts about the user."""

    subscription_id: Id = Field(
        default=DEFAULT_SUBSCRIPTION,
        description="The id of the subscription the event is about. Needed only for users with several "
        "subscriptions; the default is `main`.",
    )
    order: fields.Order = Field(
        default=0,
        description="The order of the event among those of the same `occurred_at` that you report for the "
        "subscription: the lower comes first. It decides only between events of one kind, because the order of "
        "the kinds is fixed (a `cancelled` comes before a payment, for example). Default 0.",
    )
    profile: ProfileFacts | None = Field(
        default=None,
        description="Facts about the user that the producer knows. For each fact, the event with the latest "
        "`occurred_at` wins.",
    )

    def to_event(self) -> Event:
        """Convert to an event of the domain."""
        event = super().to_event()._replace(subscription_id=self.subscription_id, order=self.order)
        if self.profile is None:
            return event
        given = self.profile.attributes
        return event._replace(profile=self.profile.to_profile(), attributes=given.kept, dropped=given.dropped)


class PurchaseEvent(InboundEvent):
    """An event about a purchase, with facts about it that bear on no status. A fact left out keeps its value."""

    store: fields.Store | None = Field(
        default=None,
        description="The store or the payment provider that sold the subscription, for example `app_store`, "
        "`play_store` or `stripe`.",
    )
    product_id: fields.Product | None = Field(
        default=None, description="The store's id of the product, for example `com.example.premium.monthly`."
    )
    ownership: fields.Ownership | None = Field(
        default=None,
        description="How the user came by the subscription: `purchased` by the user, shared by a `family`, "
        "granted as `promotional`, or a `seat` that an organisation pays for.",
    )
    quantity: fields.Quantity | None = Field(
        default=None, description="The number of units bought, for example of seats."
    )
    trigger_id: Id | None = Field(
        default=None,
        description="The `trigger_id` of the offer that led to the purchase, if you know it. It has no effect "
        "and need not be one that Upbeat knows: it is kept for analysts, who attribute revenue by it.",
    )
    offer_ref: fields.OfferRef | None = Field(
        default=None,
        description="The offer that was redeemed, as the store or the checkout names it, such as a coupon. It has "
        "no effect, and is kept like `trigger_id`.",
    )

    def purchase(self, price: int | None, currency: str | None) -> Purchase:
        """The facts about the purchase, with the price of the plan per period."""
        if PURCHASE_FACTS.isdisjoint(self.__pydantic_fields_set__):
            return NO_PURCHASE
        of_price = None if price is None else currency
        return Purchase(self.store, self.product_id, self.ownership, self.quantity, price, of_price)


@cache
def _defaults(model: type[UserEvent]) -> dict[str, object]:
    """The values of a model's fields that count in a digest like the field left out."""
    optional = ((name, field) for name, field in model.model_fields.items() if not field.is_required())
    defaults = {name: field.default for name, field in optional if field.default is not None}
    return {**defaults, **model.FORMER_DEFAULTS}


def _as_json(facts: ProfileFacts) -> dict[str, Any]:
    """The facts that are given, for a digest. Attributes that are dropped count as unknown fields do."""
    content = {name: value for name, value in vars(facts).items() if value is not None}
    if attributes := dict(content.pop("attributes").kept):
        content["attributes"] = attributes
    return content
