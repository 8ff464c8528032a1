"""The entries of a user's life in the document: recent events, messages, signals, triggers and feedback."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from shared.contracts.outbound.base import rfc3339
from shared.contracts.outbound.exposure import ExposureKind
from shared.contracts.outbound.upsell_trigger import TriggerKind
from shared.contracts.topics import Topic
from shared.decisioning.losses import LossReason
from shared.domain.account import DEFAULT_SUBSCRIPTION
from shared.domain.arrival import Arrival
from shared.domain.events import Event, FeedbackGiven, FeedbackKind, Key, SignalSeen
from shared.domain.ring import Row, from_row, key_of
from shared.domain.signals import BehaviouralSignal
from shared.domain.triggers import Trigger
from shared.queries.life_entry import Body, LifeEntry, LifeKind, is_held_back, is_revocation, outbound_entry
from shared.queries.user_view import event_view, to_json
from shared.record.user_record import UserRecord

Report = tuple[str, FeedbackKind, datetime]
"""Feedback by its trigger, its kind and its time: old feedback has no other identity in a document."""
NOT_OF_MESSAGE = frozenset(
    {"revoked", "revoke_reason", "feedback", "impressions", "withheld", "grant", "decided_by"}
)
"""Fields of a stored trigger that its message does not have."""


class Known(NamedTuple):
    """The entries that are told already, by the identities under which a document keeps the same."""

    causes: frozenset[str]
    messages: frozenset[str]
    triggers: frozenset[str]
    reports: frozenset[Report]

    @classmethod
    def of(cls, entries: Iterable[LifeEntry]) -> "Known":
        """The identities in these entries."""
        causes, messages, triggers, reports = set[str](), set[str](), set[str](), set[Report]()
        for entry in entries:
            if entry.event:
                causes.add(entry.event.key.cause)
                if isinstance(entry.event.fact, FeedbackGiven):
                    reports.add((entry.event.fact.trigger_id, entry.event.fact.kind, entry.at))
            elif entry.kind is not LifeKind.REJECTED:
                messages.add(str(entry.body.get("message_id")))
                if _makes_a_trigger(entry):
                    triggers.add(entry.body["trigger_id"])
        return cls(frozenset(causes), frozenset(messages), frozenset(triggers), frozenset(reports))


def not_yet_told(record: UserRecord, told: Iterable[LifeEntry]) -> list[LifeEntry]:
    """The entries of the document beside those that are told already."""
    known = Known.of(told)
    messages = [
        outbound_entry(message.topic, message.body)
        for message in record.pending_messages
        if message.message_id not in known.messages
    ]
    triggers = known.triggers | Known.of(messages).triggers
    return [
        *(_of_row(row, record.user_id) for row in record.history.ring if key_of(row).cause not in known.causes),
        *(_of_signal(one, record.user_id) for one in record.signals if one.cause not in known.causes),
        *messages,
        *(_of_trigger(one, record.user_id) for one in record.triggers if one.trigger_id not in triggers),
        *(entry for trigger in record.triggers for entry in _feedback(trigger, record.user_id, known.reports)),
    ]


def _makes_a_trigger(entry: LifeEntry) -> bool:
    """True for the message of an offer that was made, or would have been."""
    if entry.kind is LifeKind.TRIGGER:
        return not is_revocation(entry.body)
    return entry.kind is LifeKind.EXPOSURE and is_held_back(entry.body)


def _of_row(row: Row, user_id: str) -> LifeEntry:
    event = from_row(row, user_id)
    body = {"user_id": user_id, **to_json(event_view(row))}
    if isinstance(event.fact, SignalSeen):
        body["signal"] = body.pop("kind")
    return LifeEntry(event.occurred_at, LifeKind.EVENT, event.key.topic, body, None, Arrival.APPLIED, event)


def _of_signal(signal: BehaviouralSignal, user_id: str) -> LifeEntry:
    """A behavioural signal, of which the document keeps no identity but its short name."""
    fact = SignalSeen(signal.kind, strength=signal.strength)
    about = {"signal": signal.kind.value, "strength": signal.strength}
    return _bare(Topic.CHURN_SIGNAL, user_id, signal.occurred_at, fact, about)


def _feedback(trigger: Trigger, user_id: str, known: frozenset[Report]) -> Iterator[LifeEntry]:
    for report in trigger.reports:
        if (trigger.trigger_id, report.kind, report.at) not in known:
            fact = FeedbackGiven(trigger.trigger_id, report.kind)
            about = {"trigger_id": trigger.trigger_id, "kind": report.kind.value}
            yield _bare(Topic.TRIGGER_FEEDBACK, user_id, report.at, fact, about)


def _bare(topic: Topic, user_id: str, at: datetime, fact: SignalSeen | FeedbackGiven, about: Body) -> LifeEntry:
    """The entry of an event whose identity is not kept."""
    event = Event(Key(at, topic.value, "", ""), user_id, DEFAULT_SUBSCRIPTION, fact, "")
    kind = LifeKind.FEEDBACK if isinstance(fact, FeedbackGiven) else LifeKind.EVENT
    body = {"user_id": user_id, "occurred_at": rfc3339(at), **about}
    return LifeEntry(at, kind, topic.value, body, None, Arrival.APPLIED, event)


def _of_trigger(trigger: Trigger, user_id: str) -> LifeEntry:
    """A stored trigger: the message that issued it, or the exposure of one that was held back."""
    stored = {name: value for name, value in trigger._asdict().items() if name not in NOT_OF_MESSAGE}
    body = {"user_id": user_id, **to_json(stored)}
    if not trigger.withheld:
        return outbound_entry(Topic.UPSELL_TRIGGER, {**body, "kind": TriggerKind.ISSUED.value})
    detail = trigger.variant if trigger.withheld == LossReason.VARIANT else None
    about = {"kind": ExposureKind.SUPPRESSED.value, "reason": trigger.withheld, "detail": detail}
    return outbound_entry(Topic.EXPOSURE, {**body, **about})
