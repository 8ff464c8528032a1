"""The message that tells a channel to show an offer to a user, or to stop showing it."""

from enum import StrEnum

from pydantic import Field

from shared.contracts.outbound.base import UtcTime
from shared.contracts.outbound.trigger_fields import TriggerMessage
from shared.contracts.topics import Topic


class TriggerKind(StrEnum):
    """The two messages that a trigger can send."""

    ISSUED = "issued"
    REVOKED = "revoked"


class UpsellTrigger(TriggerMessage):
    """Show an offer to a user, or stop showing it. `revoked` is final, even if `issued` arrives after it."""

    TOPIC = Topic.UPSELL_TRIGGER.value

    kind: TriggerKind = Field(
        description="`issued`: show the offer until `expires_at`. `revoked`: never show it again."
    )
    offer_id: str = Field(description="The offer to show, as the catalog names it.")
    expires_at: UtcTime = Field(description="The instant (UTC) from which the offer must not be shown any more.")
    cms_ref: str | None = Field(default=None, description="For `issued`: the offer's entry in the CMS.")
    price_ref: str | None = Field(default=None, description="For `issued`: the offer's price in another system.")
    plan_to: str | None = Field(default=None, description="For `issued`: the plan to which the offer leads.")
    revoke_reason: str | None = Field(
        default=None,
        description="For `revoked`: the reason why. `moment`: what it was about is no longer true; `replaced`: "
        "another offer took its place; `evicted`: it is too old to be watched; else the gate that no longer lets "
        "it pass.",
    )

    def identity(self) -> str:
        """One id for issuing the trigger and another for revoking it."""
        return f"{self.trigger_id}.{self.kind}"
