"""The message that announces a change of a user's subscription: the facts before and after it."""

from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, computed_field

from shared.contracts.outbound.base import Json, Sequenced, WrittenTime, name_of, rfc3339
from shared.contracts.topics import Topic
from shared.domain.subscription import Status, Subscription

Facts = dict[str, str | bool | None]
"""The public facts of a subscription as JSON, so that they can be stored and compared with the next ones."""


class SubscriptionFacts(BaseModel):
    """The status, and those public facts that changed; null for a fact that no longer applies."""

    model_config = ConfigDict(defer_build=True, frozen=True)

    status: Status = Field(description="The subscription status of the user.")
    entitled: bool = Field(description="True while the user has access.")
    plan: str | None = Field(default=None, description="The current plan.")
    period_start: WrittenTime | None = Field(default=None, description="The start of the paid period (UTC).")
    period_end: WrittenTime | None = Field(default=None, description="The end of the paid period (UTC).")
    trial_ends_at: WrittenTime | None = Field(default=None, description="The end of the trial (UTC).")
    auto_renew: bool | None = Field(default=None, description="True if it renews at the end of the period.")
    auto_renew_reason: str | None = Field(default=None, description="Why auto-renew was turned off, as reported.")
    grace_until: WrittenTime | None = Field(default=None, description="The end of the grace period (UTC).")
    resume_at: WrittenTime | None = Field(default=None, description="When a paused subscription resumes (UTC).")
    cancel_at: WrittenTime | None = Field(
        default=None, description="When a scheduled cancellation takes effect (UTC)."
    )
    scheduled_plan: str | None = Field(default=None, description="The plan to which a scheduled change leads.")
    price_consent: str | None = Field(
        default=None, description="The user's answer to a price increase: `accepted` or `declined`."
    )


_ALWAYS_TOLD = frozenset({"status", "entitled"})
_ATTRIBUTES = {"status": "shown_status"}
"""The attributes of a subscription that have another name than the fact they hold."""
_values_of = attrgetter(*(_ATTRIBUTES.get(name, name) for name in SubscriptionFacts.model_fields))


def public_facts(subscription: Subscription) -> dict[str, Any]:
    """All public facts of a subscription, by the names of the contract; instants are datetimes in UTC."""
    return dict(zip(SubscriptionFacts.model_fields, _values_of(subscription), strict=True))


def facts_of(subscription: Subscription) -> Facts:
    """All public facts of a subscription as JSON."""
    return {name: _as_json(value) for name, value in public_facts(subscription).items()}


def _as_json(value: Status | datetime | str | bool | None) -> str | bool | None:
    match value:
        case datetime():
            return rfc3339(value)
        case Status():
            return value.value
        case _:
            return value


def difference(before: Facts, after: Facts) -> tuple[SubscriptionFacts, SubscriptionFacts]:
    """Both sides of a change, each with the status, the access, and the facts that differ."""
    names = [name for name in after if name in _ALWAYS_TOLD or before.get(name) != after[name]]
    return _only(names, before), _only(names, after)


def _only(names: Iterable[str], facts: Facts) -> SubscriptionFacts:
    return SubscriptionFacts.model_validate({name: facts.get(name) for name in names})


class SubscriptionChange(Sequenced):
    """The status or a public fact changed: of the user's best subscription, if the user has several."""

    TOPIC = Topic.SUBSCRIPTION_CHANGE.value

    subscription_id: str = Field(
        description="The subscription that determines the user's status after the change."
    )
    cause: str = Field(description="The short id of the event that led to the change.")
    before: SubscriptionFacts = Field(description="The facts as they were last announced.")
    after: SubscriptionFacts = Field(description="The facts as they are now.")

    @computed_field(description="The id of the change.")  # type: ignore[prop-decorator]
    @property
    def change_id(self) -> str:
        """One id for each event and user, since one event changes one user once."""
        return name_of(self.TOPIC, self.user_id, self.cause)

    @property
    def message_id(self) -> str:
        """The change's own id."""
        return self.change_id

    def body(self) -> Json:
        """The message as JSON; of the facts it holds only those that were set."""
        sides = {"before": self.before, "after": self.after}
        facts = {side: told.model_dump(mode="json", exclude_unset=True) for side, told in sides.items()}
        return self.model_dump(mode="json", exclude={"before", "after"}) | facts
