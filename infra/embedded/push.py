"""A message on its way to a function, as Pub/Sub pushes it, for runtimes without HTTP."""

from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import orjson

from shared.contracts.inbound.envelope import MAX_DATA, Delivery
from shared.contracts.outbound.base import rfc3339
from shared.contracts.outbound.dead_letter import dead_letter
from shared.contracts.outbound.message import Message
from shared.domain.errors import Rejected
from shared.entrypoints.body import beginning_of
from shared.settings import MAX_BODY_BYTES


class Push(NamedTuple):
    """One message to deliver to the function that subscribes to its topic."""

    topic: str
    data: bytes
    attributes: Mapping[str, str]
    published_at: datetime
    message_id: str
    """The Pub/Sub message id, not the `message_id` of our contracts."""
    order: str = ""
    """Sort key among messages published at the same instant."""


def push_of(message: Message, now: datetime) -> Push:
    """The push of a message that one function published for another; ordered by user."""
    order = str(message.body.get("user_id", ""))
    return Push(message.topic, message.data, message.attributes(), now, message.message_id, order)


def delivery_of(push: Push, max_body_bytes: int = MAX_BODY_BYTES) -> Delivery:
    """A message as its function reads it from a push, of which it reads no more than these bytes."""
    # Written as JSON, characters take up to 6 bytes each: what is not large here is within any sensible bound.
    is_large = len(push.data) > MAX_DATA or sum(map(len, (*push.attributes, *push.attributes.values()))) > MAX_DATA
    if is_large and len(body := push_body(push)) > max_body_bytes:
        return beginning_of(body)
    published = rfc3339(push.published_at)
    return Delivery(push.data, dict(push.attributes), push.message_id, published, None, _subscription(push))


def push_body(push: Push) -> bytes:
    """The JSON body of the HTTP request with which Pub/Sub would push this message."""
    message = {
        "data": b64encode(push.data).decode(),
        "attributes": push.attributes,
        "messageId": push.message_id,
        "publishTime": push.published_at,
    }
    return orjson.dumps({"message": message, "subscription": _subscription(push)}, option=orjson.OPT_UTC_Z)


def undelivered(push: Push) -> Message:
    """The dead letter of a message that was not acknowledged in any attempt, with its original bytes."""
    detail = f"{push.topic}: expected an acknowledgement, found none in any attempt"
    return dead_letter(push.topic, Delivery(push.data, dict(push.attributes)), Rejected("undelivered", detail))


def _subscription(push: Push) -> str:
    return f"embedded/{push.topic}"
