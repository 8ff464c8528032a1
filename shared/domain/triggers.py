"""Triggers as the user's document remembers them: what was offered, and what became of it."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from shared.domain.arrival import Arrival, check_same
from shared.domain.errors import Rejected
from shared.domain.events import Event, FeedbackGiven, FeedbackKind
from shared.domain.moments import MomentKind


class Feedback(NamedTuple):
    """The first time that a consumer reported one kind of thing of a trigger."""

    kind: FeedbackKind
    at: datetime
    cause: str = ""
    """The short name of the event; forgotten once it is too old to come again."""
    digest: str = ""


class Trigger(NamedTuple):
    """One offer shown, or to be shown, to one user. It counts towards caps whatever became of it.

    A named tuple, stored by position like `Subscription`: a document may hold 48 of them. What it was decided by
    is kept with it, so that all that is said of it later can be joined with an experiment.
    """

    trigger_id: str
    campaign_id: str
    offer_id: str
    placement: str
    channel: str
    """By what means it is shown; kept so that its revocation passes the same subscription filters."""
    moment: MomentKind
    subscription_id: str
    cause: str
    decided_at: datetime
    expires_at: datetime
    revoked: bool = False
    feedback: tuple[Feedback, ...] = ()
    """At most one of each kind, sorted by kind."""
    catalog_version: str = ""
    experiment_id: str | None = None
    variant: str | None = None
    propensity: float | None = None
    """The probability with which that variant was picked."""
    policy_version: str | None = None
    """The policy that gave the probability; pinned here, so that a later one changes nothing."""
    score: float | None = None
    score_version: int | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether a consumer may still show it."""
        return not self.revoked and now < self.expires_at

    def reported(self, kind: FeedbackKind) -> datetime | None:
        """When a consumer first reported something of it."""
        return next((report.at for report in self.feedback if report.kind is kind), None)


class TriggerState(StrEnum):
    """How far a trigger came, as of some instant."""

    ISSUED = "issued"
    DELIVERED = "delivered"
    IMPRESSION = "impression"
    CLICKED = "clicked"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    CONVERTED = "converted"
    EXPIRED = "expired"
    REVOKED = "revoked"


_FURTHEST_FIRST = (
    FeedbackKind.CONVERTED,
    FeedbackKind.ACCEPTED,
    FeedbackKind.DISMISSED,
    FeedbackKind.CLICKED,
    FeedbackKind.IMPRESSION,
    FeedbackKind.DELIVERED,
)
_ANSWERS = frozenset(_FURTHEST_FIRST[:3])
"""What the user answered: it stands, whatever happens to the trigger afterwards."""


def trigger_state(trigger: Trigger, now: datetime) -> TriggerState:
    """How far a trigger has come by `now`: the user's answer, else that it is over, else what was seen of it."""
    known = {report.kind for report in trigger.feedback}
    furthest = next((kind for kind in _FURTHEST_FIRST if kind in known), None)
    if furthest not in _ANSWERS:
        if trigger.revoked:
            return TriggerState.REVOKED
        if now >= trigger.expires_at:
            return TriggerState.EXPIRED
    return TriggerState(furthest) if furthest else TriggerState.ISSUED


def forget_feedback_events(triggers: tuple[Trigger, ...], before: datetime) -> tuple[Trigger, ...]:
    """Forget which event reported something before an instant: none as old as that comes again."""
    return tuple(_without_old_events(trigger, before) for trigger in triggers)


def _without_old_events(trigger: Trigger, before: datetime) -> Trigger:
    if not any(report.cause and report.at < before for report in trigger.feedback):
        return trigger
    return trigger._replace(
        feedback=tuple(_forget(report) if report.at < before else report for report in trigger.feedback)
    )


def _forget(report: Feedback) -> Feedback:
    return Feedback(report.kind, report.at)


def record_feedback(
    triggers: tuple[Trigger, ...], event: Event, given: FeedbackGiven
) -> tuple[tuple[Trigger, ...], Arrival]:
    """The triggers with what a consumer says of one; of each kind the earliest report counts.

    Raises `Rejected`: `unknown_trigger` for one that the user's document does not hold (any more), `id_reused` if
    the same event came before with other content.
    """
    cause = event.key.cause
    for known in (report for trigger in triggers for report in trigger.feedback):
        if known.cause == cause:
            check_same(known.digest, event)
            return triggers, Arrival.DUPLICATE
    trigger = next((one for one in triggers if one.trigger_id == given.trigger_id), None)
    if trigger is None:
        raise Rejected(
            "unknown_trigger",
            "trigger_id: expected the id of one of this user's recent triggers, found one that is not among them",
        )
    new = Feedback(given.kind, event.occurred_at, cause, event.digest)
    known_kind = next((one for one in trigger.feedback if one.kind is given.kind), None)
    if known_kind and (known_kind.at, known_kind.cause) <= (new.at, new.cause):
        return triggers, Arrival.DUPLICATE
    others = (one for one in trigger.feedback if one.kind is not given.kind)
    noted = trigger._replace(feedback=tuple(sorted((*others, new), key=lambda one: one.kind)))
    return tuple(noted if one is trigger else one for one in triggers), Arrival.APPLIED
