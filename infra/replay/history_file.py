"""Reads a history, which is a file of events, line by line. Each line gets its delivery time."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from infra.embedded.push import Push
from infra.replay.history_line import LineMessage, UnpublishableLine, parse
from infra.replay.life import Arriving, Refusal

CLOCK_START = datetime(1990, 1, 1, tzinfo=UTC)
"""Start of the virtual clock (UTC). Upbeat accepts no older event."""


class Line(NamedTuple):
    """One line of the file; blank lines are skipped."""

    number: int
    """The line number, from 1. Blank lines count."""
    offset: int
    """The bytes of the file before this line."""
    size: int
    """The bytes of the line, with its end."""
    delivered_at: datetime
    """The delivery time (UTC): the greatest publish time so far."""
    message: LineMessage | UnpublishableLine

    @property
    def user_id(self) -> str:
        """The user of the event; empty if it cannot be determined."""
        return self.message.user_id if isinstance(self.message, LineMessage) else ""

    def arriving(self) -> Arriving:
        """The message to deliver; one that is refused if the line does not hold a message."""
        message, at, id_ = self.message, self.delivered_at, str(self.number)
        if isinstance(message, LineMessage):
            try:
                published_at = message.published_at or at
                push = Push(message.topic, message.data(), message.attributes, published_at, id_)
                return Arriving(self.number, at, push)
            except UnpublishableLine as problem:
                message = problem
        push = Push(message.topic, message.delivery.data, message.delivery.attributes, at, id_)
        return Arriving(self.number, at, push, Refusal(message.reason, message.detail))


def read(path: Path) -> Iterator[Line]:
    """Every non-blank line, in file order. Raises `OSError` if the file cannot be read.

    The publish time of a line without `publish_time` is the event's `occurred_at`.
    """
    delivered_at, end = CLOCK_START, 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            offset, end = end, end + len(raw)
            if not raw.isspace():
                message = parsed(raw)
                delivered_at = max(delivered_at, _published_at(message) or delivered_at)
                yield Line(number, offset, len(raw), delivered_at, message)


def parsed(raw: bytes) -> LineMessage | UnpublishableLine:
    """The message in a line, or why there is none."""
    try:
        return parse(raw.strip())
    except UnpublishableLine as problem:
        return problem


def _published_at(message: LineMessage | UnpublishableLine) -> datetime | None:
    """The publish time of a line's message; None if it cannot be determined."""
    return None if isinstance(message, UnpublishableLine) else message.published_at or message.occurred_at
