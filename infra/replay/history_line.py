"""One line of a history: a JSON object that says what was published, where, and when."""

import json
import re
from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from infra.replay.json_members import members
from shared.contracts.inbound.envelope import Delivery, parse_event
from shared.contracts.inbound.fields import utc
from shared.contracts.reasons import RejectionReason
from shared.contracts.topics import Topic
from shared.domain.errors import Rejected

PRODUCED = (Topic.TRIAL_START, Topic.PAYMENT, Topic.CHURN_SIGNAL, Topic.TRIGGER_FEEDBACK)
"""The topics that producers publish to."""
_data_last = re.compile(
    rb'\{(?:\s*"[^"\\]*"\s*:\s*"[^"\\]*"\s*,)*\s*"data"\s*:\s*(\{.*\})\s*\}', re.DOTALL
).fullmatch
"""How most lines are written: plain strings, and then `data`."""
WRAPPED = frozenset({"content-type", "ce-id"})
"""Attributes of a message whose event may stand elsewhere than in the fields of its data."""


class NoMessage(Rejected):
    """A line that cannot be published, with what it holds of a message."""

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


class Said(NamedTuple):
    """A message as its line says it."""

    topic: str
    attributes: dict[str, str]
    published_at: datetime | None
    user_id: str
    """Whose event it is; empty where nobody can tell."""
    occurred_at: datetime | None
    line: Mapping[str, Any]
    raw: bytes

    def data(self) -> bytes:
        """The bytes that were published, as the producer wrote them. Raises `NoMessage`.

        Made only when asked for, since of several processes each reads every line, but sends only some.
        """
        return _data(self.line, self.raw)


def parse(raw: bytes) -> Said:
    """What a line says. Raises `NoMessage`."""
    line = _object(raw)
    topic, attributes = _topic(line, raw), _attributes(line, raw)
    user_id, occurred_at = _event(topic, attributes, line, raw)
    return Said(topic, attributes, _published_at(line, raw), user_id, occurred_at, line, raw)


def _object(raw: bytes) -> Mapping[str, Any]:
    """The line as an object. What only a strict reader refuses within it (NaN) is for the function to judge."""
    try:
        line = orjson.loads(raw)
    except orjson.JSONDecodeError:
        line = {name: member.value for name, member in _members(raw).items()}
    if not isinstance(line, dict):
        raise NoMessage(
            RejectionReason.INVALID, "the line: expected a JSON object, found another kind of JSON", raw
        )
    return line


def _members(raw: bytes) -> Mapping[str, Any]:
    try:
        return members(raw.decode())
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise NoMessage(
            RejectionReason.NOT_JSON, "the line: expected a JSON object, found something else", raw
        ) from None
    except (ValueError, RecursionError):
        detail = "the line: expected shorter numbers and less nesting, found JSON that cannot be read"
        raise NoMessage(RejectionReason.INVALID, detail, raw) from None


def _topic(line: Mapping[str, Any], raw: bytes) -> str:
    topic = line.get("topic")
    if topic in PRODUCED:
        return str(topic)
    detail = f"topic: expected one of {', '.join(PRODUCED)}, found another"
    name = topic if isinstance(topic, str) and _is_text(topic) else ""
    raise NoMessage(RejectionReason.UNKNOWN_TOPIC, detail, _data(line, raw), name, _attributes(line, raw))


def _attributes(line: Mapping[str, Any], raw: bytes) -> dict[str, str]:
    attributes = line.get("attributes")
    if attributes is None:
        return {}
    if isinstance(attributes, dict) and all(map(_is_text, (*attributes, *attributes.values()))):
        return attributes
    raise NoMessage(
        RejectionReason.INVALID, "attributes: expected an object of strings, found something else", raw
    )


def _is_text(text: object) -> bool:
    """Whether it is a string that can be sent; half a surrogate cannot, since it has no form in UTF-8."""
    return isinstance(text, str) and not any("\ud800" <= character <= "\udfff" for character in text)


def _event(
    topic: str, attributes: dict[str, str], line: Mapping[str, Any], raw: bytes
) -> tuple[str, datetime | None]:
    """Whose event it is and when it happened, as far as can be told; read in full only where it is wrapped."""
    content = line.get("data")
    if isinstance(content, dict) and "specversion" not in content and WRAPPED.isdisjoint(attributes):
        user_id = content.get("user_id")
        return user_id if isinstance(user_id, str) else "", _instant(content.get("occurred_at"))
    data = _data(line, raw)
    try:
        event = parse_event(topic, Delivery(data, attributes))
    except Rejected:
        return "", None
    return event.user_id, event.occurred_at


def _published_at(line: Mapping[str, Any], raw: bytes) -> datetime | None:
    given = line.get("publish_time")
    if given is None:
        return None
    instant = _instant(given)
    if instant is None:
        detail = "publish_time: expected RFC 3339 with an offset, from 1990 to 9999, found something else"
        raise NoMessage(RejectionReason.INVALID, detail, raw)
    return instant


def _instant(text: object) -> datetime | None:
    """An RFC 3339 instant in UTC, or None for anything else."""
    try:
        return utc(text)
    except ValueError:
        return None


def _data(line: Mapping[str, Any], raw: bytes) -> bytes:
    """The bytes that were published: given as such, or as the JSON they are."""
    encoded = line.get("data_base64")
    if encoded is None:
        return _own_text(raw) if "data" in line else b""
    if "data" in line:
        raise NoMessage(RejectionReason.INVALID, "the line: expected data or data_base64, found both", raw)
    try:
        return b64decode(encoded, validate=True)
    except (ValueError, TypeError):
        raise NoMessage(
            RejectionReason.INVALID, "data_base64: expected base64, found something else", raw
        ) from None


def _own_text(raw: bytes) -> bytes:
    """The JSON of `data` as it stands in the line."""
    if last := _data_last(raw):
        try:
            orjson.loads(last[1])
        except orjson.JSONDecodeError:  # more than `data`, or what only a lenient reader takes
            pass
        else:
            return last[1]
    return str(_members(raw)["data"].text).encode()
