"""The fields that every message about a trigger has: its identity, and how it was decided."""

from operator import attrgetter

from pydantic import Field

from shared.contracts.outbound.base import Json, Sequenced, UtcTime, rfc3339
from shared.contracts.outbound.decision import decision_id
from shared.domain.moments import MomentKind
from shared.domain.triggers import Trigger


class TriggerMessage(Sequenced):
    """A message about one trigger. Its fields join it with the decision and with every other message about it."""

    trigger_id: str = Field(
        description="The id of the trigger: the same in every message about it, even if it is decided again."
    )
    decision_id: str = Field(description="The `decision_id` of the `decision` that made it.")
    subscription_id: str = Field(description="The subscription that the trigger is about.")
    campaign_id: str = Field(description="The campaign that made the offer.")
    placement: str = Field(description="The place where the offer is shown, as the catalog names it.")
    channel: str = Field(description="The delivery channel of the placement, such as `email` or `in_app`.")
    moment: MomentKind = Field(description="The event in the subscription's life that the campaign reacted to.")
    moment_at: UtcTime | None = Field(
        default=None,
        description="When that moment occurred (UTC); unknown for a trigger decided before it was kept.",
    )
    offset: str | None = Field(
        default=None,
        description="The offset of a milestone, in days or hours: `3d`, `36h`; null for another moment.",
    )
    cause: str = Field(description="The id of the one occurrence of that moment.")
    catalog_version: str = Field(description="The version of the catalog that was in force.")
    experiment_id: str | None = Field(
        default=None, description="The experiment that the campaign takes part in; null if there is none."
    )
    variant: str | None = Field(default=None, description="The variant of that experiment that the user is in.")
    propensity: float | None = Field(
        default=None, ge=0, le=1, description="The probability with which that variant was chosen."
    )
    policy_version: str | None = Field(
        default=None, description="The version of the policy that set the probability; null for fixed weights."
    )
    score: float | None = Field(
        default=None, description="The score that ranked the campaign, 0 to 1; null if no score ranks it."
    )
    score_version: int | None = Field(default=None, description="The version of that score.")
    follows: str | None = Field(
        default=None,
        description="For a moment of feedback: the `trigger_id` of the earlier trigger that it follows.",
    )


_NOT_OF_TRIGGER = Sequenced.model_fields.keys() | {"decision_id"}
_NAMES = tuple(name for name in TriggerMessage.model_fields if name not in _NOT_OF_TRIGGER)
_values_of = attrgetter(*_NAMES)


def trigger_fields(trigger: Trigger, user_id: str) -> Json:
    """The values of those fields for one trigger of a user; all but the decision are named as its own fields."""
    named = dict(zip(_NAMES, _values_of(trigger), strict=True))
    return named | {
        "moment": trigger.moment.value,
        "moment_at": trigger.moment_at and rfc3339(trigger.moment_at),
        "decision_id": decision_id(user_id, trigger.decided_by or trigger.cause),
    }
