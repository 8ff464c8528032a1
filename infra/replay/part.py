"""One process's part of a replay: the lives of its users, one after the other."""

import gc
import zlib
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from infra.replay.features_file import read_features
from infra.replay.journal import keyed_lines, keyed_summary
from infra.replay.life import Step, steps_of
from infra.replay.sorted_runs import SortedRuns
from infra.replay.stores import STORE
from infra.replay.switch import Switch, load_catalogs
from infra.replay.user_lines import UserLines
from infra.replay.world import World
from shared.adapters.packed_records import document_of
from shared.adapters.sqlite import SqliteStore
from shared.contracts.topics import Topic
from shared.domain.terms import Terms
from shared.record.codec import Packing
from shared.record.user_record import UserRecord

RUNS = "runs"
"""The folder of a part's sorted runs."""
READING = 0.05
"""The share of the work that it is to find every user's lines."""

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

    def world(self) -> World:
        """The world of its users' lives. Raises `InvalidCatalog` and `UsageError`."""
        features = read_features(self.features, self.includes) if self.features else None
        return World(load_catalogs(self.catalog), self.terms or Terms(), features)


@dataclass(frozen=True, slots=True)
class PartResult:
    """The result of a part: lines by outcome, triggers by kind, and the final instant of its clock (UTC)."""

    outcomes: Counter[str]
    triggers: Counter[str]
    ended_at: datetime


def run_part(task: PartTask, progress: Progress) -> PartResult:
    """Run a part. Raises `InfraError` if a user is still due after what was due has happened."""
    task.folder.mkdir()
    collect_garbage_rarely()
    with ExitStack() as opened:
        store = None
        if task.keeps_store:
            store = opened.enter_context(closing(SqliteStore(task.folder / STORE, durable=False)))
        lines = opened.enter_context(UserLines(task.events, task.includes, lambda read: progress(READING * read)))
        run = _PartRun(task, lines, store)
        for user_id, share in lines.users():
            run.live(user_id)
            progress(READING + (1 - READING) * share)
        run.runs.write()
    return PartResult(run.outcomes, run.triggers, run.until)


class _PartRun:
    def __init__(self, task: PartTask, lines: UserLines, store: SqliteStore | None) -> None:
        self.lines = lines
        self.store = store
        self.world = task.world()
        self.until = max(lines.ended_at, task.now or lines.ended_at)
        self.runs = SortedRuns(task.folder / RUNS)
        self.outcomes: Counter[str] = Counter()
        self.triggers: Counter[str] = Counter()

    def live(self, user_id: str) -> None:
        """Live the life of a user, and write what comes of it."""
        record, commits, keeps_raw = UserRecord(user_id), 0, self.store is not None
        for step in steps_of(record, self.lines.messages(user_id), self.world, self.until):
            record, commits = step.record, commits + step.is_committed
            self.runs.add(keyed_lines(step, keeps_raw=keeps_raw))
            self._count(step)
        if commits and not record.is_tombstone:
            self.runs.add([keyed_summary(record, self.until, self.world.terms)])
        if commits and self.store:
            self.store.put(document_of(Packing(record)), commits)

    def _count(self, step: Step) -> None:
        if step.arriving:
            self.outcomes[step.outcome] += 1
        self.triggers.update(
            message.body["kind"] for message in step.messages if message.topic == Topic.UPSELL_TRIGGER
        )


def collect_garbage_rarely() -> None:
    """Make garbage collection rare.

    Most objects live to the end and few are cyclic. The default thresholds cost a fifth of a replay's time.
    """
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
