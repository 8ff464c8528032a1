"""The message that says what is now so of a user's subscription, and what was before."""

from pydantic import BaseModel, ConfigDict, Field, computed_field

from shared.contracts.outbound.base import Json, Sequenced, WrittenTime, name_of, rfc3339
from shared.contracts.outbound.message import Message
from shared.contracts.topics import Topic
from shared.domain.subscription import Status, Subscription

Facts = dict[str, str | bool | None]
"""Facts as they stand in a body: JSON-ready, so that they can be stored and compared with the next ones."""
ALWAYS_TOLD = frozenset({"status", "entitled"})


class SubscriptionFacts(BaseModel):
    """The status, and of the facts beside it those that changed; null where a fact ceased to be."""

    model_config = ConfigDict(defer_build=True, frozen=True)

    status: Status = Field(description="The user's status.")
    entitled: bool = Field(description="Whether the user has access.")
    plan: str | None = Field(default=None, description="The plan.")
    period_start: WrittenTime | None = Field(default=None, description="The start of the period paid for (UTC).")
    period_end: WrittenTime | None = Field(default=None, description="The end of that period (UTC).")
    trial_ends_at: WrittenTime | None = Field(default=None, description="The end of the trial (UTC).")
    auto_renew: bool | None = Field(default=None, description="Whether it renews when the period ends.")
    auto_renew_reason: str | None = Field(default=None, description="Why it renews no more.")
    grace_until: WrittenTime | None = Field(default=None, description="The end of grace (UTC).")
    resume_at: WrittenTime | None = Field(default=None, description="When the pause ends (UTC).")
    cancel_at: WrittenTime | None = Field(default=None, description="When a cancellation takes effect (UTC).")
    scheduled_plan: str | None = Field(default=None, description="The plan it changes to.")
    price_consent: str | None = Field(default=None, description="What the user said of a price increase.")


def facts_of(subscription: Subscription) -> Facts:
    """Tell everything of a subscription that a `subscription-change` may tell."""
    change = subscription.plan_change
    return {
        "status": subscription.shown_status.value,
        "entitled": subscription.entitled,
        "plan": subscription.plan,
        "period_start": rfc3339(subscription.period_start),
        "period_end": rfc3339(subscription.period_end),
        "trial_ends_at": rfc3339(subscription.trial_ends_at),
        "auto_renew": subscription.auto_renew,
        "auto_renew_reason": subscription.auto_renew_reason,
        "grace_until": rfc3339(subscription.grace_until),
        "resume_at": rfc3339(subscription.resume_at),
        "cancel_at": rfc3339(subscription.cancel_at),
        "scheduled_plan": change.to_plan if change else None,
        "price_consent": subscription.price_consent,
    }


def difference(before: Facts, after: Facts) -> tuple[Facts, Facts]:
    """Keep of both the status, whether it entitles, and what is not the same in the other."""
    kept = [name for name in after if name in ALWAYS_TOLD or before.get(name) != after[name]]
    return {name: before.get(name) for name in kept}, {name: after[name] for name in kept}


class SubscriptionChange(Sequenced):
    """The user's status or a fact beside it is another: of the user's best subscription, if there are several."""

    TOPIC = Topic.SUBSCRIPTION_CHANGE.value

    subscription_id: str = Field(description="The subscription that speaks for the user after the change.")
    cause: str = Field(description="Names the event that brought the change.")
    before: SubscriptionFacts = Field(description="What was told last.")
    after: SubscriptionFacts = Field(description="What is so now.")

    @computed_field(description="Names the change.")  # type: ignore[prop-decorator]
    @property
    def change_id(self) -> str:
        """One event changes one user once."""
        return name_of(self.TOPIC, self.user_id, self.cause)

    @property
    def message_id(self) -> str:
        """The change's own."""
        return self.change_id


def change_message(begin: Json, subscription_id: str, cause: str, before: Facts, after: Facts) -> Message:
    """Say what changed; `begin` is what `header` gave. Of the facts it holds those alone that are given."""
    change_id = name_of(Topic.SUBSCRIPTION_CHANGE.value, begin["user_id"], cause)
    body = begin | {
        "subscription_id": subscription_id,
        "cause": cause,
        "before": before,
        "after": after,
        "change_id": change_id,
    }
    return Message(Topic.SUBSCRIPTION_CHANGE.value, change_id, body)
