"""Runs a file of events through the code of the functions on a virtual clock, with deterministic output.

Users are independent of each other, so the work is divided among processes by user and their output merged.
"""

import os
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from infra.replay import published_catalogs
from infra.replay.journal import FILES, RAW_FILES, SUBSCRIPTIONS
from infra.replay.part import RUNS, PartResult, PartTask, Progress
from infra.replay.processes import run_parts
from infra.replay.sorted_runs import merge
from infra.replay.stores import STORE, merge_stores
from infra.replay.switch import Switch
from shared.domain.terms import Terms

SMALL_FILE = 300_000
"""Size in bytes up to which one process finishes before a second one would have started."""
SUMMARY = "summary.json"
SCRATCH = ".replay-"
"""The prefix of the folders in which the parts of a replay work."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The counts of a replay. `events_read` is the sum of the five counts that follow it."""

    events_read: int
    applied: int
    duplicates: int
    late: int
    ignored: int
    """Events of test environments (`environment: sandbox`)."""
    dead_lettered: int
    triggers_issued: int
    triggers_revoked: int
    events_per_second: float
    now: datetime
    """The final instant of the virtual clock (UTC)."""


def replay(  # noqa: PLR0913 - each is an option of the command
    events: Path,
    out: Path,
    catalog: Path | Switch,
    now: datetime | None = None,
    processes: int | None = None,
    *,
    keep_store: bool = False,
    terms: Terms | None = None,
    features: Path | None = None,
    progress: Progress = lambda _: None,
) -> Summary:
    """Run a file of events through the functions, write the outputs into `out`, and return the summary.

    The clock ends at `now` (UTC), or at the last publish time if that is later or `now` is None. `keep_store` also
    keeps the users' documents and the raw log of all messages in `out`. `terms` are the deployment's, else the
    default ones. `features` is a file of the users' features, without which decisions know none. Raises
    `InvalidCatalog` if a catalog is invalid, `InfraError` if a part failed, `OSError` if a file cannot be read or
    written.
    """
    began = time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    _remove_left_over(out)
    with TemporaryDirectory(prefix=f"{SCRATCH}{os.getpid()}-", dir=out) as scratch:
        history = _on_disk(events, Path(scratch))
        count = processes or _default_processes(history)
        folders = [Path(scratch) / str(number) for number in range(count)]
        tasks = [
            PartTask(history, catalog, now, number, count, folder, terms, keep_store, features)
            for number, folder in enumerate(folders)
        ]
        parts = run_parts(tasks, progress)
        for name in (*FILES.values(), SUBSCRIPTIONS, *(RAW_FILES.values() if keep_store else ())):
            (out / name).parent.mkdir(exist_ok=True)
            merge([*Path(scratch).glob(f"*/{RUNS}/*/{name}")], out / name)
        if keep_store:
            merge_stores([folder / STORE for folder in folders], out / STORE)
            published_catalogs.land(out, history, catalog, max(part.ended_at for part in parts))
    summary = _summary(parts, time.perf_counter() - began)
    (out / SUMMARY).write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z) + b"\n")
    return summary


def _on_disk(events: Path, scratch: Path) -> Path:
    """The file, or a copy of what comes through a pipe, which can be read only once."""
    if events.is_file():
        return events
    copy = scratch / "events.jsonl"
    with events.open("rb") as pipe, copy.open("wb") as file:
        shutil.copyfileobj(pipe, file)
    return copy


def _remove_left_over(out: Path) -> None:
    """Remove the scratch folders of replays that were killed; each folder's name has the id of its process."""
    for folder in out.glob(f"{SCRATCH}*"):
        process, _, _ = folder.name.removeprefix(SCRATCH).partition("-")
        if process.isdecimal() and not _runs(int(process)):
            shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _default_processes(events: Path) -> int:
    """One process per processor, or one in total for a small file."""
    return 1 if events.stat().st_size <= SMALL_FILE else len(os.sched_getaffinity(0))


def _summary(parts: Sequence[PartResult], seconds: float) -> Summary:
    outcomes = sum((part.outcomes for part in parts), Counter[str]())
    triggers = sum((part.triggers for part in parts), Counter[str]())
    return Summary(
        events_read=outcomes.total(),
        applied=outcomes["applied"],
        duplicates=outcomes["duplicate"],
        late=outcomes["late"],
        ignored=outcomes["ignored"],
        dead_lettered=outcomes["dead_lettered"],
        triggers_issued=triggers["issued"],
        triggers_revoked=triggers["revoked"],
        events_per_second=round(outcomes.total() / seconds, 1),
        now=max(part.ended_at for part in parts),
    )
