"""The envelope: a Pub/Sub push body becomes a delivery, and a delivery the event it carries."""

from base64 import b64decode
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

import orjson

from shared.contracts.inbound.base import InboundEvent
from shared.contracts.inbound.cloudevents import unwrap
from shared.contracts.inbound.events import (
    ChurnSignal,
    LifecycleClock,
    LifecycleDue,
    Payment,
    TrialStart,
    TriggerFeedback,
)
from shared.contracts.inbound.validation import validate
from shared.contracts.reasons import RejectionReason
from shared.contracts.strict_json import kind_of, read_object
from shared.domain.errors import Rejected
from shared.domain.events import Event

T = TypeVar("T")
MAX_DATA = 64 * 1024
"""Bytes of data that an event may have; those of the contract have less than 8 KiB."""
EVENTS: dict[str, type[InboundEvent]] = {
    model.TOPIC: model for model in (TrialStart, Payment, ChurnSignal, TriggerFeedback, LifecycleDue)
}
"""The model of each topic that carries events."""
WORDS = {str: "a string", int: "an integer", dict: "an object"}


class Delivery(NamedTuple):
    """One delivery of one message, as the bus made it."""

    data: bytes
    attributes: dict[str, str]
    message_id: str | None = None
    """The bus's own id: the same for every delivery of one message, another when it is published again."""
    publish_time: str | None = None
    """RFC 3339, as the bus wrote it."""
    delivery_attempt: int | None = None
    """1 for the first; known only where the subscription has a dead-letter policy."""
    subscription: str | None = None


def decode(body: bytes) -> Delivery:
    """Take the delivery out of the body of a Pub/Sub push request.

    Eventarc sends the same body with `ce-` request headers, which tell of the delivery and not of the event:
    no header is read. Raises `Rejected` (`bad_envelope`) for any other body.
    """
    push = _object(_loads(body), "the body")
    message = _object(push.get("message"), "message")
    attributes = _optional(message, "attributes", dict) or {}
    for text in attributes.values():
        if type(text) is not str:
            raise _bad("message.attributes", "strings", kind_of(text))
    return Delivery(
        data=_decoded(_optional(message, "data", str) or ""),
        attributes=attributes,
        message_id=_optional(message, "messageId", str) or _optional(message, "message_id", str),
        publish_time=_optional(message, "publishTime", str) or _optional(message, "publish_time", str),
        delivery_attempt=_optional(push, "deliveryAttempt", int),
        subscription=_optional(push, "subscription", str),
    )


def parse_event(topic: str, delivery: Delivery) -> Event:
    """Read the event that a delivery from a topic carries. Raises `Rejected`."""
    model = EVENTS.get(topic)
    if model is None:
        raise Rejected(
            RejectionReason.UNKNOWN_TOPIC, f"the topic: expected one of {', '.join(EVENTS)}, found another"
        )
    return validate(model, unwrap(_content(delivery), delivery.attributes)).to_event()


def parse_clock(delivery: Delivery) -> LifecycleClock:
    """Read a tick of the scheduler, which may be an empty message. Raises `Rejected`."""
    return validate(LifecycleClock, _content(delivery) if delivery.data else {})


def check_not_future(event: Event, now: datetime, skew: timedelta) -> None:
    """Raise `Rejected` (`future_dated`) if an event is dated further ahead of `now` than a clock may be off."""
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


def _loads(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise _bad("the body", "a Pub/Sub push body", "no JSON") from None


def _object(value: object, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _bad(path, "an object", kind_of(value))
    return value


def _optional(container: dict[str, Any], name: str, kind: type[T]) -> T | None:
    value = container.get(name)
    if value is not None and type(value) is not kind:
        raise _bad(name, WORDS[kind], kind_of(value))
    return value


def _decoded(data: str) -> bytes:
    try:
        return b64decode(data, validate=True)
    except ValueError:
        raise _bad("message.data", "base64", "something else") from None


def _bad(path: str, expected: str, found: str) -> Rejected:
    return Rejected(RejectionReason.BAD_ENVELOPE, f"{path}: expected {expected}, found {found}")
