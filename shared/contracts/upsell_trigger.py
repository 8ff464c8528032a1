"""The message that says which offer a user should be shown, or shown no longer."""

from enum import StrEnum

from pydantic import Field

from shared.contracts.outbound import Sequenced, UtcTime
from shared.contracts.topics import Topic
from shared.domain.moments import MomentKind


class TriggerKind(StrEnum):
    """Whether an offer may be shown, or no longer."""

    ISSUED = "issued"
    REVOKED = "revoked"


class UpsellTrigger(Sequenced):
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
    experiment_id: str | None = Field(default=None, description="The experiment it is part of, if any.")
    variant: str | None = Field(default=None, description="The arm of that experiment.")
    propensity: float | None = Field(default=None, ge=0, le=1, description="The probability of that arm.")
    policy_version: str | None = Field(default=None, description="The policy that gave the probability.")
    score: float | None = Field(default=None, description="The campaign's score for this user, where it has one.")

    @property
    def message_id(self) -> str:
        """One id for issuing it and another for revoking it."""
        return f"{self.trigger_id}.{self.kind}"
