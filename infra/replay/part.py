"""One process's part of a replay: the lines of its users, and everything that they and time bring about."""

import asyncio
import gc
import logging
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson

from infra.catalog.load import load_catalog
from infra.embedded.agenda import shards_of
from infra.embedded.runtime import Embedded, VirtualClock
from infra.errors import InfraError
from infra.replay.history_file import BEGINNING, Line, read
from infra.replay.history_line import NoMessage
from infra.replay.journal import SEPARATOR, Journal
from infra.replay.stores import STORE
from infra.topology import load as load_topology
from shared.contracts.outbound.messages import dead_letter
from shared.queries.user_view import summary
from shared.record.codec import unpack

SUBSCRIPTIONS = "subscriptions.jsonl"
PROGRESS_LINES = 64
"""How many lines go by between two notes of progress."""
ATTEMPTS = 5
"""How often a message is delivered before it is given up: what fails on a virtual clock fails again."""

Progress = Callable[[float], None]
"""Told now and then which share of the work is done, 0 to 1."""


@dataclass(frozen=True, slots=True)
class PartTask:
    """Which part of which replay to run, and where to put what comes of it."""

    events: Path
    catalog: Path
    now: datetime | None
    number: int
    parts: int
    folder: Path

    def includes(self, line: Line) -> bool:
        """Whether the line is of one of this part's users; lines of nobody are the first part's."""
        return zlib.crc32(line.user_id.encode(errors="replace")) % self.parts == self.number


@dataclass(frozen=True, slots=True)
class Part:
    """What became of a part: the outcomes of its lines, the triggers that went out, and where its clock stands."""

    outcomes: Counter[str]
    triggers: Counter[str]
    ended_at: datetime


def run_part(assignment: PartTask, progress: Progress) -> Part:
    """Run a part. Raises `InfraError` where time cannot pass."""
    assignment.folder.mkdir()
    _collect_garbage_rarely()
    catalog = load_catalog(assignment.catalog)
    database, clock = assignment.folder / STORE, VirtualClock(BEGINNING)
    topology = load_topology().with_each_function(max_delivery_attempts=ATTEMPTS)
    with (
        Journal(assignment.folder) as journal,
        Embedded(database, catalog, clock, journal.write, topology=topology, sleep=_no_time) as embedded,
        _bugs_alone_are_logged(),
    ):
        run = _Run(assignment, embedded, journal)
        asyncio.run(run.through(progress))
        run.write_subscriptions()
        return Part(run.outcomes, journal.triggers, embedded.clock.now())


class _Run:
    def __init__(self, assignment: PartTask, embedded: Embedded, journal: Journal) -> None:
        self.assignment = assignment
        self.embedded = embedded
        self.journal = journal
        self.outcomes: Counter[str] = Counter()

    async def through(self, progress: Progress) -> None:
        """Deliver every line of this part at its turn, and in between what falls due."""
        turn = BEGINNING
        size = max(self.assignment.events.stat().st_size, 1)
        for line in read(self.assignment.events):
            turn = line.turn
            if self.assignment.includes(line):
                await self._pass_time(turn, inclusive=False)
                self.journal.begin_line(turn, line.number)
                self.outcomes[await self._deliver(line)] += 1
            if line.number % PROGRESS_LINES == 0:
                progress(line.end / size)
        await self._pass_time(max(turn, self.assignment.now or turn), inclusive=True)

    async def _deliver(self, line: Line) -> str:
        """Push a line's message into its function; what is none goes to the dead letter."""
        try:
            push = line.push()
        except NoMessage as refused:
            self.journal.write(dead_letter(refused.topic, refused.delivery, refused))
            return "dead_lettered"
        return await self.embedded.push(push)

    async def _pass_time(self, until: datetime, *, inclusive: bool) -> None:
        """Let everything that falls due up to `until` happen, each at its own instant, and move the clock."""
        embedded, agenda = self.embedded, self.embedded.agenda
        if until == embedded.clock.now() and not inclusive:
            return
        while (at := agenda.next_due()) and (at < until or (inclusive and at == until)):
            users = agenda.take(at)
            embedded.clock.move_to(at)
            self.journal.begin_due(at)
            await embedded.tick(shards_of(users))
            if any(agenda.is_due(at, user_id) for user_id in users):
                raise InfraError(f"what was due at {at.isoformat()} is still due after it was processed")
        embedded.clock.move_to(until)

    def write_subscriptions(self) -> None:
        """Write how every user stands as of now."""
        now, terms = self.embedded.clock.now(), self.embedded.terms
        with (self.assignment.folder / SUBSCRIPTIONS).open("wb") as file:
            for user_id, blob in self.embedded.store.blobs():
                line = orjson.dumps(summary(unpack(blob), now, terms), option=orjson.OPT_UTC_Z)
                file.write(user_id.encode() + SEPARATOR + line + b"\n")


def _collect_garbage_rarely() -> None:
    """What lives on lives on, and hardly anything is cyclic: looking for it often costs a fifth of a replay."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


async def _no_time(_seconds: float) -> None:
    """Waits no time: while the virtual clock stands, nothing comes of waiting."""


@contextmanager
def _bugs_alone_are_logged() -> Iterator[None]:
    """A dead letter is no news on the terminal: it stands in its file."""
    log = logging.getLogger("shared")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)
