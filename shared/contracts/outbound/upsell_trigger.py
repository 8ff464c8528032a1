"""The message that says which offer a user should be shown, or shown no longer."""

from enum import StrEnum

from pydantic import Field

from shared.contracts.outbound.base import Json, UtcTime, rfc3339
from shared.contracts.outbound.message import Message
from shared.contracts.outbound.trigger_fields import AboutTrigger, chosen, named
from shared.contracts.topics import Topic
from shared.domain.moments import MomentKind
from shared.domain.triggers import Trigger


class TriggerKind(StrEnum):
    """Whether an offer may be shown, or no longer."""

    ISSUED = "issued"
    REVOKED = "revoked"


class UpsellTrigger(AboutTrigger):
    """Show this offer, or show it no longer. Revoked is final, even if `issued` comes after it."""

    TOPIC = Topic.UPSELL_TRIGGER.value

    kind: TriggerKind = Field(description="`issued`: show it until expires_at. `revoked`: show it no longer.")
    trigger_id: str = Field(description="Names the offer made; the same in `issued` and `revoked`.")
    subscription_id: str = Field(description="Which of the user's subscriptions it is about.")
    campaign_id: str = Field(description="The campaign that won.")
    offer_id: str = Field(description="The offer to show.")
    placement: str = Field(description="Where to show it.")
    channel: str = Field(description="By what means, as the catalog names it.")
    moment: MomentKind = Field(description="What happened that the campaign reacts to.")
    cause: str = Field(description="Names the one occurrence of the moment.")
    expires_at: UtcTime = Field(description="Do not show it from this instant on (UTC).")
    catalog_version: str | None = Field(default=None, description="The catalog by which it was decided.")

    @property
    def message_id(self) -> str:
        """One id for issuing it and another for revoking it."""
        return _id(self.trigger_id, self.kind)


def trigger_message(begin: Json, kind: TriggerKind, trigger: Trigger) -> Message:
    """Say that an offer is to be shown, or no longer; `begin` is what `header` gave."""
    offered = {"kind": kind.value, "offer_id": trigger.offer_id, "expires_at": rfc3339(trigger.expires_at)}
    body = begin | offered | named(trigger) | chosen(trigger)
    return Message(Topic.UPSELL_TRIGGER.value, _id(trigger.trigger_id, kind), body)


def _id(trigger_id: str, kind: TriggerKind) -> str:
    return f"{trigger_id}.{kind}"
