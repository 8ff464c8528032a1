"""What all messages in have in common."""

from abc import abstractmethod
from hashlib import blake2b
from typing import ClassVar

import orjson
from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.inbound import fields
from shared.contracts.inbound.fields import Flag, Id, Time
from shared.domain import events
from shared.domain.account import DEFAULT_SUBSCRIPTION
from shared.domain.events import Event, Fact, Key

NOTHING_SAID = events.Profile()


class Inbound(BaseModel):
    """What every message in has. Nothing is coerced: "5" and 5.0 are not 5. Unknown fields are ignored."""

    model_config = ConfigDict(
        defer_build=True, strict=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )
    TOPIC: ClassVar[str]

    schema_version: fields.Version = Field(default=1, description="The version of this contract: 1.")


class ProfileFacts(BaseModel):
    """What the producer knows of the user; what it leaves out stays as it was."""

    model_config = Inbound.model_config

    country: fields.Country | None = Field(default=None, description="ISO 3166-1 alpha-2 code.")
    locale: fields.Locale | None = Field(default=None, description="BCP 47 language tag.")
    time_zone: fields.TimeZone | None = Field(default=None, description="IANA name; quiet hours follow it.")
    student: Flag | None = Field(default=None, description="Whether the user is a student.")

    def to_profile(self) -> events.Profile:
        """Turn into the profile of the domain."""
        return events.Profile(self.country, self.locale, self.time_zone, self.student)


class InboundEvent(Inbound):
    """An event: a fact about one user, recognised by topic, source and event_id when it comes again."""

    event_id: Id = Field(description="Names the event within its topic and source, and never names another.")
    user_id: Id = Field(description="The user it is about.")
    subscription_id: Id = Field(
        default=DEFAULT_SUBSCRIPTION, description="Which of the user's subscriptions, where there are several."
    )
    occurred_at: Time = Field(
        description="When it happened, not when it was sent; at most 5 minutes ahead of Upbeat's clock."
    )
    source: fields.Source | None = Field(
        default=None, description="The system that says so, perhaps as a URI: a part of the event's identity."
    )
    profile: ProfileFacts | None = Field(
        default=None, description="What is known of the user; of each fact the latest occurred_at wins."
    )

    @abstractmethod
    def fact(self) -> Fact:
        """Say what happened in the words of the domain."""

    def to_event(self) -> Event:
        """Turn into the event of the domain."""
        return Event(
            key=Key(self.occurred_at, self.TOPIC, self.source or "", self.event_id),
            user_id=self.user_id,
            subscription_id=self.subscription_id,
            fact=self.fact(),
            digest=self.digest(),
            profile=self.profile.to_profile() if self.profile else NOTHING_SAID,
        )

    def digest(self) -> str:
        """Hash what was said into 16 hex digits, whatever its key order, offsets and unknown fields.

        A field left out and its default are the same; so a field added to the contract changes no old digest.
        """
        said = self.model_dump(exclude_defaults=True)
        return blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()
