"""An account: all subscriptions of one user, and the rule that picks the best of them."""

from operator import attrgetter
from typing import NamedTuple

from shared.domain.instants import BEGINNING_OF_TIME
from shared.domain.subscription import RANK, Subscription

MAX_SUBSCRIPTIONS = 8
"""The most subscriptions kept for one user; the fold evicts one before it adds a ninth."""
DEFAULT_SUBSCRIPTION = "main"
"""The subscription id of an event that gives none."""
_id = attrgetter("id")


class Account(NamedTuple):
    """All subscriptions of one user, sorted by id, and the one fact that belongs to the user."""

    subscriptions: tuple[Subscription, ...] = ()
    trial_used: bool = False
    """True once any trial of this user has started."""

    @property
    def best(self) -> Subscription:
        """The subscription that determines the user's status: best status, later `period_end`, smaller id."""
        if len(self.subscriptions) == 1:
            return self.subscriptions[0]
        return min(self.subscriptions, key=_best_first, default=Subscription(DEFAULT_SUBSCRIPTION))

    def get(self, subscription_id: str) -> Subscription:
        """The subscription with this id, or an empty one."""
        for subscription in self.subscriptions:
            if subscription.id == subscription_id:
                return subscription
        return Subscription(subscription_id)

    def put(self, changed: Subscription) -> "Account":
        """The account with one subscription added or replaced."""
        others = [sub for sub in self.subscriptions if sub.id != changed.id]
        return Account(tuple(sorted([*others, changed], key=_id) if others else (changed,)), self.trial_used)

    def without(self, subscription_id: str) -> "Account":
        """The account without this subscription; `trial_used` stays."""
        others = tuple(sub for sub in self.subscriptions if sub.id != subscription_id)
        return Account(others, self.trial_used)


def _best_first(subscription: Subscription) -> tuple[int, float, str]:
    ends = subscription.period_end or BEGINNING_OF_TIME
    return RANK[subscription.status], -ends.timestamp(), subscription.id
