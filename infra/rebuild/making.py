"""Makes the documents of a raw log's users again, in buckets that worker processes share."""

import asyncio
import multiprocessing
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures.process import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from infra.errors import UsageError
from infra.raw.by_user import ALL, Places, Wanted, files_of, find_users
from infra.rebuild.made_file import read_made
from infra.rebuild.work import Bucket, Deployment, Made, make
from infra.replay.processes import start_worker

BUCKET_BYTES = 24 * 1024 * 1024
"""The bytes of raw log in one bucket, about. All messages of its users are in memory at once."""
AT_ONCE = 100
"""Users who are written or compared at once."""
EXAMPLES = 10
"""The most examples of one kind that a summary has."""
FINDING = 0.25
"""The share of the time that it takes to find the messages of users."""
Progress = Callable[[float], None]
"""Called from time to time with the share of the work that is done, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Source:
    """The log to read."""

    raw: Path
    """The folder of the raw log; or a file of documents that a pipeline made of one."""
    deployment: Deployment
    wanted: Wanted = ALL
    processes: int = 1


@dataclass(slots=True)
class Read:
    """Counts of what was read and made."""

    users: int = 0
    lines: int = 0
    lines_unreadable: int = 0
    unreadable: list[str] = field(default_factory=list)
    """Descriptions of some of these lines."""
    restored: Counter[str] = field(default_factory=Counter)
    """Counts of what was read and restored of all users, by name."""
    incomplete: int = 0
    """Users of whom the log is known to lack something."""
    gaps: list[str] = field(default_factory=list)
    """Gaps in the log about some of them."""
    is_made: bool = False
    """True if a pipeline had made the documents, so that `seconds` tells nothing of how long that took."""
    seconds: float = 0.0

    @property
    def events_per_second(self) -> float | None:
        """The speed, by the events that were read; None for documents that were made already."""
        if self.is_made:
            return None
        events = sum(count for name, count in self.restored.items() if name.startswith("events_"))
        return events / self.seconds if self.seconds else 0.0

    def note(self, made: Made) -> None:
        """Add a user."""
        self.users += 1
        self.restored.update(made.counts)
        if made.gaps:
            self.incomplete += 1
            if len(self.gaps) < EXAMPLES:
                self.gaps.append(f"{made.user_id}: {'; '.join(made.gaps)}")


async def all_made(source: Source, read: Read, progress: Progress) -> AsyncIterator[Sequence[Made]]:
    """The documents of all users, some at a time, in an order that does not depend on the number of processes.

    What was read is noted in `read`. Raises `UsageError` if the folder holds no raw log, `BrokenProcessPool` if a
    process was killed, `OSError` if a file cannot be read.
    """
    if source.raw.is_file():
        read.is_made = True
        for chunk in _chunks_of(source, read, progress):
            yield chunk
        return
    files = files_of(source.raw)
    if not files:
        raise UsageError(f"{source.raw}: expected the folder of a raw log (TOPIC.jsonl), found no such files")
    size = sum(file.path.stat().st_size for file in files)
    places = find_users(files, source.wanted, size // BUCKET_BYTES + 1, lambda share: progress(share * FINDING))
    read.lines, read.lines_unreadable, read.unreadable = places.lines, places.unreadable, places.examples
    done = 0
    async for of_bucket in _made(places, source):
        done += 1
        for made in of_bucket:
            read.note(made)
        for chunk in _chunks(of_bucket):
            yield chunk
        progress(FINDING + (1 - FINDING) * done / len(places.buckets))


def _chunks_of(source: Source, read: Read, progress: Progress) -> Iterator[Sequence[Made]]:
    """The documents in a file."""
    chunk: list[Made] = []
    size = max(source.raw.stat().st_size, 1)
    for made, messages, end in read_made(source.raw, source.deployment.terms):
        if source.wanted.users is None or made.user_id in source.wanted.users:
            read.lines += messages
            read.note(made)
            chunk.append(made)
        if len(chunk) == AT_ONCE:
            yield chunk
            chunk = []
            progress(end / size)
    yield chunk


def _chunks(made: Sequence[Made]) -> Iterator[Sequence[Made]]:
    return (made[start : start + AT_ONCE] for start in range(0, len(made), AT_ONCE))


async def _made(places: Places, source: Source) -> AsyncIterator[Sequence[Made]]:
    """The documents of each bucket's users. Few buckets are ready before they are asked for."""
    tasks = [Bucket(places.files, bucket, source.deployment) for bucket in places.buckets]
    processes = source.processes
    if processes == 1:
        for task in tasks:
            yield make(task)
        return
    context = multiprocessing.get_context("spawn")  # a fork is unsafe beside the threads of Google's clients
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(processes, context, start_worker) as pool:
        running = [loop.run_in_executor(pool, make, task) for task in tasks[: processes + 1]]
        try:
            for number in range(len(tasks)):
                yield await running.pop(0)
                if number + processes + 1 < len(tasks):
                    running.append(loop.run_in_executor(pool, make, tasks[number + processes + 1]))
        finally:
            for other in running:  # nobody waits for them any more
                if not other.cancel():
                    other.exception()
