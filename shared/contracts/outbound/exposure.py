"""The message that says what became of a trigger, or why a user was spared one: what lift is measured by."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import Field

from shared.contracts.outbound.base import Json, UtcTime, name_of, rfc3339
from shared.contracts.outbound.message import Message
from shared.contracts.outbound.trigger_fields import AboutTrigger, chosen, named
from shared.contracts.topics import Topic
from shared.domain.moments import MomentKind
from shared.domain.triggers import Trigger


class ExposureKind(StrEnum):
    """What became of a trigger."""

    SUPPRESSED = "suppressed"
    DELIVERED = "delivered"
    IMPRESSION = "impression"
    CLICKED = "clicked"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    CONVERTED = "converted"


class Exposure(AboutTrigger):
    """What a consumer reports of a trigger, or that one was held back though it would have won."""

    TOPIC = Topic.EXPOSURE.value

    kind: ExposureKind = Field(description="`suppressed`: it never went out. Otherwise what a consumer reports.")
    occurred_at: UtcTime = Field(description="When it happened, as the consumer says, or was held back (UTC).")
    trigger_id: str = Field(description="The trigger; of a suppressed one the id that it would have had.")
    subscription_id: str = Field(description="Which of the user's subscriptions it is about.")
    campaign_id: str = Field(description="The campaign.")
    offer_id: str | None = Field(
        description="The offer made, or that would have been; null where the variant is to get nothing."
    )
    placement: str = Field(description="Where it is shown, or would have been.")
    channel: str = Field(description="By what means.")
    moment: MomentKind = Field(description="What happened that the campaign reacts to.")
    cause: str = Field(description="Names the one occurrence of the moment.")
    reason: str | None = Field(
        default=None, description="Of a suppressed one: `holdout`, `cap`, `cool_down` or `variant`."
    )
    detail: str | None = Field(default=None, description="Which holdout, cap or variant.")
    catalog_version: str = Field(description="The catalog by which it was decided.")

    @property
    def message_id(self) -> str:
        """One for each thing that one event says of a trigger."""
        return _id(self.trigger_id, self.kind, **self.event.model_dump())


@dataclass(frozen=True, slots=True)
class ExposureDetails:
    """What became of a trigger."""

    kind: ExposureKind
    occurred_at: datetime
    offer_id: str | None
    reason: str | None = None
    detail: str | None = None


def exposure_message(begin: Json, trigger: Trigger, fate: ExposureDetails) -> Message:
    """Say what became of a trigger; `begin` is what `header` gave. What is not known is left out."""
    told = {"reason": fate.reason, "detail": fate.detail, **chosen(trigger)}
    body = begin | {
        **named(trigger),
        "kind": fate.kind.value,
        "occurred_at": rfc3339(fate.occurred_at),
        "offer_id": fate.offer_id,
        **{name: value for name, value in told.items() if value is not None},
    }
    return Message(Topic.EXPOSURE.value, _id(trigger.trigger_id, fate.kind, **begin["event"]), body)


def _id(trigger_id: str, kind: ExposureKind, topic: str, source: str, event_id: str) -> str:
    return name_of(Topic.EXPOSURE, trigger_id, kind, topic, source, event_id)
