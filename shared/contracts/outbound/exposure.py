"""The message that reports what happened with a trigger: the data by which lift is measured."""

from enum import StrEnum

from pydantic import Field

from shared.contracts.outbound.base import Json, UtcTime, name_of
from shared.contracts.outbound.trigger_fields import TriggerMessage
from shared.contracts.topics import Topic


class ExposureKind(StrEnum):
    """The kinds of exposure: one for an offer held back, and one for each kind of feedback."""

    SUPPRESSED = "suppressed"
    DELIVERED = "delivered"
    IMPRESSION = "impression"
    CLICKED = "clicked"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    CONVERTED = "converted"


class Exposure(TriggerMessage):
    """A consumer's feedback on a trigger, or the record of an offer that would have won but was held back."""

    TOPIC = Topic.EXPOSURE.value

    kind: ExposureKind = Field(
        description="`suppressed`: the offer was held back and never sent. Any other: the feedback of a consumer."
    )
    occurred_at: UtcTime = Field(
        description="When it happened, as the consumer reports it, or when the offer was held back (UTC)."
    )
    offer_id: str | None = Field(
        description="The offer made, or that would have been made; null if the user's variant gets no offer."
    )
    issued_at: UtcTime | None = Field(
        default=None, description="When the trigger was issued (UTC); unknown for an offer that was held back."
    )
    reason: str | None = Field(
        default=None,
        description="The rule that held a suppressed offer back: `holdout`, `cap`, `cool_down` or `variant`.",
    )
    detail: str | None = Field(default=None, description="The holdout, cap or variant that held it back.")

    def identity(self) -> str:
        """One id for each thing that one event reports about a trigger."""
        event = self.event
        return name_of(self.TOPIC, self.trigger_id, self.kind, event.topic, event.source, event.event_id)

    def body(self) -> Json:
        """The message as JSON. Unknown fields are left out, except the offer: null there means no offer."""
        written = super().body()
        return {name: value for name, value in written.items() if value is not None or name == "offer_id"}
