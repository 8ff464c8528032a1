"""The message that explains a decision: every campaign that was considered, with its outcome and reason."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field

from shared.contracts.outbound.base import Draft, Json, Sequenced, UtcTime, name_of
from shared.contracts.topics import Topic
from shared.domain.moments import MomentKind


class Outcome(StrEnum):
    """The result for one candidate."""

    ISSUED = "issued"
    LOST = "lost"


def _is_unset(value: object) -> bool:
    """True for the defaults that a candidate leaves out: null, false and an empty list, but not the number 0."""
    return value is None or value is False or value == ()


def _optional(description: str, default: Any = None) -> Any:
    """A field that is left out of the message where it has its default."""
    return Field(default=default, description=description, exclude_if=_is_unset)


def _stated(description: str) -> Any:
    """A field that is left out of the message only where it is null, so that false is told."""
    return Field(default=None, description=description, exclude_if=_is_null)


def _is_null(value: object) -> bool:
    return value is None


class CapCount(BaseModel):
    """One frequency cap of a campaign and how much of it is used."""

    model_config = ConfigDict(defer_build=True, frozen=True, from_attributes=True)

    scope: str = Field(
        description="The triggers that count: those of the `campaign`, `offer`, `placement`, `channel` or `user`."
    )
    event: str = Field(description="The event that is counted: `issued`, or a kind of feedback.")
    window_days: int | None = Field(
        description="The length of the cap's window in days; null if it has no end, or is `calendar_days`."
    )
    max: int = Field(description="The cap's limit.")
    used: int = Field(description="Events counted in the window before this decision.")
    calendar_days: int | None = _optional(
        "The window in days of the user's calendar, today included, in place of `window_days`."
    )


class Candidate(BaseModel):
    """A campaign that was considered for one moment, with its outcome and reason."""

    model_config = ConfigDict(defer_build=True, frozen=True)

    campaign_id: str = Field(description="The campaign.")
    offer_id: str | None = Field(
        description="The offer made, or that would have been made; null if the user's variant gets no offer."
    )
    placement: str = Field(description="The place in the product where the offer would be shown.")
    moment: MomentKind = Field(description="The moment for which the campaign was considered.")
    moment_at: UtcTime | None = _optional("When that moment occurred (UTC).")
    offset: str | None = _optional("The offset of a milestone, in days or hours: `3d`, `36h`.")
    cause: str = Field(description="The id of the one occurrence of that moment.")
    subscription_id: str = Field(description="The subscription in which the moment occurred.")
    outcome: Outcome = Field(description="`issued`: a trigger was sent. `lost`: none was.")
    reason: str | None = Field(
        description="The gate or rule that stopped the campaign; null if a trigger was issued."
    )
    detail: str | None = Field(
        description="What exactly stopped it: the first failing clause, the cap, or the campaign that won instead."
    )
    suppressed: bool = _optional("True if it was held back although it would have won.", default=False)
    holdout: str | None = _optional("The holdout for which the user was not given the offer that won.")
    holdouts: tuple[str, ...] = _optional(
        "Every holdout that covers the campaign and includes the user.", default=()
    )
    trigger_id: str | None = _optional("The id of the trigger that was sent, or that would have been.")
    deferred_until: UtcTime | None = _optional(
        "For the reason `deferred`: when the moment is decided again for this campaign (UTC)."
    )
    caps: tuple[CapCount, ...] = _optional(
        "The campaign's frequency caps and how much of each is used.", default=()
    )
    experiment_id: str | None = _optional("The experiment that the campaign takes part in.")
    variant: str | None = _optional("The variant of that experiment that the user is in.")
    propensity: float | None = _optional("The probability with which that variant was chosen.")
    policy_version: str | None = _optional("The version of the policy that set the probability.")
    segment: str | None = _optional(
        "The segment of that experiment that the user is in, where its policy may tell segments apart."
    )
    unit: Literal["user", "subscription"] | None = _optional(
        "What that experiment assigns: the user, or each subscription by itself."
    )
    bucket_version: int | None = _optional("The version of the experiment's buckets by which it assigns.")
    assigned_at: UtcTime | None = _optional(
        "When the variant was assigned (UTC); left out if a cap or a rest kept the user from being assigned."
    )
    newly_assigned: bool | None = _stated(
        "True if this decision assigned the variant, false if an earlier one did. Where assignments are not kept "
        "(a policy, or `sticky: false`), each decision that the campaign wins assigns anew."
    )
    given: bool | None = _stated(
        "True if the user was given what was due: the offer, or nothing if that is what the variant offers. False "
        "if a holdout, a cap or a rest kept it from the user; left out for a campaign that would not have won."
    )
    score: float | None = _optional("The score that ranked the campaign, 0 to 1.")
    score_version: int | None = _optional("The version of that score.")
    score_error: str | None = _optional(
        "The reason why that score has no value; without one the campaign ranks below all others of its priority."
    )
    follows: str | None = _optional(
        "For a moment of feedback: the `trigger_id` of the earlier trigger that it follows."
    )


def decision_id(user_id: str, cause: str) -> str:
    """The id of the decision that an event led to for a user: one event leads to one decision."""
    return name_of(Topic.DECISION, user_id, cause)


class DecisionMessage(Sequenced):
    """Everything that one decision considered: every candidate with its outcome and reason."""

    TOPIC = Topic.DECISION.value

    cause: str = Field(description="The short id of the event that led to the decision.")
    catalog_version: str = Field(description="The version of the catalog that was in force.")
    moments: tuple[MomentKind, ...] = Field(description="The moments that the decision was about.")
    candidates: tuple[Candidate, ...] = Field(
        min_length=1, description="Every campaign that listens to one of the moments."
    )

    context: dict[str, Any] = Field(
        default={},
        description="What the decision knew: the scores, and the facts and attributes that its clauses and scores "
        "asked for, by their names in the catalog; null for what is unknown. At most 512 bytes.",
    )
    context_left_out: tuple[str, ...] = _optional(
        "The names of what the decision asked for besides, for which the context had no room.", default=()
    )
    features_missing: tuple[str, ...] = _optional(
        "Why features that the decision asked for counted as unknown: they were stale, had no value, or could not "
        "be read. At most four reasons, and the number of the others.",
        default=(),
    )

    @computed_field(description="The id of the decision.")  # type: ignore[prop-decorator]
    @property
    def decision_id(self) -> str:
        """One id for each event and user."""
        return decision_id(self.user_id, self.cause)

    @computed_field(description="`issued` if any candidate was issued, else `withheld`.")  # type: ignore[prop-decorator]
    @property
    def outcome(self) -> Literal["issued", "withheld"]:
        """The overall result, for subscription filters."""
        return _outcome(one.outcome for one in self.candidates)

    def identity(self) -> str:
        """The decision's own id."""
        return self.decision_id


def decision_draft(
    user_id: str, cause: str, about: Json, candidates: Sequence[Json], left_out: Sequence[str]
) -> Draft:
    """The message about a decision: its candidates, of which there is at least one, and other fields `about` it.

    `left_out` are the names for which its context had no room.
    """
    name = decision_id(user_id, cause)
    fields = {"decision_id": name, "cause": cause, "candidates": candidates, **about}
    fields["outcome"] = _outcome(one["outcome"] for one in candidates)
    if left_out:
        fields["context_left_out"] = [*left_out]
    return Draft(DecisionMessage.TOPIC, name, fields)


def _outcome(of_candidates: Iterable[str]) -> Literal["issued", "withheld"]:
    return "issued" if Outcome.ISSUED in of_candidates else "withheld"
