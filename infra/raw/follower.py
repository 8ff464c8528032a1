"""Follows a raw log: reads what has been appended to it, and finds the messages about one user again."""

import threading
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, NamedTuple

import orjson

from infra.raw.folder import file_of
from infra.raw.line import Landed, UnreadableLine, from_line
from infra.raw.reader import position
from infra.raw.subject import subject
from shared.contracts.inbound.envelope import Delivery
from shared.contracts.topics import Topic
from shared.queries.past_log import Logged

RECENT = 1000
"""Messages of which the content is kept; of all others only the places in the files are."""
RANK: dict[str, int] = {
    Topic.LIFECYCLE_DUE: 1,
    Topic.SUBSCRIPTION_CHANGE: 2,
    Topic.DECISION: 3,
    Topic.UPSELL_TRIGGER: 4,
    Topic.EXPOSURE: 4,
    Topic.DEAD_LETTER: 4,
}
"""The order of topics in one instant, in which a replay publishes: causes before effects; events are first."""
END_BYTES = 256
FILE_BITS = 16
LAST_FILE = (1 << FILE_BITS) - 1
"""The greatest number of a file; there is one file for each topic."""


class LogMessage(NamedTuple):
    """One message of the raw log."""

    number: int
    """Counts the messages as they were read; greater is newer."""
    topic: str
    landed: Landed
    body: dict[str, Any] | None
    """The JSON object of its data; None if it is something else."""

    @property
    def user_id(self) -> str | None:
        """The user whom it is about; None if it names none."""
        return None if self.body is None else subject(self.topic, self.body, self.landed.attributes)

    @property
    def logged(self) -> Logged:
        """The message as read models take it."""
        landed = self.landed
        delivery = Delivery(landed.data, {**landed.attributes}, landed.message_id)
        return Logged(self.topic, landed.publish_time, delivery)


Observer = Callable[[LogMessage], None]


class _File:
    """The part of one topic's file that was read."""

    def __init__(self, path: Path, number: int) -> None:
        self.path, self.number, self.offset = path, number, 0
        self._end = b""
        """The end of what was read, with the id and the time of the last message."""

    def have_read(self, line: bytes) -> None:
        """Go on behind a line."""
        self.offset += len(line)
        self._end = line[-END_BYTES:]

    @property
    def began_anew(self) -> bool:
        """True if what was read is no longer there: the file was set aside, cut, or written again."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset - len(self._end))
                return file.read(len(self._end)) != self._end
        except FileNotFoundError:
            return True


class Follower:
    """Reads the files of a raw log as they grow; safe to use from several threads.

    Keeps the content of the newest messages, and the places of all messages about each user: 8 bytes a message.
    If the log begins anew, as at the start of `up`, so does this; `generation` then counts one more.
    """

    def __init__(self, folder: Path, observer: Callable[[], Observer] = lambda: lambda _message: None) -> None:
        """`observer` makes a receiver of every message in the log; a new one whenever the log begins anew."""
        self.folder = folder
        self.generation = 0
        self._make_observer = observer
        self._lock = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        self.observer = self._make_observer()
        self.count, self.unreadable = 0, 0
        self._files: dict[str, _File] = {}
        self._places: dict[str, array[int]] = {}
        """Of each user, the offsets of the lines, each followed by `FILE_BITS` with the number of the file."""
        self._recent: deque[LogMessage] = deque(maxlen=RECENT)

    def refresh(self) -> None:
        """Read what has been appended since the last time. A line that is not finished waits for the next time."""
        with self._lock:
            if any(file.began_anew for file in self._files.values()):
                self.generation += 1
                self._begin()
            fresh: list[LogMessage] = []
            for path in sorted(self.folder.glob("*.jsonl")):
                fresh += self._appended(self._files.setdefault(path.stem, _File(path, len(self._files))))
            fresh.sort(key=lambda message: (message.landed.publish_time, RANK.get(message.topic, 0)))
            known = self.count - len(fresh)
            self._recent.extend(message._replace(number=known + i) for i, message in enumerate(fresh, start=1))

    def recent(self, after: int = 0) -> list[LogMessage]:
        """The newest messages with a greater number than `after`, oldest first; at most `RECENT`."""
        with self._lock:
            return [message for message in self._recent if message.number > after]

    def about(self, user_id: str) -> list[LogMessage]:
        """Every message about a user, each once, by position. Raises `OSError` if a file cannot be read."""
        with self._lock:
            places, topics = [*self._places.get(user_id, ())], [*self._files]
        with ExitStack() as files:
            opened = {
                number: files.enter_context(file_of(self.folder, topics[number]).open("rb"))
                for number in {place & LAST_FILE for place in places}
            }
            lines = [
                (topics[place & LAST_FILE], opened[place & LAST_FILE], place >> FILE_BITS) for place in places
            ]
            found = [message for line in lines if (message := _read(*line))]
        once = {position(message.landed, message.topic): message for message in found}
        return [once[place] for place in sorted(once)]

    def users(self, prefix: str, limit: int) -> list[str]:
        """Users whom messages are about, by id; those that begin with `prefix`."""
        with self._lock:
            return sorted(user for user in self._places if user.startswith(prefix))[:limit]

    def _appended(self, file: _File) -> Sequence[LogMessage]:
        """Tell the observer of the new messages of a file; the newest of them."""
        newest: deque[LogMessage] = deque(maxlen=RECENT)
        try:
            lines = file.path.open("rb")
        except FileNotFoundError:  # it was set aside a moment ago: the next time begins anew
            return newest
        with lines:
            lines.seek(file.offset)
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                if message := self._message(file.path.stem, line):
                    self.observer(message)
                    newest.append(message)
                    if user := message.user_id:
                        self._places.setdefault(user, array("Q")).append(file.offset << FILE_BITS | file.number)
                file.have_read(line)
        return newest

    def _message(self, topic: str, line: bytes) -> LogMessage | None:
        try:
            landed = from_line(line)
        except UnreadableLine:
            self.unreadable += 1
            return None
        self.count += 1
        return LogMessage(self.count, topic, landed, _object(landed.data))


def _read(topic: str, file: IO[bytes], offset: int) -> LogMessage | None:
    """The message in the line that begins at an offset; None if there is none: the log began anew in between."""
    file.seek(offset)
    try:
        landed = from_line(file.readline())
    except UnreadableLine:
        return None
    return LogMessage(0, topic, landed, _object(landed.data))


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        content = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return content if isinstance(content, dict) else None
