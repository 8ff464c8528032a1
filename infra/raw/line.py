"""One line of the raw log: a message with the columns of BigQuery's raw tables, as a load or an export has them.

The columns and types are those of `infra/terraform/warehouse.tf`. In newline-delimited JSON, BYTES are base64, a
TIMESTAMP is text with up to microseconds, and a JSON column is a JSON value.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from shared.contracts.outbound.base import rfc3339

COLUMNS = ("subscription_name", "message_id", "publish_time", "attributes", "data")
LANDING_SUFFIX = "-landing"
"""Added to a topic's name, gives the subscription that lands its messages."""


class Landed(NamedTuple):
    """One message as it lands: once for each publication, however often it is delivered."""

    subscription_name: str
    message_id: str
    """Pub/Sub's id, not the `message_id` of our contracts."""
    publish_time: datetime
    """UTC."""
    attributes: Mapping[str, str]
    data: bytes
    """The published bytes, which need not be JSON."""


class UnreadableLine(ValueError):
    """A line that is no landed message; the text says what was expected and found."""

    def told_of(self, file: Path, number: int, line: bytes) -> str:
        """The problem with its place: the file, and the number of the line, which may be torn."""
        torn = "" if line.endswith(b"\n") else ", not finished"
        return f"{file}: line {number}{torn}: {self}"


def subscription_name(project: str, topic: str) -> str:
    """The full name of the subscription that lands a topic's messages."""
    return f"projects/{project}/subscriptions/{topic}{LANDING_SUFFIX}"


def to_line(landed: Landed) -> bytes:
    """The message as one line, with its end."""
    columns = {
        "subscription_name": landed.subscription_name,
        "message_id": landed.message_id,
        "publish_time": rfc3339(landed.publish_time),
        "attributes": landed.attributes,
        "data": b64encode(landed.data).decode(),
    }
    return orjson.dumps(columns, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SORT_KEYS)


def from_line(line: bytes) -> Landed:
    """The message in a line, also in one of a BigQuery export. Raises `UnreadableLine`."""
    try:
        columns = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise UnreadableLine("expected a JSON object, found something else") from None
    if not isinstance(columns, dict):
        raise UnreadableLine("expected a JSON object, found another kind of JSON")
    try:
        return Landed(
            _text(columns["subscription_name"]),
            _text(columns["message_id"]),
            _instant(columns["publish_time"]),
            _attributes(columns.get("attributes")),
            _bytes(columns.get("data")),
        )
    except KeyError as missing:
        raise UnreadableLine(f"expected {', '.join(COLUMNS)}, found no {missing.args[0]}") from None
    except (ValueError, TypeError, OverflowError):
        raise UnreadableLine("expected the columns of a raw table, found one of another type") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _bytes(value: Any) -> bytes:
    """The bytes of base64; none for a column that is null, which an export leaves out."""
    return b"" if value is None else b64decode(_text(value), validate=True)


def _instant(value: Any) -> datetime:
    """RFC 3339, or the form of an export: `2026-03-01 09:00:00.5 UTC`. Raises `ValueError` or `TypeError`."""
    instant = datetime.fromisoformat(_text(value).replace(" UTC", "+00:00"))
    if instant.tzinfo is None:
        raise ValueError
    return instant.astimezone(UTC)


def _attributes(value: Any) -> Mapping[str, str]:
    """An object of strings, or the same as text, as some exports write a JSON column."""
    if value is None:
        return {}
    attributes = orjson.loads(value) if isinstance(value, str) else value
    if not isinstance(attributes, dict):
        raise TypeError
    return {name: _text(text) for name, text in attributes.items()}
