"""What a raw log tells of a user's life: every event with what became of it, and every message about the user."""

import json
from base64 import b64decode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson

from shared.contracts.inbound.cloudevents import unwrap
from shared.contracts.inbound.envelope import EVENTS, Delivery, check_not_future, parse_event
from shared.contracts.outbound.dead_letter import PUBSUB_ATTRIBUTE_PREFIX, SOURCE_SUBSCRIPTION, dead_letter
from shared.contracts.reasons import RejectionReason
from shared.contracts.strict_json import read_object
from shared.contracts.topics import Topic
from shared.domain.arrival import Arrival, check_same
from shared.domain.errors import Rejected
from shared.domain.events import Environment, Event, FeedbackGiven, TimePassed
from shared.domain.terms import Terms
from shared.processing.process import absorb
from shared.queries.life_entry import Body, LifeEntry, LifeKind, outbound_entry
from shared.queries.past_log import ABOUT_USER, Logged, is_whole, json_object
from shared.record.user_record import UserRecord

SANDBOX = "sandbox"
"""The note of an event of a test environment, which changes nothing."""


class Told(NamedTuple):
    """The life of a user as a raw log tells it."""

    entries: list[LifeEntry]
    """In the order of their publication."""
    record: UserRecord
    """What the accepted events but feedback add up to."""
    odd: int
    """Messages about the user that are not of this version's contract, and are left out."""


def read_log(user_id: str, logged: Sequence[Logged], terms: Terms) -> Told:
    """The life that messages tell, which come in the order of their publication."""
    letters = _Letters(user_id, logged)
    fold = _Fold(user_id, terms)
    entries = [entry for message in logged if message.topic in EVENTS if (entry := fold.entry(message, letters))]
    out = [message for message in logged if message.topic in ABOUT_USER]
    told, odd = _messages_out(user_id, out)
    return Told(sorted((*entries, *letters.left(), *told), key=_published), fold.record, odd)


class _Letters:
    """The dead letters about a user, found by the publications that they hold."""

    def __init__(self, user_id: str, logged: Iterable[Logged]) -> None:
        self._by_id: dict[tuple[str, str], LifeEntry] = {}
        """The letters of functions, by the topic and Pub/Sub's id of what was rejected."""
        self._forwarded: dict[tuple[str, bytes], list[LifeEntry]] = {}
        """The letters of Pub/Sub, which does not say what id the message had."""
        for message in logged:
            if message.topic == Topic.DEAD_LETTER:
                self._note(user_id, message)

    def of(self, message: Logged) -> LifeEntry | None:
        """The entry of a publication that was rejected; None if it was accepted."""
        if letter := self._by_id.pop((message.topic, message.delivery.message_id or ""), None):
            return letter._replace(published_at=message.published_at)
        forwarded = self._forwarded.get((message.topic, message.delivery.data))
        return forwarded.pop(0)._replace(published_at=message.published_at) if forwarded else None

    def left(self) -> Iterator[LifeEntry]:
        """The letters whose events the log does not hold."""
        yield from self._by_id.values()
        for letters in self._forwarded.values():
            yield from letters

    def _note(self, user_id: str, message: Logged) -> None:
        delivery = message.delivery
        if SOURCE_SUBSCRIPTION in delivery.attributes:
            letter = _forwarded(message)
            if entry := _rejected(user_id, message, letter, delivery):
                self._forwarded.setdefault((entry.topic, delivery.data), []).append(entry)
            return
        letter = json_object(delivery.data)
        if entry := _rejected(user_id, message, letter, held_by(letter)):
            identity = entry.topic, str(letter.get("pubsub_message_id") or delivery.message_id)
            self._by_id.setdefault(identity, entry)


