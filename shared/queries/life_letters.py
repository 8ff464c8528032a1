"""Rejected events: the dead letters about a user, and what they hold."""

import json
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping

import orjson

from shared.contracts.inbound.cloudevents import unwrap
from shared.contracts.inbound.envelope import Delivery
from shared.contracts.outbound.dead_letter import PUBSUB_ATTRIBUTE_PREFIX, SOURCE_SUBSCRIPTION, dead_letter
from shared.contracts.reasons import RejectionReason
from shared.contracts.strict_json import read_object
from shared.contracts.topics import Topic
from shared.domain.errors import Rejected
from shared.queries.life_entry import Body, LifeEntry, LifeKind
from shared.queries.past_log import Logged, json_object


class Letters:
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
            if entry := rejected_entry(user_id, message, letter, delivery):
                self._forwarded.setdefault((entry.topic, delivery.data), []).append(entry)
            return
        letter = json_object(delivery.data)
        if entry := rejected_entry(user_id, message, letter, held_by(letter)):
            identity = entry.topic, str(letter.get("pubsub_message_id") or delivery.message_id)
            self._by_id.setdefault(identity, entry)


def rejected_entry(user_id: str, message: Logged, letter: Body, held: Delivery) -> LifeEntry | None:
    """The entry of a dead letter and the delivery that it holds; None if that is about somebody else.

    What is no JSON object counts as about the user if it holds the user's id in quotes.
    """
    event = event_in(held)
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


def event_in(delivery: Delivery) -> Mapping[str, object]:
    """The event in a delivery as JSON, out of its CloudEvent; an empty object if there is none.

    Integers of more than 64 bits become fractions, which alone orjson can write.
    """
    try:
        event = unwrap(read_object(delivery.data), delivery.attributes)
    except (Rejected, AttributeError):
        return json_object(delivery.data)
    return json_object(json.dumps(event).encode())
