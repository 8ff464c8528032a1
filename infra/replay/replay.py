"""Replay: a file of events through the same functions, on a virtual clock, with the same output every time.

Users do not touch each other, so the file is shared out among processes by user, and what they wrote is merged.
"""

import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from infra.replay.journal import FILES, merge
from infra.replay.part import SUBSCRIPTIONS, Part, PartTask, Progress
from infra.replay.processes import run_parts
from infra.replay.stores import STORE, merge_stores

SMALL_FILE = 300_000
"""Bytes up to which one process is done before a second would have started."""
SUMMARY = "summary.json"


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a file of events. `events_read` is the sum of the four counts after it."""

    events_read: int
    applied: int
    duplicates: int
    late: int
    dead_lettered: int
    triggers_issued: int
    triggers_revoked: int
    events_per_second: float
    now: datetime
    """Where the virtual clock stands at the end (UTC)."""


def replay(
    events: Path,
    out: Path,
    catalog: Path,
    now: datetime | None = None,
    processes: int | None = None,
    *,
    keep_store: bool = False,
    progress: Progress = lambda _: None,
) -> Summary:
    """Run a file of events through the functions, write the outputs into `out`, and return the summary.

    At the end the clock stands at `now` (UTC), or at the last publish time where that is later or `now` is None.
    `keep_store` leaves the users' documents in `out`, too. Raises `InvalidCatalog`, `InfraError` if a part failed,
    `OSError` where a file cannot be read or written.
    """
    began = time.perf_counter()
    count = processes or _usual_processes(events)
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".replay-", dir=out) as scratch:
        assignments = [PartTask(events, catalog, now, n, count, Path(scratch) / str(n)) for n in range(count)]
        parts = run_parts(assignments, progress)
        for name in (*FILES.values(), SUBSCRIPTIONS):
            merge([each.folder / name for each in assignments], out / name)
        if keep_store:
            merge_stores([each.folder / STORE for each in assignments], out / STORE)
    summary = _summary(parts, time.perf_counter() - began)
    (out / SUMMARY).write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z) + b"\n")
    return summary


def _usual_processes(events: Path) -> int:
    """One for each processor, unless the file is small."""
    return 1 if events.stat().st_size <= SMALL_FILE else len(os.sched_getaffinity(0))


def _summary(parts: Sequence[Part], seconds: float) -> Summary:
    outcomes = sum((part.outcomes for part in parts), Counter[str]())
    triggers = sum((part.triggers for part in parts), Counter[str]())
    return Summary(
        events_read=outcomes.total(),
        applied=outcomes["applied"],
        duplicates=outcomes["duplicate"],
        late=outcomes["late"],
        dead_lettered=outcomes["dead_lettered"],
        triggers_issued=triggers["issued"],
        triggers_revoked=triggers["revoked"],
        events_per_second=round(outcomes.total() / seconds, 1),
        now=max(part.ended_at for part in parts),
    )
