"""An account: all subscriptions of one user, and which of them speaks for the user."""

from operator import attrgetter
from typing import NamedTuple

from shared.domain.instants import BEGINNING_OF_TIME
from shared.domain.subscription import RANK, Subscription

MAX_SUBSCRIPTIONS = 8
DEFAULT_SUBSCRIPTION = "main"
_id = attrgetter("id")


class Account(NamedTuple):
    """All subscriptions of one user, sorted by id, and the one fact that is the user's alone."""

    subscriptions: tuple[Subscription, ...] = ()
    trial_used: bool = False

    @property
    def best(self) -> Subscription:
        """The subscription whose status is the user's: best status, then later period_end, then id."""
        if len(self.subscriptions) == 1:
            return self.subscriptions[0]
        return min(self.subscriptions, key=_precedence, default=Subscription(DEFAULT_SUBSCRIPTION))

    def get(self, subscription_id: str) -> Subscription:
        """The subscription of that id, or an empty one."""
        for subscription in self.subscriptions:
            if subscription.id == subscription_id:
                return subscription
        return Subscription(subscription_id)

    def put(self, changed: Subscription) -> "Account":
        """The account with one subscription replaced or added."""
        others = [sub for sub in self.subscriptions if sub.id != changed.id]
        return Account(tuple(sorted([*others, changed], key=_id) if others else (changed,)), self.trial_used)

    def without(self, subscription_id: str) -> "Account":
        """The account as if that subscription had never been."""
        others = tuple(sub for sub in self.subscriptions if sub.id != subscription_id)
        return Account(others, self.trial_used)


def _precedence(subscription: Subscription) -> tuple[int, float, str]:
    ends = subscription.period_end or BEGINNING_OF_TIME
    return RANK[subscription.shown_status], -ends.timestamp(), subscription.id
