"""Triggers as the user's document keeps them: the offers that were made, and the feedback on each."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from shared.domain.arrival import Arrival, check_same
from shared.domain.copying import copied_quickly
from shared.domain.errors import Rejected
from shared.domain.events import Event, FeedbackGiven, FeedbackKind
from shared.domain.moments import MomentKind

REPLACED = "replaced"
"""The `revoke_reason` of a trigger whose place another one took."""


class Feedback(NamedTuple):
    """The first report of one kind of feedback on a trigger. Reports sort by kind, time and cause."""

    kind: FeedbackKind
    at: datetime
    cause: str = ""
    """The short name of the event that reported it; emptied once that event is too old to be redelivered."""
    digest: str = ""


FINAL = frozenset({FeedbackKind.ACCEPTED, FeedbackKind.CONVERTED})
"""The feedback after which a trigger is done."""


@copied_quickly
class Trigger(NamedTuple):
    """One offer made to one user. It counts towards caps even if it was revoked or never shown.

    A named tuple, stored by position like `Subscription`: a document may hold 48 of them. It keeps how it was
    decided, so that later messages about it can be joined with the experiment.
    """

    trigger_id: str
    campaign_id: str
    offer_id: str
    placement: str
    channel: str
    """The delivery channel; kept so that the revocation passes the same subscription filters."""
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
    """The probability with which the variant was chosen."""
    policy_version: str | None = None
    """The version of the policy that set the probability, pinned so that a later version changes nothing."""
    score: float | None = None
    score_version: int | None = None
    grant: str | None = None
    """The moment's `grant`: the name of what the offer is about; None if an event caused it."""
    withheld: str = ""
    """The reason why the user was not given the offer that won: `holdout` or `variant`; empty if it was given.

    Such a row counts in caps, rests, groups and places like any other, so that control differs by the offer alone.
    """
    revoke_reason: str = ""
    """The reason why it was revoked; empty if it was not."""
    decided_by: str = ""
    """The short name of the event that led to the decision; empty if it is `cause`."""
    offset: str | None = None
    """The offset of its moment, as text; None if that has none, or it was not stored yet."""
    follows: str | None = None
    """The id of the trigger that its moment follows; None if it is no follow-up."""
    impressions: tuple[Feedback, ...] = ()
    """The impressions after the first, oldest first; those of all triggers of a user are at most 32."""
    moment_at: datetime | None = None
    """The instant of its moment; None in rows from before it was kept."""

    @property
    def reports(self) -> tuple[Feedback, ...]:
        """Every report of feedback that is kept."""
        return self.feedback + self.impressions

    @property
    def is_final(self) -> bool:
        """True once the user accepted it or converted: then it is never revoked."""
        return bool(self.feedback) and any(report.kind in FINAL for report in self.feedback)

    def holds_place(self, now: datetime) -> bool:
        """True while it takes up its placement: it is open, and the user has not answered it."""
        if not self.is_open(now):
            return False
        return not self.feedback or not any(report.kind in _ANSWERS for report in self.feedback)

    def revoke(self, reason: str) -> "Trigger":
        """The trigger, revoked."""
        return self._replace(revoked=True, revoke_reason=reason)

    def plus(self, report: Feedback) -> "Trigger":
        """The trigger with one more report; the very same one if it adds nothing. The earliest of a kind counts.

        Of impressions the others are kept as well.
        """
        if any(one.kind is report.kind and one.at == report.at and not one.cause for one in self.reports):
            return self  # the same report, whose event was forgotten
        known = next((one for one in self.feedback if one.kind is report.kind), None)
        first = report if known is None else min(known, report)
        others = (one for one in self.feedback if one is not known)
        with_first = self._replace(feedback=tuple(sorted((*others, first))))
        if known and report.kind is FeedbackKind.IMPRESSION:
            later = known if first is report else report
            return with_first._replace(impressions=tuple(sorted((*self.impressions, later))))
        return self if first is known else with_first

    def is_open(self, now: datetime) -> bool:
        """True while a consumer may show it."""
        return now < self.expires_at and not self.revoked and not self.is_final

    def reported(self, kind: FeedbackKind) -> datetime | None:
        """The time of the first feedback of a kind; None if there was none."""
        return next((report.at for report in self.feedback if report.kind is kind), None)


class TriggerState(StrEnum):
    """The furthest state that a trigger has reached at some instant."""

    ISSUED = "issued"
    DELIVERED = "delivered"
    IMPRESSION = "impression"
    CLICKED = "clicked"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    CONVERTED = "converted"
    WITHHELD = "withheld"
    EXPIRED = "expired"
    REVOKED = "revoked"


_ANSWERS = (FeedbackKind.CONVERTED, FeedbackKind.ACCEPTED, FeedbackKind.DISMISSED)
"""The user's own answers: they stand, whatever happens to the trigger afterwards."""
_FURTHEST_FIRST = (*_ANSWERS, FeedbackKind.CLICKED, FeedbackKind.IMPRESSION, FeedbackKind.DELIVERED)


def trigger_state(trigger: Trigger, now: datetime) -> TriggerState:
    """The state of a trigger at `now`: the user's answer, else revoked or expired, else the furthest feedback."""
    if trigger.withheld:
        return TriggerState.WITHHELD
    known = {report.kind for report in trigger.feedback}
    furthest = next((kind for kind in _FURTHEST_FIRST if kind in known), None)
    if furthest not in _ANSWERS:
        if trigger.revoked:
            return TriggerState.REVOKED
        if now >= trigger.expires_at:
            return TriggerState.EXPIRED
    return TriggerState(furthest) if furthest else TriggerState.ISSUED


def forget_feedback_events(triggers: tuple[Trigger, ...], before: datetime) -> tuple[Trigger, ...]:
    """The triggers without the identities of feedback events that are too old to be redelivered."""
    return tuple(_without_old_events(trigger, before) for trigger in triggers)


def _without_old_events(trigger: Trigger, before: datetime) -> Trigger:
    if not any(report.cause and report.at < before for report in trigger.reports):
        return trigger
    feedback, impressions = (
        tuple(Feedback(report.kind, report.at) if report.at < before else report for report in reports)
        for reports in (trigger.feedback, trigger.impressions)
    )
    return trigger._replace(feedback=feedback, impressions=impressions)


def record_feedback(
    triggers: tuple[Trigger, ...], event: Event, given: FeedbackGiven
) -> tuple[tuple[Trigger, ...], Arrival]:
    """The triggers with one more report of feedback.

    Raises `Rejected`: `unknown_trigger` if the user's document does not hold the trigger (any more), `id_reused`
    if the same event arrived before with other content.
    """
    cause = event.key.cause
    for known in (report for trigger in triggers for report in trigger.reports):
        if known.cause == cause:
            check_same(known.digest, event)
            return triggers, Arrival.DUPLICATE
    trigger = next((one for one in triggers if one.trigger_id == given.trigger_id and not one.withheld), None)
    if trigger is None:
        raise Rejected(
            "unknown_trigger",
            "trigger_id: expected the id of one of this user's recent triggers, found one that is not among them",
        )
    changed = trigger.plus(Feedback(given.kind, event.occurred_at, cause, event.digest))
    if changed is trigger:
        return triggers, Arrival.DUPLICATE
    return tuple(changed if one is trigger else one for one in triggers), Arrival.APPLIED