class _Fold:
    """The events of a user, each folded into what came before it."""

    def __init__(self, user_id: str, terms: Terms) -> None:
        self.record = UserRecord(user_id)
        self._terms = terms
        self._feedback: dict[str, str] = {}
        """The digests of the feedback so far, by cause."""

    def entry(self, message: Logged, letters: _Letters) -> LifeEntry | None:
        """The entry of an event, accepted or not; None if it is about somebody else."""
        topic, published_at, delivery = message
        if letter := letters.of(message):
            return letter
        try:
            event = parse_event(topic, delivery)
            if event.user_id != self.record.user_id:
                return None
            check_not_future(event, published_at, self._terms.clock_skew)
            note = self._note(event)
        except Rejected as rejected:
            refusal = dead_letter(topic, delivery, rejected).body
            return _rejected(self.record.user_id, message, refusal, delivery)
        return LifeEntry(event.occurred_at, _kind(event), topic, _content(delivery), published_at, note, event)

    def _note(self, event: Event) -> str:
        """Fold an event in; what became of it."""
        if event.environment is Environment.SANDBOX:
            return SANDBOX
        match event.fact:
            case TimePassed():
                return Arrival.APPLIED
            case FeedbackGiven():
                return self._feed_back(event)
        self.record, arrival, _ = absorb(self.record, event, self._terms)
        return arrival

    def _feed_back(self, event: Event) -> str:
        cause = event.key.cause
        if known := self._feedback.get(cause):
            check_same(known, event)
            return Arrival.DUPLICATE
        self._feedback[cause] = event.digest
        return Arrival.APPLIED


def _kind(event: Event) -> LifeKind:
    match event.fact:
        case TimePassed():
            return LifeKind.DUE
        case FeedbackGiven():
            return LifeKind.FEEDBACK
        case _:
            return LifeKind.EVENT


def _rejected(user_id: str, message: Logged, letter: Body, held: Delivery) -> LifeEntry | None:
    """The entry of a dead letter and the delivery that it holds; None if that is about somebody else.

    What is no JSON object counts as about the user if it holds the user's id in quotes.
    """
    event = _content(held)
    is_about = event["user_id"] == user_id if "user_id" in event else orjson.dumps(user_id) in held.data
    if not is_about:
        return None
    note = f"{letter.get('reason')}: {letter.get('detail')}"
    body = {**letter, "event": event or None}
    topic = str(letter.get("topic"))
    return LifeEntry(message.published_at, LifeKind.REJECTED, topic, body, message.published_at, note)


def held_by(letter: Body) -> Delivery:
    """The delivery in a function's dead letter; an empty one if the letter is not whole."""
    data, attributes = letter.get("data_base64"), letter.get("attributes")
    try:
        held = b64decode(data, validate=True) if isinstance(data, str) else b""
    except ValueError:
        held = b""
    return Delivery(held, attributes if isinstance(attributes, dict) else {})


def _forwarded(message: Logged) -> Body:
    """The letter of a message that Pub/Sub forwarded. Each push subscription has the name of its topic."""
    topic, delivery = message.delivery.attributes[SOURCE_SUBSCRIPTION], message.delivery
    own = {
        name: text for name, text in delivery.attributes.items() if not name.startswith(PUBSUB_ATTRIBUTE_PREFIX)
    }
    rejected = Rejected(RejectionReason.UNDELIVERED, RejectionReason.UNDELIVERED.meaning)
    return dead_letter(topic, delivery._replace(attributes=own, message_id=None), rejected).body


def _content(delivery: Delivery) -> Mapping[str, object]:
    """The event in a delivery as JSON, out of its CloudEvent; an empty object if there is none.

    Integers of more than 64 bits become fractions, which alone orjson can write.
    """
    try:
        event = unwrap(read_object(delivery.data), delivery.attributes)
    except (Rejected, AttributeError):
        return json_object(delivery.data)
    return json_object(json.dumps(event).encode())


def _messages_out(user_id: str, out: Iterable[Logged]) -> tuple[list[LifeEntry], int]:
    """The entries of the messages about the user, each once, and the number of those that cannot be told."""
    entries: dict[str, LifeEntry] = {}
    odd = Counter[str]()
    for topic, published_at, delivery in out:
        body = json_object(delivery.data)
        if body.get("user_id") != user_id:
            continue
        if not is_whole(ABOUT_USER[topic], body):
            odd[topic] += 1
        else:
            entries.setdefault(_own_id(topic, body), outbound_entry(topic, body, published_at))
    return [*entries.values()], odd.total()


def _own_id(topic: str, body: Body) -> str:
    return str(body.get("message_id") or f"{topic} {body['sequence']}")


def _published(entry: LifeEntry) -> datetime:
    return entry.published_at or entry.at
