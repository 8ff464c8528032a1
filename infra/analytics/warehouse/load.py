"""Loads the raw log of a folder into the raw tables: each message once, however often it is loaded."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from infra.analytics.warehouse.engine import Engine, State
from infra.errors import UsageError
from infra.raw.folder import RAW, log_in
from infra.raw.line import Landed, UnreadableLine, from_line

UNREADABLE = "raw_unreadable"
"""The table of lines that are no message: the file, the line's number, the reason, and the bytes."""
NO_TIME = datetime(1990, 1, 1, tzinfo=UTC)
"""The publish time of an unreadable line, which has none."""
BLOCK = 1 << 20
REPORTED = 1000
"""Lines between two reports of progress."""


class Loaded(NamedTuple):
    """The result of loading a file."""

    file: str
    table: str
    added: int
    """Messages that the warehouse did not have."""
    known: int
    """Messages that it had."""
    unreadable: list[str]
    """Lines that are no message, each with its place and what was expected and found. They are kept."""
    unfinished: str | None
    """A last line without an end: it is loaded once it is finished."""


class _File:
    """The finished lines of a file that were not loaded before."""

    def __init__(self, path: Path, table: str, offset: int, number: int) -> None:
        self.path = path
        self.table = table
        self.offset = offset
        self.number = number
        self.messages = 0
        self.bad: list[Landed] = []
        self.unfinished: str | None = None

    def landed(self, read: Callable[[int], None]) -> Iterator[Landed]:
        """The messages; what is no message is kept in `bad`. Tells `read` the offset now and then."""
        with self.path.open("rb") as lines:
            lines.seek(self.offset)
            for line in lines:
                if not line.endswith(b"\n"):
                    self.unfinished = f"{self.path}: line {self.number + 1}: not finished"
                    return
                self.number += 1
                self.offset += len(line)
                if self.number % REPORTED == 0:
                    read(self.offset)
                try:
                    yield from_line(line)
                    self.messages += 1
                except UnreadableLine as problem:
                    facts = {"problem": str(problem)}
                    self.bad.append(Landed(str(self.path), str(self.number), NO_TIME, facts, line))


def table_of(topic: str) -> str:
    """The raw table of a topic."""
    return f"raw_{topic.replace('-', '_')}"


def load(
    engine: Engine, folder: Path, topics: tuple[str, ...], progress: Callable[[float], None] = lambda _: None
) -> list[Loaded]:
    """Load the files of a folder's raw log, of these topics. Raises `UsageError` if there is none.

    A file that grew is read from where the last load of it ended, if what comes before has not changed.
    """
    raw = log_in(folder)
    files = sorted(raw.glob("*.jsonl"))
    if not files:
        raise UsageError(
            f"{folder}: expected a raw log ({RAW}/TOPIC.jsonl, of upbeat replay --keep-store), found none"
        )
    if unknown := [file.name for file in files if file.stem not in topics]:
        raise UsageError(f"{raw}: expected files of topics, found {', '.join(unknown)}")
    for table in (*map(table_of, topics), UNREADABLE):
        if table not in engine.relations():
            engine.land(table, [])
    marks = {state.table: state for state in engine.recall()}
    sizes = {file: file.stat().st_size for file in files}
    loaded, before, size = [], 0, max(1, sum(sizes.values()))

    def read(offset: int) -> None:
        progress(min(1.0, (before + offset) / size))  # a file may grow

    for file in files:
        loaded.append(_load(engine, file, marks, read))
        before += sizes[file]
        read(0)
    return loaded


def _load(engine: Engine, path: Path, marks: dict[str, State], read: Callable[[int], None]) -> Loaded:
    name = f"file:{path.resolve()}"
    file = _File(path, table_of(path.stem), *_start(path, marks.get(name)))
    began = file.offset
    added = engine.land(file.table, file.landed(read))
    if file.bad:
        engine.land(UNREADABLE, file.bad)
    if file.offset != began:
        engine.remember([State(name, f"{_digest(path, file.offset)}:{file.number}", file.offset, {})])
    unreadable = [
        f"{bad.subscription_name}: line {bad.message_id}: {bad.attributes['problem']}" for bad in file.bad
    ]
    return Loaded(str(path), file.table, added, file.messages - added, unreadable, file.unfinished)


def _start(path: Path, mark: State | None) -> tuple[int, int]:
    """The offset and the number of lines before it that need not be read again: none if they have changed."""
    if mark is None or path.stat().st_size < mark.seen:
        return 0, 0
    digest, _, number = mark.key.partition(":")
    return (mark.seen, int(number)) if _digest(path, mark.seen) == digest else (0, 0)


def _digest(path: Path, size: int) -> str:
    """A digest of the first bytes of a file."""
    digest = blake2b(digest_size=16)
    with path.open("rb") as file:
        while size > 0 and (block := file.read(min(BLOCK, size))):
            digest.update(block)
            size -= len(block)
    return digest.hexdigest()
