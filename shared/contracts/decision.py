"""The message that says what was considered for a user, and why it came to what it came to."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field

from shared.contracts.outbound import Sequenced, name_of
from shared.contracts.topics import Topic
from shared.domain.moments import MomentKind


class Candidate(BaseModel):
    """A campaign that was considered for a moment, and what came of it."""

    model_config = ConfigDict(frozen=True)

    campaign_id: str = Field(description="The campaign.")
    offer_id: str = Field(description="The offer the user got, or would have got.")
    placement: str = Field(description="Where it would be shown.")
    moment: MomentKind = Field(description="The moment it was considered for.")
    cause: str = Field(description="Names the one occurrence of the moment.")
    subscription_id: str = Field(description="The subscription to which the moment happened.")
    outcome: Literal["issued", "lost"] = Field(description="`issued`: a trigger went out. `lost`: none did.")
    reason: str | None = Field(default=None, description="The gate that stopped it; null where it was issued.")
    detail: str | None = Field(
        default=None, description="What stood in the way: the first failing clause, the cap, the winner."
    )


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
