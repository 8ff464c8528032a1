"""One process's part of a replay: the events and the due times of its users."""

import asyncio
import gc
import logging
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson

from infra.embedded.runtime import EmbeddedRuntime, VirtualClock
from infra.errors import InfraError
from infra.replay.features_file import read_features
from infra.replay.history_file import CLOCK_START, Line, read
from infra.replay.history_line import UnpublishableLine
from infra.replay.journal import SEPARATOR, Journal
from infra.replay.stores import STORE
from infra.replay.switch import Switch, load_catalogs
from infra.topology import load as load_topology
from shared.adapters.memory_records import MemoryRecords
from shared.adapters.sqlite import SqliteStore
from shared.application.published_events import AllPublished
from shared.contracts.outbound.dead_letter import dead_letter
from shared.domain.terms import Terms
from shared.queries.user_view import summary
from shared.record.user_record import UserRecord

SUBSCRIPTIONS = "subscriptions.jsonl"
PROGRESS_LINES = 64
"""Lines between two progress reports."""
ATTEMPTS = 5
"""Maximum deliveries of a message. Few, because a failure on a virtual clock repeats every time."""

Progress = Callable[[float], None]
"""Called from time to time with the share of the work that is done, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class PartTask:
    """The part of a replay to run, and the folder for its output."""

    events: Path
    catalog: Path | Switch
    now: datetime | None
    number: int
    parts: int
    folder: Path
    terms: Terms | None = None
    keeps_store: bool = False
    """True if the users' documents and the raw log are written, too."""
    features: Path | None = None
    """The file of the users' features; None: no decision knows any."""

    def includes(self, user_id: str) -> bool:
        """True if the user is of this part. Lines without a user belong to the first part."""
        return zlib.crc32(user_id.encode(errors="replace")) % self.parts == self.number


@dataclass(frozen=True, slots=True)
class PartResult:
    """The result of a part: lines by outcome, triggers by kind, and the final instant of its clock (UTC)."""

    outcomes: Counter[str]
    triggers: Counter[str]
    ended_at: datetime


def run_part(task: PartTask, progress: Progress) -> PartResult:
    """Run a part. Raises `InfraError` if a user stays due after the clock processed them."""
    task.folder.mkdir()
    collect_garbage_rarely()
    clock, terms = VirtualClock(CLOCK_START), task.terms or Terms()
    with (
        Journal(task.folder, keyed=task.parts > 1, keeps_raw=task.keeps_store) as journal,
        closing(SqliteStore(task.folder / STORE, durable=False)) as file,
        only_errors_logged(),
    ):
        records = MemoryRecords(file, terms)
        embedded = EmbeddedRuntime(
            records,
            load_catalogs(task.catalog, clock),
            clock,
            journal.write,
            terms=terms,
            published=AllPublished(),
            topology=load_topology().with_each_function(max_delivery_attempts=ATTEMPTS),
            sleep=no_sleep,
            received=journal.receive,
            features=read_features(task.features, task.includes) if task.features else None,
        )
        run = _PartRun(task, embedded, journal)
        asyncio.run(run.deliver_all(progress))
        _write_subscriptions(records.all(), task, clock.now(), terms)
        if task.keeps_store:
            records.flush()
        return PartResult(run.outcomes, journal.triggers, clock.now())


class _PartRun:
    def __init__(self, task: PartTask, embedded: EmbeddedRuntime, journal: Journal) -> None:
        self.task = task
        self.embedded = embedded
        self.journal = journal
        self.outcomes: Counter[str] = Counter()

    async def deliver_all(self, progress: Progress) -> None:
        """Deliver every line of this part at its delivery time, and process due users in between."""
        delivered_at = CLOCK_START
        size = max(self.task.events.stat().st_size, 1)
        for line in read(self.task.events):
            delivered_at = line.delivered_at
            if self.task.includes(line.user_id):
                await self._pass_time(delivered_at, inclusive=False)
                self.journal.begin_line(delivered_at, line.number)
                self.outcomes[await self._deliver(line)] += 1
            if line.number % PROGRESS_LINES == 0:
                progress(line.end / size)
        await self._pass_time(max(delivered_at, self.task.now or delivered_at), inclusive=True)

    async def _deliver(self, line: Line) -> str:
        """Push a line's message to its function, and return the outcome.

        A line that cannot be published becomes a dead letter.
        """
        try:
            push = line.push()
        except UnpublishableLine as problem:
            self.journal.write(dead_letter(problem.topic, problem.delivery, problem))
            return "dead_lettered"
        return await self.embedded.push(push)

    async def _pass_time(self, until: datetime, *, inclusive: bool) -> None:
        """Process users due before `until` (or at it, if `inclusive`), each at its due time, and move the clock.

        Raises `InfraError` if a user is still due at the same instant afterwards.
        """
        embedded, agenda = self.embedded, self.embedded.agenda
        if until == embedded.clock.now() and not inclusive:
            return
        while (at := agenda.next_due()) and (at < until or (inclusive and at == until)):
            users = agenda.take(at)
            embedded.clock.move_to(at)
            self.journal.begin_due(at)
            await embedded.tell_due(at, users)
            if any(agenda.is_due(at, user_id) for user_id in users):
                raise InfraError(f"users due at {at.isoformat()} are still due after they were processed")
        embedded.clock.move_to(until)


def _write_subscriptions(records: Iterable[UserRecord], task: PartTask, now: datetime, terms: Terms) -> None:
    """Write the state of every user at an instant, under the user's id as the key if there are other parts."""
    with (task.folder / SUBSCRIPTIONS).open("wb") as file:
        for record in records:
            line = orjson.dumps(summary(record, now, terms), option=orjson.OPT_UTC_Z)
            key = record.user_id.encode() + SEPARATOR if task.parts > 1 else b""
            file.write(key + line + b"\n")


def collect_garbage_rarely() -> None:
    """Make garbage collection rare.

    Most objects live to the end and few are cyclic. The default thresholds cost a fifth of a replay's time.
    """
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


async def no_sleep(_seconds: float) -> None:
    """Return at once: the virtual clock stands still, so that waiting changes nothing."""


@contextmanager
def only_errors_logged() -> Iterator[None]:
    """Log errors only, without warnings about dead letters, which are in their own file anyway."""
    log = logging.getLogger("shared")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)
