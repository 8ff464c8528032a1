"""A file of events for a replay: one JSON object a line, each read as the message it stands for."""

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from infra.local.embedded import Push
from shared.contracts.envelope import Delivery, parse_event
from shared.contracts.topics import Topic
from shared.domain.errors import Rejected

PRODUCED = (Topic.TRIAL_START, Topic.PAYMENT, Topic.CHURN_SIGNAL, Topic.TRIGGER_FEEDBACK)
"""The topics that producers publish to."""
BEGINNING = datetime(1990, 1, 1, tzinfo=UTC)
"""Where a virtual clock starts: nothing that Upbeat accepts is older."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file, the instant at which its turn comes, and what it holds."""

    number: int
    """Counted from 1."""
    turn: datetime
    """The greatest publish time so far, UTC."""
    user_id: str
    """Whose event it is, as far as it can be told; else empty."""
    push: Push | None
    refused: "Refused | None" = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that is no message at all."""

    reason: str
    detail: str
    topic: str
    raw: bytes


def read(path: Path, latest: datetime | None = None) -> Iterator[Line]:
    """Every line that is not blank, in order.

    `latest` bounds the publish time of events that do not give one, so that a wrong date cannot carry the clock off.
    """
    turn = BEGINNING
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if not raw.strip():
                continue
            try:
                push = _push(raw.strip(), turn, latest)
            except _NoMessage as problem:
                refused = Refused(problem.reason, f"line {number}: {problem.detail}", problem.topic, problem.raw)
                yield Line(number, turn, "", None, refused)
                continue
            turn = max(turn, push.published_at)
            yield Line(number, turn, user_of(push), push)


def user_of(push: Push) -> str:
    """The user an event speaks of, cheaply where its data is plain; empty where nobody can tell."""
    try:
        user_id = orjson.loads(push.data)["user_id"]
    except (ValueError, KeyError, TypeError):
        user_id = None
    if isinstance(user_id, str):
        return user_id
    try:
        return parse_event(push.topic, Delivery(push.data, dict(push.attributes))).user_id
    except Rejected:
        return ""


class _NoMessage(ValueError):
    def __init__(self, reason: str, detail: str, raw: bytes, topic: str = "") -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.raw = raw
        self.topic = topic


def _push(raw: bytes, turn: datetime, latest: datetime | None) -> Push:
    try:
        line = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise _NoMessage("not_json", "expected a JSON object, found something else", raw) from None
    if not isinstance(line, dict):
        raise _NoMessage("invalid", "expected a JSON object, found another kind of JSON", raw)
    data = _data(line, raw)
    topic = line.get("topic")
    if topic not in PRODUCED:
        raise _NoMessage(
            "unknown_topic", f"topic: expected one of {', '.join(PRODUCED)}, found another", data, str(topic or "")
        )
    attributes = line.get("attributes") or {}
    if not isinstance(attributes, dict) or not all(isinstance(value, str) for value in attributes.values()):
        raise _NoMessage("invalid", "attributes: expected an object of strings, found something else", data, topic)
    return Push(topic, data, attributes, _published_at(line, data, turn, latest))


def _data(line: dict[str, Any], raw: bytes) -> bytes:
    """The bytes that were published: given as such, or as the JSON they are."""
    if "data_base64" not in line:
        return orjson.dumps(line["data"]) if "data" in line else b""
    try:
        return b64decode(line["data_base64"], validate=True)
    except (ValueError, TypeError):
        raise _NoMessage("invalid", "data_base64: expected base64, found something else", raw) from None


def _published_at(line: dict[str, Any], data: bytes, turn: datetime, latest: datetime | None) -> datetime:
    """The line's `publish_time`, else its event's `occurred_at`, else the turn at hand."""
    if "publish_time" in line:
        given = _instant(line["publish_time"])
        if given is None:
            found = "publish_time: expected RFC 3339 with an offset, found something else"
            raise _NoMessage("invalid", found, data, line["topic"])
        return given
    event = line.get("data")
    occurred_at = _instant(event.get("occurred_at")) if isinstance(event, dict) else None
    if occurred_at is None or (latest is not None and occurred_at > latest):
        return turn
    return occurred_at


def _instant(text: object) -> datetime | None:
    """An RFC 3339 instant in UTC, or None for anything else."""
    try:
        instant = datetime.fromisoformat(text) if isinstance(text, str) else None
        return instant.astimezone(UTC) if instant is not None and instant.tzinfo else None
    except (ValueError, OverflowError):
        return None
