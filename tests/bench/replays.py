"""The replay against the engine alone: the same history, in one process, by turns."""

import gc
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.catalog.load import DEFAULT_CATALOG, load_catalog
from infra.demo import cdnow
from infra.replay.replay import replay
from shared.domain.terms import Terms
from shared.processing.rules import Rules
from tests.bench.engine import Engine
from tests.bench.function.workload import MONTH, payment
from tests.bench.parts import START
from tests.bench.report import Result, progress
from tests.bench.timing import TURNS

GOAL = 1.1
RENEWING_USERS = 1_000
RENEWALS, DEMO = "renewals", "the demo's history"


def replaying(turns: int = TURNS, events: int = 10_000) -> list[Result]:
    """Microseconds of CPU per line of the history, of a replay and of the engine alone."""
    measured = []
    for name, lines in histories(events).items():
        progress(f"replay: {name}")
        with rare_garbage_collection(), TemporaryDirectory(prefix="upbeat-bench-") as folder:
            works = through_replay(lines, Path(folder)), through_engine(lines)
            ours, engine = _in_turns(works, turns)
        per_line = [[seconds / len(lines) * 1e6 for seconds in each] for each in (ours, engine)]
        measured.append(
            Result("replay", f"replay of {name}", "µs", per_line[0], "engine alone", per_line[1], GOAL)
        )
    return measured


def histories(events: int) -> dict[str, list[bytes]]:
    """Renewals of a thousand users, and all events that some customers of the demo have."""
    renewals = [_renewal(number % RENEWING_USERS, number // RENEWING_USERS) for number in range(events)]
    of_some = sorted(cdnow.events(), key=lambda line: str(line["data"]["user_id"]))[:events]
    in_order = sorted(of_some, key=lambda line: str(line["data"]["occurred_at"]))
    return {RENEWALS: renewals, DEMO: [json.dumps(line).encode() for line in in_order]}


def _renewal(user: int, month: int) -> bytes:
    at = START + month * MONTH + timedelta(seconds=user)
    return json.dumps({"topic": "payment", "data": payment(f"user-{user}", at)}).encode()


def through_replay(lines: Sequence[bytes], folder: Path) -> Callable[[], object]:
    """A replay of a history in this process."""
    events = folder / "events.jsonl"
    events.write_bytes(b"\n".join(lines))
    return lambda: replay(events, folder / "out", DEFAULT_CATALOG, processes=1)


def through_engine(lines: Sequence[bytes]) -> Callable[[], Engine]:
    """The same history through the engine alone, including the load of the catalog."""

    def run() -> Engine:
        engine = Engine(Rules(load_catalog(DEFAULT_CATALOG), Terms()))
        engine.run(lines)
        return engine

    return run


def _in_turns(works: Sequence[Callable[[], object]], turns: int) -> list[list[float]]:
    """Seconds of CPU of each work in each turn, after one turn that warms up."""
    measured: list[list[float]] = [[] for _ in works]
    for turn in range(turns + 1):
        for values, work in zip(measured, works, strict=True):
            began = time.process_time()
            work()
            if turn:
                values.append(time.process_time() - began)
    return measured


@contextmanager
def rare_garbage_collection() -> Iterator[None]:
    """The thresholds that a replay sets for its process, for the engine too; afterwards those of before."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
