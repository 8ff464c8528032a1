"""The message that tells a channel to show an offer to a user, or to stop showing it."""

from enum import StrEnum

from pydantic import Field

from shared.contracts.outbound.base import Draft, Json, UtcTime, rfc3339
from shared.contracts.outbound.trigger_fields import TriggerMessage, trigger_fields
from shared.contracts.topics import Topic
from shared.domain.triggers import Trigger


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
        return _identity(self.trigger_id, self.kind)


def issued(trigger: Trigger, user_id: str, of_offer: Json) -> Draft:
    """The message that shows a trigger's offer. `of_offer` are the fields that the catalog gives of it."""
    return _draft(trigger, user_id, TriggerKind.ISSUED, of_offer | {"revoke_reason": None})


def revoked(trigger: Trigger, user_id: str) -> Draft:
    """The message that takes a trigger's offer back."""
    return _draft(trigger, user_id, TriggerKind.REVOKED, _NO_OFFER | {"revoke_reason": trigger.revoke_reason})


_NO_OFFER: Json = dict.fromkeys(("cms_ref", "price_ref", "plan_to"))


def _draft(trigger: Trigger, user_id: str, kind: TriggerKind, more: Json) -> Draft:
    about = {"kind": kind.value, "offer_id": trigger.offer_id, "expires_at": rfc3339(trigger.expires_at)}
    fields = trigger_fields(trigger, user_id) | about | more
    return Draft(UpsellTrigger.TOPIC, _identity(trigger.trigger_id, kind), fields)


def _identity(trigger_id: str, kind: TriggerKind) -> str:
    return f"{trigger_id}.{kind.value}"
