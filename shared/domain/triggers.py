"""Triggers as the user's document remembers them: what was offered, and what became of it."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from shared.domain.arrival import Arrival, check_same
from shared.domain.errors import Rejected
from shared.domain.events import Event, FeedbackGiven, FeedbackKind
from shared.domain.moments import MomentKind


@dataclass(frozen=True, slots=True)
class Feedback:
    """The first time that a consumer reported one kind of thing of a trigger."""

    kind: FeedbackKind
    at: datetime
    cause: str = ""
    """The short name of the event; forgotten once it is too old to come again."""
    digest: str = ""


class Trigger(NamedTuple):
    """One offer shown, or to be shown, to one user. It counts towards caps whatever became of it.

    A named tuple, stored by position like `Subscription`: a document may hold 64 of them.
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

    def is_open(self, now: datetime) -> bool:
        """Whether a consumer may still show it."""
        return not self.revoked and now < self.expires_at


def remember(triggers: tuple[Trigger, ...], most: int, settled_before: datetime) -> tuple[Trigger, ...]:
    """At most so many triggers, and of each only what may still be asked for.

    The oldest of the campaign that has the most goes first, since caps count them. Which event reported something
    before that instant will not be asked: it does not come again.
    """
    while len(triggers) > most:
        offered = Counter(trigger.campaign_id for trigger in triggers)
        leaving = next(trigger for trigger in triggers if offered[trigger.campaign_id] == max(offered.values()))
        triggers = tuple(trigger for trigger in triggers if trigger is not leaving)
    return tuple(_settle(trigger, settled_before) for trigger in triggers)


def _settle(trigger: Trigger, before: datetime) -> Trigger:
    if not any(report.cause and report.at < before for report in trigger.feedback):
        return trigger
    return trigger._replace(
        feedback=tuple(_forget(report) if report.at < before else report for report in trigger.feedback)
    )


def _forget(report: Feedback) -> Feedback:
    return Feedback(report.kind, report.at)


def note(triggers: tuple[Trigger, ...], event: Event, given: FeedbackGiven) -> tuple[tuple[Trigger, ...], Arrival]:
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
