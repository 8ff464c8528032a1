"""The message that reports what happened with a trigger: the data by which lift is measured."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from shared.contracts.outbound.base import Draft, Json, UtcTime, name_of, rfc3339
from shared.contracts.outbound.trigger_fields import TriggerMessage, trigger_fields
from shared.contracts.topics import Topic
from shared.domain.events import Event, FeedbackKind
from shared.domain.triggers import Trigger


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
    expires_at: UtcTime | None = Field(
        default=None,
        description="For an offer that a holdout or a variant held back: the instant (UTC) until which it counts "
        "as open, as the offer itself would have been.",
    )
    counted_offer_id: str | None = Field(
        default=None,
        description="For an offer that a holdout or a variant held back: the offer as which caps count it. It is "
        "the campaign's own where the variant offers nothing.",
    )

    def identity(self) -> str:
        """One id for each thing that one event reports about a trigger."""
        event = self.event
        return _identity(self.trigger_id, self.kind, event.topic, event.source, event.event_id)


def reported(trigger: Trigger, event: Event, kind: FeedbackKind) -> Draft:
    """The message that repeats a consumer's feedback on a trigger."""
    about = {"offer_id": trigger.offer_id, "issued_at": rfc3339(trigger.decided_at)}
    return _draft(trigger, event, kind.value, event.occurred_at, about)


def suppressed(trigger: Trigger, event: Event, at: datetime, about: Json) -> Draft:
    """The record of an offer that was held back at `at` (UTC): `about` are its id, the reason and the detail."""
    return _draft(trigger, event, ExposureKind.SUPPRESSED.value, at, about)


def _draft(trigger: Trigger, event: Event, kind: str, at: datetime, about: Json) -> Draft:
    """An exposure. Unknown fields are left out, except the offer: null there means no offer."""
    fields = trigger_fields(trigger, event.user_id) | {"kind": kind, "occurred_at": rfc3339(at)} | about
    known = {name: value for name, value in fields.items() if value is not None or name == "offer_id"}
    _, *event_identity = event.key
    return Draft(Exposure.TOPIC, _identity(trigger.trigger_id, kind, *event_identity), known)


def _identity(trigger_id: str, kind: str, topic: str, source: str, event_id: str) -> str:
    return name_of(Exposure.TOPIC, trigger_id, kind, topic, source, event_id)
