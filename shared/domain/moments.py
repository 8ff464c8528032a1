"""Moments: the points in a subscription's life that a campaign may react to."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from shared.domain.offsets import offset_text


class MomentKind(StrEnum):
    """Every kind of moment. At an offset before an end or after a beginning it is a milestone, brought by time.

    Those of feedback are follow-ups, of an earlier trigger. `offer.requested` comes whenever an app asks.
    """

    TRIAL_STARTED = "trial.started"
    TRIAL_ENDING = "trial.ending"
    TRIAL_CONVERTED = "trial.converted"
    TRIAL_ENDED = "trial.ended"
    ACTIVATED = "activated"
    RENEWED = "renewed"
    PERIOD_ENDING = "period.ending"
    PAYMENT_FAILED = "payment.failed"
    PAYMENT_RECOVERED = "payment.recovered"
    PLAN_CHANGED = "plan.changed"
    AUTO_RENEW_OFF = "auto_renew.off"
    AUTO_RENEW_ON = "auto_renew.on"
    PAUSED = "paused"
    PAUSED_ENDING = "paused.ending"
    RESUMED = "resumed"
    EXPIRED = "expired"
    LAPSED = "lapsed"
    REFUNDED = "refunded"
    CHURN_RISK_RAISED = "churn_risk.raised"
    FEEDBACK_ABSENT = "feedback.absent"
    FEEDBACK_CLICKED = "feedback.clicked"
    FEEDBACK_DISMISSED = "feedback.dismissed"
    OFFER_REQUESTED = "offer.requested"


BY_TIME_ALONE = frozenset(
    {MomentKind.TRIAL_ENDING, MomentKind.PERIOD_ENDING, MomentKind.PAUSED_ENDING, MomentKind.LAPSED}
)
"""The kinds that always have an offset."""
MILESTONES = BY_TIME_ALONE | {MomentKind.TRIAL_STARTED, MomentKind.ACTIVATED}
"""The kinds that may have an offset. Without one, `activated` and `trial.started` are the moment itself."""
FOLLOW_UPS = frozenset({MomentKind.FEEDBACK_ABSENT, MomentKind.FEEDBACK_CLICKED, MomentKind.FEEDBACK_DISMISSED})
"""The kinds that follow an earlier trigger of the user: an answer to it, or none by some time."""
NOT_TOLD = frozenset({MomentKind.OFFER_REQUESTED})
"""The kinds that are no part of a subscription's life, so that no `subscription-change` tells them."""


def is_milestone(kind: MomentKind, offset: object) -> bool:
    """True for a moment of this kind and offset (None: it has none) that only time brings."""
    return kind in BY_TIME_ALONE or (offset is not None and kind in MILESTONES)


class MomentSelector(NamedTuple):
    """The moments of one kind; for a milestone, optionally those at one offset only.

    A follow-up names the campaign whose triggers it follows.
    """

    kind: MomentKind
    offset: timedelta | None = None
    """The offset of a milestone (None: every one of the map), or the wait of `feedback.absent`; else None."""
    campaign: str | None = None
    """The campaign whose triggers a follow-up follows. None for other kinds."""

    @property
    def is_of_map(self) -> bool:
        """True for a milestone without its offset: it stands for every offset in the catalog's `milestones`."""
        return self.offset is None and self.kind in BY_TIME_ALONE


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
    """The time between a milestone and what it is about, or the wait of `feedback.absent`; else None."""
    grant: str | None = None
    """The name of what time begins or ends: a grant, or the subject of a milestone; None for other moments."""
    follows: str | None = None
    """The id of the trigger that a follow-up follows; None for other kinds."""
    campaign: str | None = None
    """The campaign of that trigger."""

    @property
    def offset_text(self) -> str | None:
        """The offset as messages write it, such as `3d` or `36h`."""
        return offset_text(self.offset) if self.offset else None

    @property
    def is_derived(self) -> bool:
        """True if the moment is derived again at every read until it has been decided.

        Time may bring it, or the feedback that the document keeps.
        """
        return self.grant is not None or self.follows is not None


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


def names_derived(cause: str) -> bool:
    """True for the cause of a derived moment; that of any other is the short name of an event."""
    return "/" in cause


def grant_in(cause: str) -> str | None:
    """The grant in a cause that `caused_by_time` built, since ids have no slash; None for any other cause."""
    parts = cause.split("/", 3)
    return parts[3] if len(parts) == 4 else None


class Deferred(NamedTuple):
    """A moment that one campaign has put off because of quiet hours, to be decided afresh at `until` (UTC)."""

    moment: Moment
    campaign_id: str
    until: datetime


def moment_of(considered: Moment | Deferred) -> Moment:
    """The moment itself, deferred or not."""
    return considered.moment if isinstance(considered, Deferred) else considered
