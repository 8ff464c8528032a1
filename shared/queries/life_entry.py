"""The entries of a user's life: everything that happened to a user, one entry each."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from shared.contracts.outbound.exposure import ExposureKind
from shared.contracts.outbound.upsell_trigger import TriggerKind
from shared.contracts.topics import Topic
from shared.domain.events import Event

Body = Mapping[str, Any]
"""A message as JSON."""


class LifeKind(StrEnum):
    """The kind of an entry. Entries of one instant and one event are in this order."""

    EVENT = "event"
    """An event that was accepted: a trial, a payment or a churn signal."""
    FEEDBACK = "feedback"
    """A consumer's feedback on a trigger that was accepted."""
    DUE = "due"
    """Only time had passed: Upbeat's clock asked for the user."""
    REJECTED = "rejected"
    """An event that can never be processed: a dead letter."""
    CHANGE = "change"
    """A `subscription-change`."""
    DECISION = "decision"
    """A `decision`."""
    TRIGGER = "trigger"
    """An `upsell-trigger`: issued or revoked."""
    EXPOSURE = "exposure"
    """An `exposure`: an offer that was held back, or the echo of feedback."""


class LifeEntry(NamedTuple):
    """One thing that happened to a user."""

    at: datetime
    """The instant (UTC) at which the event occurred, was rejected, or was decided."""
    kind: LifeKind
    topic: str
    """The topic of the message; of a rejected event, the topic on which it arrived."""
    body: Body
    """The message as JSON: of an event, what is inside its CloudEvent; of a rejected one, the dead letter, with
    the event as `event` (null if it is no JSON object).

    What only the document tells has the fields that the document keeps.
    """
    published_at: datetime | None = None
    """The instant (UTC) of its first publication; None for what only the user's document tells."""
    note: str = ""
    """The outcome. Of an event: `applied`, `duplicate`, `late` or `sandbox`; of a rejected one, `REASON: DETAIL`;
    of a decision, `issued` or `withheld`; of an issued trigger, the feedback and the revocation that followed
    (`delivered, clicked, revoked (moment)`); of a revocation or a held-back offer, the reason."""
    event: Event | None = None
    """The event of an entry of kind EVENT, FEEDBACK or DUE as the domain reads it; else None."""


def outbound_entry(topic: str, body: Body, published_at: datetime | None = None) -> LifeEntry:
    """The entry of a message that Upbeat published about a user."""
    at = datetime.fromisoformat(body["decided_at"])
    match topic:
        case Topic.SUBSCRIPTION_CHANGE:
            return LifeEntry(at, LifeKind.CHANGE, topic, body, published_at)
        case Topic.DECISION:
            return LifeEntry(at, LifeKind.DECISION, topic, body, published_at, str(body.get("outcome")))
        case Topic.UPSELL_TRIGGER:
            note = body.get("revoke_reason") or "" if is_revocation(body) else ""
            return LifeEntry(at, LifeKind.TRIGGER, topic, body, published_at, note)
        case _:
            reason = " ".join(filter(None, (body.get("reason"), body.get("detail"))))
            return LifeEntry(at, LifeKind.EXPOSURE, topic, body, published_at, reason)


def is_revocation(body: Body) -> bool:
    """True for the message that takes an offer back."""
    return body.get("kind") == TriggerKind.REVOKED


def is_held_back(body: Body) -> bool:
    """True for the exposure of an offer that was never sent."""
    return body.get("kind") == ExposureKind.SUPPRESSED
