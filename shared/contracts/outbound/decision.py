"""The message that says what was considered for a user, and why it came to what it came to."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field

from shared.contracts.outbound.base import Json, Sequenced, name_of
from shared.contracts.outbound.message import Message
from shared.contracts.topics import Topic
from shared.domain.moments import MomentKind


class CapCount(BaseModel):
    """How far a cap is used up, before this decision."""

    model_config = ConfigDict(defer_build=True, frozen=True)

    scope: str = Field(
        description="Which triggers are counted: of the campaign, offer, placement, channel or user."
    )
    event: str = Field(description="What is counted: `issued`, or a kind of feedback.")
    window_days: int | None = Field(description="In how many days; null: ever.")
    max: int = Field(description="As many as there may be.")
    used: int = Field(description="As many as there are.")


class Candidate(BaseModel):
    """A campaign that was considered for a moment, and what came of it."""

    model_config = ConfigDict(defer_build=True, frozen=True)

    campaign_id: str = Field(description="The campaign.")
    offer_id: str | None = Field(
        description="The offer the user got, or would have got; null where the variant is to get nothing."
    )
    placement: str = Field(description="Where it would be shown.")
    moment: MomentKind = Field(description="The moment it was considered for.")
    cause: str = Field(description="Names the one occurrence of the moment.")
    subscription_id: str = Field(description="The subscription to which the moment happened.")
    outcome: Literal["issued", "lost"] = Field(description="`issued`: a trigger went out. `lost`: none did.")
    reason: str | None = Field(default=None, description="The gate that stopped it; null where it was issued.")
    detail: str | None = Field(
        default=None, description="What stood in the way: the first failing clause, the cap, the winner."
    )
    suppressed: bool = Field(default=False, description="It was held back though it would have won.")
    holdout: str | None = Field(default=None, description="The holdout that the user is in.")
    caps: tuple[CapCount, ...] = Field(default=(), description="How far its caps are used up.")
    experiment_id: str | None = Field(default=None, description="The experiment that it is part of, if any.")
    variant: str | None = Field(default=None, description="The arm of that experiment.")
    propensity: float | None = Field(default=None, description="The probability of that arm.")
    policy_version: str | None = Field(default=None, description="The policy that gave the probability.")
    score: float | None = Field(default=None, description="The score that ranked it, if one did.")
    score_version: int | None = Field(default=None, description="The version of that score.")


class DecisionMessage(Sequenced):
    """Everything that was considered for the moments of one commit, and why each came to what it came to."""

    TOPIC = Topic.DECISION.value

    cause: str = Field(description="Names the event that led to the decision.")
    catalog_version: str = Field(description="The catalog by which it was decided.")
    moments: tuple[MomentKind, ...] = Field(description="What had happened.")
    candidates: tuple[Candidate, ...] = Field(min_length=1, description="Every campaign that listens to that.")

    @computed_field(description="Names the decision.")  # type: ignore[prop-decorator]
    @property
    def decision_id(self) -> str:
        """One event leads to one decision about one user."""
        return name_of(self.TOPIC, self.user_id, self.cause)

    @computed_field(description="`issued` if any candidate was, else `withheld`.")  # type: ignore[prop-decorator]
    @property
    def outcome(self) -> Literal["issued", "withheld"]:
        """What a filter may ask for: did anything come of it."""
        return "issued" if any(one.outcome == "issued" for one in self.candidates) else "withheld"

    @property
    def message_id(self) -> str:
        """The decision's own."""
        return self.decision_id


def decision_message(
    begin: Json, cause: str, catalog_version: str, moments: Sequence[MomentKind], candidates: Sequence[Json]
) -> Message:
    """Say what was considered; `begin` is what `header` gave."""
    decision_id = name_of(Topic.DECISION.value, begin["user_id"], cause)
    issued = any(candidate["outcome"] == "issued" for candidate in candidates)
    body = begin | {
        "cause": cause,
        "catalog_version": catalog_version,
        "moments": [moment.value for moment in moments],
        "candidates": list(candidates),
        "decision_id": decision_id,
        "outcome": "issued" if issued else "withheld",
    }
    return Message(Topic.DECISION.value, decision_id, body)
