"""What every message about a trigger says of it: what it is, and how it was chosen."""

from pydantic import Field

from shared.contracts.outbound.base import Json, Sequenced
from shared.domain.triggers import Trigger


class AboutTrigger(Sequenced):
    """A message about one trigger, which an analysis can join with the others by how it was chosen."""

    experiment_id: str | None = Field(default=None, description="The experiment it is part of, if any.")
    variant: str | None = Field(default=None, description="The arm of that experiment.")
    propensity: float | None = Field(default=None, ge=0, le=1, description="The probability of that arm.")
    policy_version: str | None = Field(default=None, description="The policy that gave the probability.")
    score: float | None = Field(default=None, description="The score that ranked the campaign, if one did.")
    score_version: int | None = Field(default=None, description="The version of that score.")


def named(trigger: Trigger) -> Json:
    """Write which trigger it is, and what it came of."""
    return {
        "trigger_id": trigger.trigger_id,
        "subscription_id": trigger.subscription_id,
        "campaign_id": trigger.campaign_id,
        "placement": trigger.placement,
        "channel": trigger.channel,
        "moment": trigger.moment.value,
        "cause": trigger.cause,
        "catalog_version": trigger.catalog_version,
    }


def chosen(trigger: Trigger) -> Json:
    """Write how it was chosen; null where that played no part."""
    return {
        "experiment_id": trigger.experiment_id,
        "variant": trigger.variant,
        "propensity": trigger.propensity,
        "policy_version": trigger.policy_version,
        "score": trigger.score,
        "score_version": trigger.score_version,
    }
