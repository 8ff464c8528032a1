"""Follows a raw log: reads what has been appended to it, and finds the messages about one user again."""

import threading
from base64 import b64decode
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from infra.raw.folder import file_of
from infra.raw.line import Landed, UnreadableLine, from_line
from shared.contracts.inbound.cloudevents import unwrap
from shared.contracts.topics import Topic
from shared.domain.errors import Rejected

RECENT = 1000
"""Messages of which the content is kept; of all others only the places in the files are."""


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
        return _user_of(self.topic, self.body, self.landed)


Observer = Callable[[LogMessage], None]


class _Place(NamedTuple):
    """A line of a file."""

    topic: str
    offset: int


class _File:
    """The part of one topic's file that was read."""

    def __init__(self, path: Path) -> None:
        self.path, self.offset, self.inode = path, 0, _inode(path)


class Follower:
    """Reads the files of a raw log as they grow; safe to use from several threads.

    Keeps the content of the newest messages, and the places of all messages about each user: some 100 bytes a
    message. If the log begins anew, as at the start of `up`, so does this; `generation` then counts one more.
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
        self._places: dict[str, list[_Place]] = {}
        self._recent: deque[LogMessage] = deque(maxlen=RECENT)

    def refresh(self) -> None:
        """Read what has been appended since the last time. A line that is not finished waits for the next time."""
        with self._lock:
            if any(_inode(file.path) != file.inode for file in self._files.values()):
                self.generation += 1
                self._begin()
            fresh: list[LogMessage] = []
            for path in sorted(self.folder.glob("*.jsonl")):
                fresh += self._appended(self._files.setdefault(path.stem, _File(path)))
            fresh.sort(key=lambda message: message.landed.publish_time)
            known = self.count - len(fresh)
            self._recent.extend(message._replace(number=known + i) for i, message in enumerate(fresh, start=1))

    def recent(self, after: int = 0) -> list[LogMessage]:
        """The newest messages with a greater number than `after`, oldest first; at most `RECENT`."""
        with self._lock:
            return [message for message in self._recent if message.number > after]

    def about(self, user_id: str) -> list[LogMessage]:
        """Every message about a user, each once, by publish time. Raises `OSError` if a file cannot be read."""
        with self._lock:
            places = [*self._places.get(user_id, ())]
        found = [message for place in places if (message := self._read(place))]
        once = {(message.topic, message.landed.message_id): message for message in found}
        return sorted(once.values(), key=lambda message: (message.landed.publish_time, message.landed.message_id))

    def users(self, prefix: str, limit: int) -> list[str]:
        """Users whom messages are about, by id; those that begin with `prefix`."""
        with self._lock:
            return sorted(user for user in self._places if user.startswith(prefix))[:limit]

    def _appended(self, file: _File) -> Sequence[LogMessage]:
        """Tell the observer of the new messages of a file; the newest of them."""
        newest: deque[LogMessage] = deque(maxlen=RECENT)
        with file.path.open("rb") as lines:
            lines.seek(file.offset)
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                if message := self._message(file.path.stem, line):
                    self.observer(message)
                    newest.append(message)
                    if user := message.user_id:
                        self._places.setdefault(user, []).append(_Place(message.topic, file.offset))
                file.offset += len(line)
        return newest

    def _message(self, topic: str, line: bytes) -> LogMessage | None:
        try:
            landed = from_line(line)
        except UnreadableLine:
            self.unreadable += 1
            return None
        self.count += 1
        return LogMessage(self.count, topic, landed, _object(landed.data))

    def _read(self, place: _Place) -> LogMessage | None:
        with file_of(self.folder, place.topic).open("rb") as file:
            file.seek(place.offset)
            try:
                landed = from_line(file.readline())
            except UnreadableLine:  # the log began anew in between
                return None
        return LogMessage(0, place.topic, landed, _object(landed.data))


def _user_of(topic: str, body: dict[str, Any] | None, landed: Landed) -> str | None:
    """The user in an event or a message; of a dead letter the one in the event that it holds."""
    if body is None:
        return None
    try:
        if topic == Topic.DEAD_LETTER:
            body = _object(b64decode(str(body.get("data_base64")))) or {}
        user = unwrap(body, {**landed.attributes}).get("user_id")
    except (Rejected, ValueError):
        return None
    return user if isinstance(user, str) else None


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        content = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return content if isinstance(content, dict) else None


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0
