"""The messages of a raw log by user: memory holds the places of the lines, at 8 bytes each, and one bucket."""

import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from infra.raw.line import Landed, UnreadableLine, from_line
from infra.raw.reader import in_order
from infra.raw.subject import subject
from shared.contracts.inbound.fields import is_id
from shared.contracts.topics import Topic
from shared.queries.past_log import Logged, json_object

FILE_BITS = 16
LAST_FILE = (1 << FILE_BITS) - 1
EXAMPLES = 10
"""Unreadable lines that are described; all of them are counted."""
REPORT_LINES = 4096
"""Lines between two progress reports."""


class TopicFile(NamedTuple):
    """A file with messages of one topic."""

    topic: str
    path: Path


class Wanted(NamedTuple):
    """The messages to read."""

    users: frozenset[str] | None = None
    """None: of all users."""
    until: datetime | None = None
    """The first publish time (UTC) that is left out; None: nothing is."""

    def includes(self, user_id: str | None, published_at: datetime) -> bool:
        """True if a message about this user (None: about none) is to be read."""
        if user_id is None or not is_id(user_id):
            return False
        is_in_time = self.until is None or published_at < self.until
        return is_in_time and (self.users is None or user_id in self.users)


ALL = Wanted()
"""Every message about a user."""


@dataclass(slots=True)
class Places:
    """The places of the messages, in buckets. All messages of a user are in one bucket."""

    files: Sequence[TopicFile]
    buckets: list["array[int]"]
    """Offsets of lines, each followed by `FILE_BITS` with the number of the file."""
    lines: int = 0
    unreadable: int = 0
    examples: list[str] = field(default_factory=list)
    """Descriptions of some of the unreadable lines, with file and number."""


def files_of(folder: Path) -> list[TopicFile]:
    """The files of a raw log: `TOPIC.jsonl`, and `TOPIC-*.jsonl` as an export in several files has them."""
    topics = sorted((topic.value for topic in Topic), key=len, reverse=True)
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        topic = next((one for one in topics if path.stem == one or path.stem.startswith(f"{one}-")), None)
        if topic:
            found.append(TopicFile(topic, path))
    return found


def find_users(
    files: Sequence[TopicFile], wanted: Wanted, buckets: int, progress: Callable[[float], None] = lambda _: None
) -> Places:
    """Find the messages about users. Raises `OSError` if a file cannot be read."""
    places = Places(files, [array("Q") for _ in range(buckets)])
    size = max(sum(file.path.stat().st_size for file in files), 1)
    before = 0
    for number, file in enumerate(files):
        offset = 0
        with file.path.open("rb") as lines:
            for count, line in enumerate(lines, start=1):
                if user_id := _user_of(file, count, line, wanted, places):
                    bucket = zlib.crc32(user_id.encode()) % buckets
                    places.buckets[bucket].append(offset << FILE_BITS | number)
                offset += len(line)
                if count % REPORT_LINES == 0:
                    progress((before + offset) / size)
        before += offset
    return places


def _user_of(file: TopicFile, number: int, line: bytes, wanted: Wanted, places: Places) -> str | None:
    """The user whom a line is about; None for one that is not wanted, or that cannot be read."""
    places.lines += 1
    try:
        landed = from_line(line)
    except UnreadableLine as problem:
        places.unreadable += 1
        if len(places.examples) < EXAMPLES:
            places.examples.append(problem.told_of(file.path, number, line))
        return None
    user_id = _subject(file.topic, landed)
    return user_id if wanted.includes(user_id, landed.publish_time) else None


def read_users(files: Sequence[TopicFile], places: Sequence[int]) -> Iterator[tuple[str, list[Logged]]]:
    """The users of a bucket by their ids, each with the messages about the user by publish time, each once."""
    users: dict[str, list[tuple[str, Landed]]] = {}
    with ExitStack() as opened:
        handles = {
            number: opened.enter_context(files[number].path.open("rb"))
            for number in {place & LAST_FILE for place in places}
        }
        for place in places:
            number = place & LAST_FILE
            handles[number].seek(place >> FILE_BITS)
            landed = from_line(handles[number].readline())
            if user_id := _subject(files[number].topic, landed):
                users.setdefault(user_id, []).append((files[number].topic, landed))
    for user_id in sorted(users):
        yield user_id, in_order(users.pop(user_id))


def _subject(topic: str, landed: Landed) -> str | None:
    return subject(topic, json_object(landed.data), landed.attributes)
