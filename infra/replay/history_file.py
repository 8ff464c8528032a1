"""A file of events for a replay, line by line, each with the instant at which its turn comes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from infra.embedded.runtime import Push
from infra.replay.history_line import NoMessage, Said, parse

BEGINNING = datetime(1990, 1, 1, tzinfo=UTC)
"""Where a virtual clock starts: nothing that Upbeat accepts is older."""


class Line(NamedTuple):
    """One line of the file that is not blank."""

    number: int
    """Counted from 1, blank lines too."""
    end: int
    """Bytes of the file up to and with this line."""
    turn: datetime
    """When it is delivered (UTC): at the greatest publish time so far."""
    said: Said | NoMessage

    @property
    def user_id(self) -> str:
        """Whose event it is; empty where nobody can tell."""
        return self.said.user_id if isinstance(self.said, Said) else ""

    def push(self) -> Push:
        """The message to deliver. Raises `NoMessage` for a line that is none."""
        said = self.said
        if isinstance(said, NoMessage):
            raise said
        return Push(
            topic=said.topic,
            data=said.data(),
            attributes=said.attributes,
            published_at=said.published_at or self.turn,
            message_id=str(self.number),
        )


def read(path: Path) -> Iterator[Line]:
    """Every line that is not blank, in order. Raises `OSError` where the file cannot be read.

    Where a line gives no publish time, its event was published when it happened.
    """
    turn, end = BEGINNING, 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            end += len(raw)
            if not (text := raw.strip()):
                continue
            said = _parsed(text)
            turn = max(turn, _published_at(said) or turn)
            yield Line(number, end, turn, said)


def _parsed(text: bytes) -> Said | NoMessage:
    try:
        return parse(text)
    except NoMessage as refused:
        return refused


def _published_at(said: Said | NoMessage) -> datetime | None:
    """When a line's message was published; None where that cannot be told."""
    return None if isinstance(said, NoMessage) else said.published_at or said.occurred_at
