"""The news of a raw log for pages: lines that a filter wants, and the place to go on from."""

import asyncio
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool

from infra.inspect.message_line import MessageLine, Outcome, message_line
from infra.raw.follower import Follower, LogMessage
from infra.terminal.values import NO_JSON
from shared.contracts.topics import Topic

POLL_SECONDS = 1.0
OF_THE_CLOCK = frozenset({Topic.LIFECYCLE_CLOCK, Topic.LIFECYCLE_DUE})
SHOWN = 100
"""Lines of a page, and of one piece of news: the newest."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter. Messages of the clock are wanted only by their topic."""

    topic: str = ""
    user: str = ""
    outcome: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Wanted":
        """The filter in the query of an address."""
        return cls(*(query.get(name, "").strip() for name in ("topic", "user", "outcome")))

    def takes(self, message: LogMessage) -> bool:
        """True if the filter wants a message by its topic and user."""
        of_topic = message.topic == self.topic if self.topic else message.topic not in OF_THE_CLOCK
        return of_topic and self.user in ("", message.user_id)


class Line(NamedTuple):
    """A message and its line."""

    message: LogMessage
    outcome: Outcome
    text: str

    @property
    def whole(self) -> str:
        """The whole message: its JSON with one field a line, or else its data as it is."""
        body, data = self.message.body, self.message.landed.data.decode(errors="backslashreplace")
        try:
            return data if body is None else json.dumps(body, indent=1, ensure_ascii=False)
        except NO_JSON:
            return data


class News(NamedTuple):
    """The lines that a page shows next."""

    lines: list[Line]
    """The newest first, at most `SHOWN`."""
    skipped: int
    """Wanted messages that came since, and for which there was no room; those that are no longer in memory too."""
    place: str
    """The place to go on from."""
    anew: bool
    """True if the lines follow none that were shown before: the log or the console began anew."""


class Feed:
    """Reads a raw log once a second for everybody who listens, and not at all while nobody does."""

    def __init__(self, log: Follower) -> None:
        self.log = log
        self._run = secrets.token_hex(4)
        self._reading: asyncio.Task[None] | None = None

    async def next_reading(self) -> None:
        """Return when the log has been read the next time. Raises `OSError` if it cannot be read."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        await asyncio.shield(self._reading)

    def page(self, wanted: Wanted) -> News:
        """The newest lines, and what may be skipped before them, from the log as it is now."""
        self.log.refresh()
        recent = self.log.recent()
        messages = self.log.about(wanted.user) if wanted.user else recent
        place = self._place(recent[-1].number if recent else 0)
        return News(list(islice(_lines(reversed(messages), wanted), SHOWN)), 0, place, anew=True)

    def news(self, wanted: Wanted, place: str) -> News:
        """The lines since a place; the newest lines if that is a place of another log."""
        run, _, number = place.rpartition(".")
        anew = run != self._name or not number.isdecimal()
        seen = 0 if anew else int(number)
        fresh = self.log.recent(seen)
        lines = list(_lines(reversed(fresh), wanted))
        lost = 0 if anew or not fresh else fresh[0].number - seen - 1
        return News(
            lines[:SHOWN], len(lines[SHOWN:]) + lost, self._place(fresh[-1].number if fresh else seen), anew
        )

    @property
    def _name(self) -> str:
        return f"{self._run}.{self.log.generation}"

    def _place(self, number: int) -> str:
        return f"{self._name}.{number}"

    async def _read(self) -> None:
        await asyncio.sleep(POLL_SECONDS)
        await run_in_threadpool(self.log.refresh)


def _lines(messages: Iterable[LogMessage], wanted: Wanted) -> Iterable[Line]:
    for message in messages:
        if wanted.takes(message):
            line = line_of(message)
            if wanted.outcome in ("", line.outcome):
                yield line


def line_of(message: LogMessage) -> Line:
    """A message with its line."""
    of: MessageLine = message_line(message.topic, message.landed.data, message.landed.attributes, message.body)
    return Line(message, *of)
