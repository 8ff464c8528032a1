"""Moments: the points in a subscription's life that a campaign may react to."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from shared.domain.offsets import offset_text


class MomentKind(StrEnum):
    """Every kind of moment; `trial.ending` and `lapsed` are milestones, brought by time alone."""

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
    """The moments of one kind; for a milestone, optionally those at one offset only."""

    kind: MomentKind
    offset: timedelta | None = None
    """The offset of a milestone; None: any offset. Always None for other kinds."""
    campaign: str | None = None
    """The id of the campaign that the moments are about; None: they are not about a campaign."""


class Moment(NamedTuple):
    """One occurrence in the life of one subscription, at one instant (UTC)."""

    kind: MomentKind
    subscription_id: str
    at: datetime
    cause: str
    """The identity of the occurrence: the same each time the moment is derived again.

    It is the short name of the event that caused it, or a name built by `caused_by_time`.
    """
    offset: timedelta | None = None
    """The time before the trial's end (`trial.ending`) or after the expiry (`lapsed`); None for other kinds."""
    grant: str | None = None
    """The name of the grant whose time is ending; None if an event caused the moment."""

    @property
    def by_time(self) -> bool:
        """True if time may bring the moment: then every read derives it again until it has been decided."""
        return self.grant is not None


def caused_by_time(
    kind: MomentKind,
    subscription_id: str,
    at: datetime,
    grant: str,
    *,
    which: str = "",
    offset: timedelta | None = None,
) -> Moment:
    """A moment that follows from a grant of time alone.

    `which` tells apart moments of one kind that the same grant can bring more than once; a milestone's offset does
    the same, whole days by their number and others as `36h`.
    """
    told_apart = which if offset is None else offset_text(offset).removesuffix("d")
    return Moment(kind, subscription_id, at, f"{kind}/{subscription_id}/{told_apart}/{grant}", offset, grant)


class Deferred(NamedTuple):
    """A moment that one campaign has put off because of quiet hours, to be decided afresh at `until` (UTC)."""

    moment: Moment
    campaign_id: str
    until: datetime


def moment_of(considered: Moment | Deferred) -> Moment:
    """The moment itself, deferred or not."""
    return considered.moment if isinstance(considered, Deferred) else considered
