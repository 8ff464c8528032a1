"""The answers of the API as models, which describe them in the OpenAPI document: the messages of the .proto file.

Answers are written without them. A client must expect fields that it does not know.
"""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.arrival import Arrival
from shared.domain.moments import MomentKind
from shared.domain.subscription import Status
from shared.domain.triggers import TriggerState

SEQUENCE = "The sequence of the last message about the user; 0 before the first."


class ApiAnswer(BaseModel):
    """Base of all answers. A field that does not apply is null."""

    model_config = ConfigDict(defer_build=True, frozen=True)

    user_id: str


class Subscription(BaseModel):
    """One subscription."""

    model_config = ConfigDict(defer_build=True, frozen=True)

    subscription_id: str
    status: Status
    entitled: bool = Field(description="True while the user has access by it.")
    plan: str | None
    facts: dict[str, Any] = Field(description="Every fact that applies, by the names of `subscription-change`.")


class GetSubscriptionResponse(ApiAnswer):
    """The state of a user's subscription. A user who is unknown has the status `none`."""

    subscription: Subscription = Field(description="The subscription that decides the user's status.")
    trial_used: bool
    sequence: int = Field(ge=0, description=SEQUENCE)
    as_of: datetime = Field(description="The instant for which this is told.")
    stale: bool = Field(description="True if the state is older than asked for.")
    subscriptions: list[Subscription] = Field(
        default=[], description="All subscriptions, if `every` was asked for; else left out."
    )


class GetEntitlementResponse(ApiAnswer):
    """Whether a user has access."""

    entitled: bool
    status: Status
    plan: str | None
    until: datetime | None = Field(
        description="The next instant at which time alone may change this. An event may change it earlier."
    )
    sequence: int = Field(ge=0, description=SEQUENCE)
    etag: str = Field(description="The same for equal answers: HTTP's ETag, without its quotes.")
    stale: bool = Field(
        description="True if the store did not answer, and this is what was told up to 15 minutes ago."
    )


class Offer(BaseModel):
    """A trigger as an app sees it."""

    model_config = ConfigDict(defer_build=True, frozen=True)

    trigger_id: str
    campaign_id: str
    offer_id: str
    placement: str
    channel: str
    cms_ref: str | None
    price_ref: str | None
    plan_to: str | None
    moment: MomentKind
    decided_at: datetime
    expires_at: datetime
    state: TriggerState
    experiment_id: str | None
    variant: str | None


class DecideResponse(ApiAnswer):
    """One offer, or nothing."""

    offer: Offer | None = Field(description="What to show; null for nothing.")
    is_new: bool = Field(
        description="True if the request led to the offer; false if it was open in the placement before."
    )
    is_repeat: bool = Field(description="True if the key was answered before.")
    sequence: int = Field(ge=0, description=SEQUENCE)
    catalog_version: str


class ListOffersResponse(ApiAnswer):
    """The offers that may be shown now, the newest first."""

    offers: list[Offer]
    sequence: int = Field(ge=0, description=SEQUENCE)


class GiveFeedbackResponse(ApiAnswer):
    """What became of the report."""

    outcome: Arrival
    state: TriggerState | None = Field(
        description="The state of the offer after it; null if the document has no room for it any more."
    )
    sequence: int = Field(ge=0, description=SEQUENCE)


class ExplainResponse(ApiAnswer):
    """The newest decision about a user."""

    decision: dict[str, Any] | None = Field(
        description="The decision, as on the topic `decision` (decision.schema.json); null if none is on record."
    )


ANSWERS: dict[str, type[ApiAnswer]] = {
    "GetSubscription": GetSubscriptionResponse,
    "GetEntitlement": GetEntitlementResponse,
    "Decide": DecideResponse,
    "ListOffers": ListOffersResponse,
    "GiveFeedback": GiveFeedbackResponse,
    "Explain": ExplainResponse,
}
"""The answer of each method of the .proto file."""
