"""The requests of the API. Nothing is coerced, and a field that is not known is an error."""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.inbound import fields
from shared.contracts.inbound.fields import Expected, Flag, Id, Time
from shared.contracts.inbound.validation import validate

MAX_SEQUENCE = 2**53 - 1
"""The greatest number that every JSON reader knows exactly."""
Sequence = Annotated[
    int, Field(ge=0, le=MAX_SEQUENCE), Expected(f"an integer from 0 to {MAX_SEQUENCE}", between=(0, MAX_SEQUENCE))
]


class ApiRequest(BaseModel):
    """Base of all requests, each about one user."""

    model_config = ConfigDict(
        defer_build=True, strict=True, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    user_id: Id = Field(description="The id of the user, as in events.")


class GetSubscription(ApiRequest):
    """The state of a user's subscription now."""

    every: Flag = Field(default=False, description="True for all subscriptions, not only the one that decides.")
    min_sequence: Sequence = Field(
        default=0,
        description="Wait for up to 2 s until a message of this `sequence` was told; else the answer is `stale`.",
    )
    after_event_id: Id | None = Field(
        default=None,
        description="Wait for up to 2 s until this event is among the user's recent ones; else it is `stale`.",
    )


class GetEntitlement(ApiRequest):
    """Whether the user has access now, small and cacheable."""


class Decide(ApiRequest):
    """What to offer the user in a placement now."""

    placement: Id = Field(description="A placement of the catalog.")
    idempotency_key: Id = Field(
        description="A key of your own: the same for every repeat of the request, and new for each new one of the "
        "user. A repeat has the same answer."
    )
    dry_run: Flag = Field(default=False, description="True to commit and publish nothing.")


class ListOffers(ApiRequest):
    """The offers that may be shown to the user now."""

    placement: Id | None = Field(default=None, description="Only those of this placement.")


class GiveFeedback(ApiRequest):
    """What happened with an offer, as `trigger-feedback` tells it."""

    trigger_id: Id = Field(description="The offer's `trigger_id`.")
    kind: fields.Feedback = Field(description="What happened to the offer.")
    occurred_at: Time | None = Field(default=None, description="When it happened; by default now.")
    event_id: Id | None = Field(
        default=None,
        description="The id of the report, the same for every repeat; by default one for each trigger and kind.",
    )


class Explain(ApiRequest):
    """The newest decision about the user, with every campaign's reason."""


R = TypeVar("R", bound=ApiRequest)


def read(model: type[R], content: dict[str, Any]) -> R:
    """The request in some content. Raises `Rejected` (`unknown_value`, `invalid`), which repeats no value."""
    return validate(model, content)
