"""The funnels of a raw log, counted without a warehouse."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import orjson

from infra.errors import InfraError, UsageError
from infra.inspect.funnel import Funnels
from infra.inspect.funnel_stages import TOPICS
from infra.raw.folder import RAW, file_of, log_in
from infra.raw.line import UnreadableLine, from_line

LINES = 500
"""Lines between two reports of progress."""
Progress = Callable[[float], None]


class Counted(NamedTuple):
    """The messages of a raw log about campaigns, counted."""

    funnels: Funnels
    messages: int
    unreadable: list[str]
    """Lines that are no message: each with its file, its number, and what was expected and found."""


def raw_folder(folder: Path) -> Path:
    """The raw log in a folder, or the folder itself. Raises `UsageError` if there is none."""
    raw = log_in(folder)
    if not any(file_of(raw, topic).is_file() for topic in TOPICS):
        raise UsageError(
            f"{folder}: expected a raw log ({RAW}/TOPIC.jsonl, of upbeat replay --keep-store or up), found none"
        )
    return raw


def counted(raw: Path, progress: Progress = lambda _: None) -> Counted:
    """Count every message of a raw log about campaigns. Raises `InfraError` if a file cannot be read.

    Memory grows with the log by some 60 bytes a message, by which a redelivery is known however late it comes.
    """
    found = Counted(Funnels(remembered=None), 0, [])
    files = [file for topic in TOPICS if (file := file_of(raw, topic)).is_file()]
    size, read = max(1, sum(file.stat().st_size for file in files)), 0
    for file in files:
        try:
            with file.open("rb") as lines:
                for number, line in enumerate(lines, start=1):
                    found = found._replace(messages=found.messages + _count(found, file, number, line))
                    read += len(line)
                    if number % LINES == 0:
                        progress(min(1.0, read / size))
        except OSError as error:
            raise InfraError(f"{file}: expected a file of a raw log, found {error.strerror}") from error
    return found


def _count(found: Counted, file: Path, number: int, line: bytes) -> int:
    """Count a line; the number of messages in it."""
    try:
        data = from_line(line).data
    except UnreadableLine as problem:
        found.unreadable.append(problem.told_of(file, number, line))
        return 0
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError:
        body = None
    found.funnels.add(file.stem, body)
    return 1
