"""Replay: a file of events through the same functions, on a virtual clock, with the same output every time.

Users do not touch each other, so the file is shared out among processes by user. Each writes its part of every
output, each line under a key that says where in the history it came about; the parts are merged by key.
"""

import heapq
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from infra.errors import InfraError
from infra.local.replay_part import OUTPUTS, SEPARATOR, SUBSCRIPTIONS, Assignment, run_part

SMALL_FILE = 300_000
"""Bytes up to which one process is done before a second would have started."""
POLL_SECONDS = 0.1

Progress = Callable[[int], None]
"""Told now and then how many lines are done."""


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


def replay(
    events: Path,
    out: Path,
    catalog: Path,
    now: datetime | None = None,
    processes: int | None = None,
    progress: Progress = lambda _: None,
) -> Summary:
    """Run a file of events through the functions, write the outputs into `out`, and return the summary.

    At the end the clock stands at `now` (UTC), or at the last publish time where that is later or `now` is None.
    Raises `InfraError` if a part failed, `OSError` where a file cannot be read or written.
    """
    out.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    small = events.stat().st_size <= SMALL_FILE
    parts = processes or (1 if small else multiprocessing.cpu_count())
    with TemporaryDirectory(prefix="upbeat-replay-") as scratch:
        assignments = [Assignment(events, catalog, now, n, parts, Path(scratch) / str(n)) for n in range(parts)]
        counts = _run(assignments, progress)
        for name in (*OUTPUTS.values(), SUBSCRIPTIONS):
            _merge([assignment.directory / name for assignment in assignments], out / name)
    summary = _summary(counts, time.perf_counter() - began)
    (out / "summary.json").write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2) + b"\n")
    return summary


def _run(assignments: list[Assignment], progress: Progress) -> Counter[str]:
    """All parts, side by side; this process only watches, unless there is but one."""
    if len(assignments) == 1:
        return run_part(assignments[0], progress)
    context = multiprocessing.get_context("spawn")
    done = [context.Value("q", 0) for _ in assignments]
    results: Any = context.SimpleQueue()
    workers = [
        context.Process(target=_work, args=(assignment, counter, results))
        for assignment, counter in zip(assignments, done, strict=True)
    ]
    for worker in workers:
        worker.start()
    counts: Counter[str] = Counter()
    for worker in workers:
        while worker.is_alive():
            worker.join(POLL_SECONDS)
            progress(sum(counter.value for counter in done))
            while not results.empty():
                counts.update(results.get())
    while not results.empty():
        counts.update(results.get())
    if any(worker.exitcode != 0 for worker in workers):
        raise InfraError("a process of the replay failed; its error stands above")
    return counts


def _work(assignment: Assignment, done: "Synchronized[int]", results: Any) -> None:
    def note(lines: int) -> None:
        done.value = lines

    results.put(run_part(assignment, note))


def _merge(parts: list[Path], target: Path) -> None:
    """Write the lines of all parts in the order of their keys, without the keys."""
    with ExitStack() as stack, target.open("wb") as merged:
        files = [stack.enter_context(part.open("rb")) for part in parts]
        merged.writelines(_without_keys(heapq.merge(*files)))


def _without_keys(lines: Iterator[bytes]) -> Iterator[bytes]:
    for line in lines:
        yield line.partition(SEPARATOR)[2]


def _summary(counts: Counter[str], seconds: float) -> Summary:
    outcomes = {name: counts[name] for name in ("applied", "duplicate", "late", "dead_lettered")}
    read = sum(outcomes.values())
    return Summary(
        events_read=read,
        applied=outcomes["applied"],
        duplicates=outcomes["duplicate"],
        late=outcomes["late"],
        dead_lettered=outcomes["dead_lettered"],
        triggers_issued=counts["issued"],
        triggers_revoked=counts["revoked"],
        events_per_second=round(read / seconds, 1),
    )
