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
    end: int
    """Bytes of the file up to the end of this line."""
    delivered_at: datetime
    """The delivery time (UTC): the greatest publish time so far."""
    message: LineMessage | UnpublishableLine

    @property
    def user_id(self) -> str:
        """The user of the event; empty if it cannot be determined."""
        return self.message.user_id if isinstance(self.message, LineMessage) else ""

    def push(self) -> Push:
        """The message to deliver. Raises `UnpublishableLine` if the line does not hold a message."""
        message = self.message
        if isinstance(message, UnpublishableLine):
            raise message
        return Push(
            topic=message.topic,
            data=message.data(),
            attributes=message.attributes,
            published_at=message.published_at or self.delivered_at,
            message_id=str(self.number),
        )

    def arriving(self) -> Arriving:
        """The message as a life takes it; one that is refused if the line does not hold a message."""
        number, at = self.number, self.delivered_at
        try:
            return Arriving(number, at, self.push())
        except UnpublishableLine as problem:
            push = Push(problem.topic, problem.delivery.data, problem.delivery.attributes, at, str(number))
            return Arriving(number, at, push, Refusal(problem.reason, problem.detail))


def read(path: Path) -> Iterator[Line]:
    """Every non-blank line, in file order. Raises `OSError` if the file cannot be read.

    The publish time of a line without `publish_time` is the event's `occurred_at`.
    """
    delivered_at, end = CLOCK_START, 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            end += len(raw)
            if not (text := raw.strip()):
                continue
            message = parsed(text)
            delivered_at = max(delivered_at, published_at(message) or delivered_at)
            yield Line(number, end, delivered_at, message)


def parsed(text: bytes) -> LineMessage | UnpublishableLine:
    """The content of a line that is not blank."""
    try:
        return parse(text)
    except UnpublishableLine as problem:
        return problem


def published_at(message: LineMessage | UnpublishableLine) -> datetime | None:
    """The publish time of a line's message; None if it cannot be determined."""
    return None if isinstance(message, UnpublishableLine) else message.published_at or message.occurred_at
