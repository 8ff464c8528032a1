"""Effects: everything that one processing has to tell others, as one immutable value."""

from dataclasses import dataclass, field

from shared.contracts.outbound.subscription_change import Facts
from shared.decisioning.decide import Decision
from shared.domain.moments import Moment, MomentKind
from shared.domain.subscription import Status
from shared.domain.triggers import Trigger


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a subscription's public facts, or moments in its life, to be announced."""

    subscription_id: str
    before: Facts
    """The facts that were announced last."""
    after: Facts
    user_status: Status
    """The user's status after the change, by the best of the subscriptions."""
    payment: Facts = field(default_factory=dict)
    """The amount and currency of the payment that grants the period, if they are known."""
    moments: tuple[Moment, ...] = ()
    """Its moments that were not told before, heard by a campaign or not, in the order of their instants."""


@dataclass(frozen=True, slots=True)
class Effects:
    """The effects of one event, in the order in which the outbox writes them."""

    untrue: tuple[Trigger, ...] = ()
    """Open triggers that no longer describe the user, to be revoked."""
    reported: tuple[Trigger, ...] = ()
    """Triggers on which the event gives new feedback."""
    decision: Decision | None = None
    """The triggers to issue, the offers held back, and every candidate with its reason; None if none was due."""
    moments: tuple[MomentKind, ...] = ()
    """The moments that the decision was about."""
    changes: tuple[Change, ...] = ()
    """The subscriptions whose public facts are no longer as announced last, or that had a moment."""
    gone: tuple[Trigger, ...] = ()
    """Open triggers that the decision leaves untrue, to be revoked.

    The document has no room for them any more, so that nobody could watch them, or for what they follow.
    """
