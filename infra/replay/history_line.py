"""One line of a history, written and parsed: a JSON object with a message, its topic and its publish time."""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from infra.replay.json_members import members
from shared.contracts.inbound.envelope import EVENTS, Delivery, parse_event
from shared.contracts.inbound.fields import utc
from shared.contracts.outbound.base import rfc3339
from shared.contracts.reasons import RejectionReason
from shared.contracts.topics import Topic
from shared.domain.errors import Rejected

PRODUCER_TOPICS = tuple(topic for topic in EVENTS if topic != Topic.LIFECYCLE_DUE)
"""The topics that producers publish to."""
_plain_members_then_data = re.compile(
    rb'\{(?:\s*"[^"\\]*"\s*:\s*"[^"\\]*"\s*,)*\s*"data"\s*:\s*(\{.*\})\s*\}', re.DOTALL
).fullmatch
"""Matches the most common layout, for a fast path: members that are plain strings, and `data` last."""
CLOUDEVENT_ATTRIBUTES = frozenset({"content-type", "ce-id"})
"""Attributes of a CloudEvents message, whose event may not be in the top-level fields of `data`."""


def to_line(topic: str, data: bytes, attributes: Mapping[str, str], published_at: datetime) -> bytes:
    """A message that was published (UTC) as a line of a history, with its end."""
    line = {
        "topic": topic,
        "data_base64": b64encode(data).decode(),
        "attributes": attributes,
        "publish_time": rfc3339(published_at),
    }
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


class UnpublishableLine(Rejected):
    """A line that cannot be published, with the parts of a message that it does hold."""

    def __init__(
        self,
        reason: RejectionReason,
        detail: str,
        data: bytes,
        topic: str = "",
        attributes: dict[str, str] | None = None,
    ) -> None:
        super().__init__(reason, detail)
        self.topic = topic
        self.delivery = Delivery(data, attributes or {})


class LineMessage(NamedTuple):
    """The message in one line of a history."""

    topic: str
    attributes: dict[str, str]
    published_at: datetime | None
    user_id: str
    """The user of the event; empty if it cannot be determined."""
    occurred_at: datetime | None
    line: Mapping[str, Any]
    raw: bytes

    def data(self) -> bytes:
        """The published bytes, as the producer wrote them. Raises `UnpublishableLine`.

        They are extracted on demand: every process of a replay reads all lines, but delivers only its share.
        """
        return _data(self.line, self.raw)


def parse(raw: bytes) -> LineMessage:
    """Parse a line. Raises `UnpublishableLine` if it does not hold a message that can be published."""
    line = _object(raw)
    topic, attributes = _topic(line, raw), _attributes(line, raw)
    user_id, occurred_at = _event(topic, attributes, line, raw)
    return LineMessage(topic, attributes, _published_at(line, raw), user_id, occurred_at, line, raw)


def _object(raw: bytes) -> Mapping[str, Any]:
    """The line as a JSON object.

    A lenient parser takes over where the strict one fails, so that the function can reject such values (NaN).
    """
    try:
        line = orjson.loads(raw)
    except orjson.JSONDecodeError:
        line = {name: member.value for name, member in _members(raw).items()}
    if not isinstance(line, dict):
        raise UnpublishableLine(
            RejectionReason.INVALID, "the line: expected a JSON object, found another kind of JSON", raw
        )
    return line


def _members(raw: bytes) -> Mapping[str, Any]:
    try:
        return members(raw.decode())
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise UnpublishableLine(
            RejectionReason.NOT_JSON, "the line: expected a JSON object, found something else", raw
        ) from None
    except (ValueError, RecursionError):
        detail = "the line: expected shorter numbers and less nesting, found JSON that cannot be read"
        raise UnpublishableLine(RejectionReason.INVALID, detail, raw) from None


def _topic(line: Mapping[str, Any], raw: bytes) -> str:
    topic = line.get("topic")
    if topic in PRODUCER_TOPICS:
        return str(topic)
    detail = f"topic: expected one of {', '.join(PRODUCER_TOPICS)}, found another"
    name = topic if isinstance(topic, str) and _is_text(topic) else ""
    raise UnpublishableLine(RejectionReason.UNKNOWN_TOPIC, detail, _data(line, raw), name, _attributes(line, raw))


def _attributes(line: Mapping[str, Any], raw: bytes) -> dict[str, str]:
    attributes = line.get("attributes")
    if attributes is None:
        return {}
    if isinstance(attributes, dict) and all(map(_is_text, (*attributes, *attributes.values()))):
        return attributes
    raise UnpublishableLine(
        RejectionReason.INVALID, "attributes: expected an object of strings, found something else", raw
    )


def _is_text(text: object) -> bool:
    """True if `text` is a string that UTF-8 can encode; a lone surrogate cannot be encoded."""
    return isinstance(text, str) and not any("\ud800" <= character <= "\udfff" for character in text)


def _event(
    topic: str, attributes: dict[str, str], line: Mapping[str, Any], raw: bytes
) -> tuple[str, datetime | None]:
    """The event's user (empty if unknown) and its `occurred_at` (None if unknown).

    The event is parsed in full only if it may be in a CloudEvents envelope.
    """
    content = line.get("data")
    if isinstance(content, dict) and "specversion" not in content and CLOUDEVENT_ATTRIBUTES.isdisjoint(attributes):
        user_id = content.get("user_id")
        return user_id if isinstance(user_id, str) else "", _instant(content.get("occurred_at"))
    data = _data(line, raw)
    try:
        event = parse_event(topic, Delivery(data, attributes))
    except Rejected:
        return "", None
    return event.user_id, event.occurred_at


def _published_at(line: Mapping[str, Any], raw: bytes) -> datetime | None:
    publish_time = line.get("publish_time")
    if publish_time is None:
        return None
    instant = _instant(publish_time)
    if instant is None:
        detail = "publish_time: expected RFC 3339 with an offset, from 1990 to 9999, found something else"
        raise UnpublishableLine(RejectionReason.INVALID, detail, raw)
    return instant


def _instant(text: object) -> datetime | None:
    """An RFC 3339 instant in UTC; None for anything else."""
    try:
        return utc(text)
    except ValueError:
        return None


def _data(line: Mapping[str, Any], raw: bytes) -> bytes:
    """The published bytes: the decoded `data_base64`, else the source text of `data`, else empty."""
    encoded = line.get("data_base64")
    if encoded is None:
        return _data_source(raw) if "data" in line else b""
    if "data" in line:
        raise UnpublishableLine(RejectionReason.INVALID, "the line: expected data or data_base64, found both", raw)
    try:
        return b64decode(encoded, validate=True)
    except (ValueError, TypeError):
        raise UnpublishableLine(
            RejectionReason.INVALID, "data_base64: expected base64, found something else", raw
        ) from None


def _data_source(raw: bytes) -> bytes:
    """The JSON of `data`, byte for byte as in the line."""
    if match := _plain_members_then_data(raw):
        try:
            orjson.loads(match[1])
        except orjson.JSONDecodeError:  # the match spans more than `data`, or only a lenient parser accepts it
            pass
        else:
            return match[1]
    return str(_members(raw)["data"].text).encode()
