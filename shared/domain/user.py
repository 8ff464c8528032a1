"""The input of a decision: everything known about one user, as of one instant."""

from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.account import Account
from shared.domain.assignments import Assignment
from shared.domain.attributes import NO_ATTRIBUTES, Attributes
from shared.domain.events import Event, Profile
from shared.domain.features import NO_FEATURES, KnownFeatures
from shared.domain.signals import BehaviouralSignal
from shared.domain.subscription import Subscription
from shared.domain.tallies import Tallies
from shared.domain.triggers import Trigger


@dataclass(frozen=True, slots=True)
class User:
    """One user at `now` (UTC); every deadline up to and including `now` has been passed."""

    user_id: str
    now: datetime
    account: Account
    profile: Profile
    signals: tuple[BehaviouralSignal, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    """Offers already made, oldest first; caps and cool-downs count them."""
    tallies: Tallies = field(default_factory=Tallies)
    """Counters for older offers, which count too."""
    assignments: tuple[Assignment, ...] = ()
    """The experiment variants given to the user."""
    attributes: Attributes = NO_ATTRIBUTES
    event: Event | None = None
    """The event that is being processed; None if there is none."""
    features: KnownFeatures = NO_FEATURES
    subscription: Subscription = field(init=False, repr=False, compare=False)
    """The best subscription, which determines the user's status."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "subscription", self.account.best)  # once, because most facts are about it

    def trigger(self, trigger_id: str) -> Trigger | None:
        """One of the triggers; None if it is not among them, or not any more."""
        return next((one for one in self.triggers if one.trigger_id == trigger_id), None)
