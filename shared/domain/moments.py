"""Moments: what happened to a subscription that a campaign may react to."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class MomentKind(StrEnum):
    """Every moment there is; `trial.ending` and `lapsed` are milestones, brought by time alone."""

    TRIAL_STARTED = "trial.started"
    TRIAL_ENDING = "trial.ending"
    TRIAL_CONVERTED = "trial.converted"
    TRIAL_ENDED = "trial.ended"
    ACTIVATED = "activated"
    RENEWED = "renewed"
    PAYMENT_FAILED = "payment.failed"
    PAYMENT_RECOVERED = "payment.recovered"
    PLAN_CHANGED = "plan.changed"
    AUTO_RENEW_OFF = "auto_renew.off"
    AUTO_RENEW_ON = "auto_renew.on"
    PAUSED = "paused"
    RESUMED = "resumed"
    EXPIRED = "expired"
    LAPSED = "lapsed"
    REFUNDED = "refunded"
    CHURN_RISK_RAISED = "churn_risk.raised"


MILESTONES = frozenset({MomentKind.TRIAL_ENDING, MomentKind.LAPSED})


class MomentSelector(NamedTuple):
    """The moments of one kind; of a milestone also those at one offset alone."""

    kind: MomentKind
    offset_days: int | None = None
    """Of a milestone, in whole days; None: at any offset. None for every other kind."""


class Moment(NamedTuple):
    """One thing that happened to one subscription, at one instant (UTC)."""

    kind: MomentKind
    subscription_id: str
    at: datetime
    cause: str
    """What makes it one and the same moment whenever it is seen again.

    An event's short name, or kind/subscription/offset/name of the event that granted the time now ending.
    """
    offset_days: int | None = None
    """Of a milestone: days before the trial's end, or after the expiry."""

    @property
    def by_time(self) -> bool:
        """Whether it is named by a grant, since time may bring it: it comes up at every reading until decided."""
        return "/" in self.cause


class Deferred(NamedTuple):
    """A moment that one campaign has put off, since the user is not to be disturbed: decided afresh at `until`."""

    moment: Moment
    campaign_id: str
    until: datetime


def moment_of(asked: Moment | Deferred) -> Moment:
    """The moment itself, put off or not."""
    return asked.moment if isinstance(asked, Deferred) else asked
