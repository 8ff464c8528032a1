"""The Pub/Sub envelope: parses a push request body into a delivery, and a delivery into its event."""

from base64 import b64decode
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

import orjson

from shared.contracts.inbound import events
from shared.contracts.inbound.base import UserEvent
from shared.contracts.inbound.cloudevents import unwrap
from shared.contracts.inbound.events import LifecycleClock
from shared.contracts.inbound.misspelt import misspelt
from shared.contracts.inbound.validation import validate
from shared.contracts.reasons import RejectionReason
from shared.contracts.strict_json import kind_of, read_object
from shared.domain.errors import Rejected
from shared.domain.events import Event

T = TypeVar("T")
MAX_DATA = 64 * 1024
"""Maximum size of an event's data, in bytes. The contract's own fields take less than 16 KiB."""
EVENTS: dict[str, type[UserEvent]] = {model.TOPIC: model for model in events.EVENT_MODELS}
"""The model for each topic that carries events."""
TYPE_NAMES: dict[type, str] = {str: "a string", int: "an integer", dict: "an object"}


class Delivery(NamedTuple):
    """One delivery of one Pub/Sub message."""

    data: bytes
    attributes: dict[str, str]
    message_id: str | None = None
    """Pub/Sub's id: the same for every delivery of one message, and a new one if the event is published again."""
    publish_time: str | None = None
    """RFC 3339 text, exactly as Pub/Sub sent it."""
    delivery_attempt: int | None = None
    """1 for the first attempt; None if the subscription has no dead-letter policy."""
    subscription: str | None = None
    truncated_from: int | None = None
    """The size in bytes of a request body of which `data` is only the beginning; None if nothing is missing."""


def decode(body: bytes) -> Delivery:
    """Parse the body of a Pub/Sub push request into a delivery.

    Eventarc sends the same body, with `ce-` request headers that describe the delivery, not the event; headers
    are therefore ignored. Raises `Rejected` (`bad_envelope`) for any other body.
    """
    push = _object(_parsed_json(body), "the body")
    message = _object(push.get("message"), "message")
    attributes = _optional(message, "attributes", dict) or {}
    for text in attributes.values():
        if type(text) is not str:
            raise _bad_envelope("message.attributes", "strings", kind_of(text))
    return Delivery(
        data=_decoded_base64(_optional(message, "data", str) or ""),
        attributes=attributes,
        message_id=_optional(message, "messageId", str) or _optional(message, "message_id", str),
        publish_time=_optional(message, "publishTime", str) or _optional(message, "publish_time", str),
        delivery_attempt=_optional(push, "deliveryAttempt", int),
        subscription=_optional(push, "subscription", str),
    )


def parse_event(topic: str, delivery: Delivery) -> Event:
    """Parse the event in a delivery from a topic. Raises `Rejected` if it is not a valid event of the topic."""
    model = EVENTS.get(topic)
    if model is None:
        raise Rejected(
            RejectionReason.UNKNOWN_TOPIC, f"the topic: expected one of {', '.join(EVENTS)}, found another"
        )
    content = read_content(delivery)
    event = validate(model, content).to_event()
    slips = misspelt(model, content)
    return event._replace(misspelt=slips) if slips else event


def read_content(delivery: Delivery) -> dict[str, Any]:
    """The JSON object of the event in a delivery. Raises `Rejected` if there is none."""
    return unwrap(_content(delivery), delivery.attributes)


def parse_clock(delivery: Delivery) -> LifecycleClock:
    """Parse a scheduler tick, which may be an empty message. Raises `Rejected` if it is not a valid tick."""
    return validate(LifecycleClock, _content(delivery) if delivery.data else {})


def check_not_future(event: Event, now: datetime, skew: timedelta) -> None:
    """Raise `Rejected` (`future_dated`) if the event's `occurred_at` is more than `skew` ahead of `now`."""
    if event.occurred_at - now > skew:
        seconds = int(skew.total_seconds())
        raise Rejected(
            RejectionReason.FUTURE_DATED,
            f"occurred_at: expected a time at most {seconds} seconds ahead of Upbeat's clock, found a later one",
        )


def _content(delivery: Delivery) -> dict[str, Any]:
    if len(delivery.data) > MAX_DATA:
        raise Rejected(
            RejectionReason.TOO_LARGE, f"the data: expected at most {MAX_DATA} bytes, found {len(delivery.data)}"
        )
    return read_object(delivery.data)


def _parsed_json(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise _bad_envelope("the body", "a Pub/Sub push body", "no JSON") from None


def _object(value: object, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _bad_envelope(path, "an object", kind_of(value))
    return value


def _optional(container: dict[str, Any], name: str, kind: type[T]) -> T | None:
    value = container.get(name)
    if value is not None and type(value) is not kind:
        raise _bad_envelope(name, TYPE_NAMES[kind], kind_of(value))
    return value


def _decoded_base64(data: str) -> bytes:
    try:
        return b64decode(data, validate=True)
    except ValueError:
        raise _bad_envelope("message.data", "base64", "something else") from None


def _bad_envelope(path: str, expected: str, found: str) -> Rejected:
    return Rejected(RejectionReason.BAD_ENVELOPE, f"{path}: expected {expected}, found {found}")
