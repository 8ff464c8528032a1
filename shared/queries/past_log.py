"""A user's document as it was known at an instant of the past, from the raw log of all messages."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from pydantic import ValidationError

from shared.contracts.inbound.envelope import EVENTS, Delivery, check_not_future, parse_event
from shared.contracts.outbound.base import Sequenced
from shared.contracts.outbound.decision import DecisionMessage
from shared.contracts.outbound.exposure import Exposure
from shared.contracts.outbound.message import Message
from shared.contracts.outbound.subscription_change import SubscriptionChange
from shared.contracts.outbound.upsell_trigger import UpsellTrigger
from shared.contracts.topics import Topic
from shared.domain.errors import Rejected
from shared.domain.events import Environment, Event, FeedbackGiven, TimePassed
from shared.domain.history import History
from shared.domain.terms import Terms
from shared.domain.triggers import Trigger
from shared.processing.process import absorb, with_profile
from shared.processing.settle import NOTHING_ANNOUNCED
from shared.queries.past import Past, lost_anyway, what_stays
from shared.queries.past_triggers import Told, feedback_by, issued, revocations, triggers_at
from shared.record.user_record import MAX_TRIGGERS, Pending, UserRecord

ABOUT_USER: Mapping[str, type[Sequenced]] = {
    model.TOPIC: model for model in (UpsellTrigger, SubscriptionChange, DecisionMessage, Exposure)
}
"""The messages that are about one user, by their topics."""


class Logged(NamedTuple):
    """One message of a raw log."""

    topic: str
    published_at: datetime
    delivery: Delivery


def from_log(record: UserRecord, logged: Sequence[Logged], at: datetime, terms: Terms) -> Past | None:
    """The document at an instant (UTC), as it was known then, from messages in the order of their publication.

    None if messages about the user are missing: if the events do not lead to the history that the document has
    today, or if the first change that is told of a subscription was not its first.
    """
    told = _Told.of(record.user_id, logged, at, terms)
    is_whole = agree(told.today.history, record.history, terms, record.user_id)
    if not (is_whole and tell_first_changes(told.messages)):
        return None
    return _past(record, told, at, terms, lost_anyway(record, at))


def from_log_alone(user_id: str, logged: Sequence[Logged], at: datetime, terms: Terms) -> Past:
    """The document at an instant (UTC) of a user whose document is gone, as far as messages tell it."""
    told = _Told.of(user_id, logged, at, terms)
    lost = {
        "assignments": True,
        "triggers": len(told.offers) > MAX_TRIGGERS,
        "subscriptions": not tell_first_changes(told.messages),
    }
    return _past(UserRecord(user_id), told, at, terms, (part for part, is_lost in lost.items() if is_lost))


class _Told(NamedTuple):
    """The content of messages about a user."""

    messages: list[Told]
    offers: dict[str, Trigger]
    then: UserRecord
    """The record to which the events up to the instant add up."""
    today: UserRecord
    """The record to which all events add up."""

    @classmethod
    def of(cls, user_id: str, logged: Sequence[Logged], at: datetime, terms: Terms) -> "_Told":
        messages = list(_messages(user_id, logged))
        offers = issued(messages)
        then = today = UserRecord(user_id)
        for published_at, event in _events(user_id, logged, terms):
            today = _absorbed(today, event, offers, terms)
            if published_at <= at:
                then = today
        return cls(messages, offers, then, today)


def _past(record: UserRecord, told: _Told, at: datetime, terms: Terms, incomplete: Iterable[str]) -> Past:
    """The document at an instant: what messages tell, and what the present document knows of that time."""
    kept = {one.trigger_id: one for one in record.triggers}
    ever = sorted((told.offers | kept).values(), key=lambda one: one.decided_at)
    triggers, unknown = triggers_at(ever, at, revocations(told.messages))
    feedback = feedback_by(told.messages, at)
    known = what_stays(record, at)._replace(
        history=told.then.history,
        profile=told.then.profile,
        attributes=told.then.attributes,
        signals=told.then.signals,
        triggers=tuple(
            one._replace(feedback=feedback.get(one.trigger_id, ())) for one in triggers[-MAX_TRIGGERS:]
        ),
        pending=tuple(_pending(told.messages, at, terms)),
    )
    return Past(known, "raw log", "then", tuple(incomplete), unknown)


def _events(user_id: str, logged: Iterable[Logged], terms: Terms) -> Iterator[tuple[datetime, Event]]:
    """The user's events that were accepted, with their publish times."""
    for topic, published_at, delivery in logged:
        if topic not in EVENTS:
            continue
        try:
            event = parse_event(topic, delivery)
            check_not_future(event, published_at, terms.clock_skew)
        except Rejected:
            continue
        if event.user_id == user_id and event.environment is not Environment.SANDBOX:
            yield published_at, event


def _absorbed(record: UserRecord, event: Event, offers: Mapping[str, Trigger], terms: Terms) -> UserRecord:
    """The record with an event. Feedback on triggers is told by exposures: here only its profile counts."""
    match event.fact:
        case TimePassed():
            return record
        case FeedbackGiven(trigger_id=trigger_id):
            return with_profile(record, event) if trigger_id in offers else record
    try:
        return absorb(record, event, terms)[0]
    except Rejected:
        return record


def agree(folded: History, kept: History, terms: Terms, user_id: str) -> bool:
    """True if two histories agree, although the document may hold less in its ring and more in its base."""
    same = folded.shrink(len(kept.ring), terms, user_id)
    return same.ring == kept.ring and same.head == kept.head


def _messages(user_id: str, logged: Iterable[Logged]) -> Iterator[Told]:
    """The messages about the user that were published, by their sequence, each once."""
    found = {}
    for topic, _, delivery in logged:
        if topic in ABOUT_USER:
            body = json_object(delivery.data)
            if body.get("user_id") == user_id and is_whole(ABOUT_USER[topic], body):
                found[body["sequence"]] = (topic, body)
    return (found[sequence] for sequence in sorted(found))


def is_whole(model: type[Sequenced], body: Mapping[str, Any]) -> bool:
    """True if a body is a message of the model, or would be one with the fields that messages got since."""
    try:
        model.model_validate(body)
    except ValidationError as error:
        return all(one["type"] == "missing" and one["loc"][-1] == "decision_id" for one in error.errors())
    return True


def json_object(data: bytes) -> dict[str, Any]:
    """The JSON object in some bytes; an empty one if there is none."""
    try:
        content = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return content if isinstance(content, dict) else {}


def tell_first_changes(told: Iterable[Told]) -> bool:
    """True if of each subscription the first change is told: before it, nothing had been announced."""
    first: dict[str, Mapping[str, Any]] = {}
    for topic, body in told:
        if topic == Topic.SUBSCRIPTION_CHANGE:
            first.setdefault(body["subscription_id"], body["before"])
    return all(NOTHING_ANNOUNCED.get(name) == value for before in first.values() for name, value in before.items())


def _pending(told: Iterable[Told], at: datetime, terms: Terms) -> Iterator[Pending]:
    """The messages that a document would have held at an instant, each as an entry of its own."""
    known = [(decided_at, topic, body) for topic, body in told if (decided_at := _decided_at(body)) <= at]
    for decided_at, topic, body in known:
        if known[-1][0] - decided_at < terms.redelivery:  # older ones went when the newest one came
            message = Message(topic, body.get("message_id", ""), {**body})
            rows = [(message.topic, message.message_id, orjson.Fragment(message.data))]
            yield Pending("", "", decided_at, orjson.dumps(rows).decode())


def _decided_at(body: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(body["decided_at"])
