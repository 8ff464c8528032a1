"""Comparison with another version of Upbeat: the same measurements in both, by turns, as ratios.

`compare` exports the other version, and runs this file as a script with each version on `PYTHONPATH`. So the file
uses only names that both versions have. Both run on the packages of this tree's virtual environment.
"""

import io
import json
import os
import sqlite3
import subprocess
import sys
import sysconfig
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from infra.catalog.load import DEFAULT_CATALOG
from infra.demo import cdnow
from infra.replay.replay import replay
from infra.replay.stores import STORE
from shared.contracts.inbound.envelope import Delivery, parse_event
from shared.domain.history import RING_SIZE, History
from shared.domain.terms import Terms
from shared.record.codec import pack, unpack
from shared.record.user_record import UserRecord

ROOT = Path(__file__).resolve().parents[2]
TERMS = Terms()
START, MONTH = datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=30)
REPLAYED = 1_000
PAIRS = 4
"""Pairs of processes, because the layout of its memory makes a process a few percent slower or faster throughout."""
Measure = Callable[[], float]


def delivery(month: float, **facts: object) -> Delivery:
    """An event of the only user, by default at the start of a month."""
    at = (START + month * MONTH).isoformat()
    common = {"event_id": f"e{month}", "user_id": "user-1", "occurred_at": at}
    return Delivery(json.dumps(common | facts).encode(), {})


def payment(month: int, outcome: str = "succeeded") -> Delivery:
    """A payment for a month, at its start."""
    start, end = ((START + number * MONTH).isoformat() for number in (month, month + 1))
    paid = {"plan": "premium_monthly", "amount": 1099, "currency": "EUR", "period_start": start, "period_end": end}
    return delivery(month, outcome=outcome, payment_id=f"p{month}", **paid)


@cache
def full() -> History:
    """The history of a user who has renewed every month until the ring was full."""
    history = History()
    for month in range(RING_SIZE):
        history = history.add(parse_event("payment", payment(month)), TERMS).history
    return history


def timed(calls: int, work: Callable[..., object], *given: object) -> Measure:
    """A measure of the microseconds of CPU per call."""

    def measure() -> float:
        began = time.process_time()
        for _ in range(calls):
            work(*given)
        return (time.process_time() - began) / calls * 1e6

    return measure


def adding(calls: int, delivered: Delivery, topic: str = "payment") -> Measure:
    """A measure of adding an event to the full history."""
    return timed(calls, full().add, parse_event(topic, delivered), TERMS)


def replaying() -> Measure:
    """A measure of a replay, per event: the whole histories of some customers of the demo."""
    of_some = sorted(cdnow.events(), key=lambda line: str(line["data"]["user_id"]))[:REPLAYED]
    lines = sorted(of_some, key=lambda line: str(line["data"]["occurred_at"]))
    events, out = Path("events.jsonl"), Path("out")
    events.write_text("\n".join(json.dumps(line) for line in lines))
    run = timed(1, partial(replay, events, out, DEFAULT_CATALOG, processes=1, keep_store=True))
    return lambda: run() / REPLAYED


def document_size() -> float:
    """The mean size of the documents that the replay left."""
    with closing(sqlite3.connect(Path("out", STORE))) as store:
        return float(*store.execute("select avg(length(blob)) from subscriptions").fetchone())


SIGNAL = delivery(RING_SIZE - 0.5, signal="auto_renew_off")
MEASUREMENTS: dict[str, tuple[int, Callable[[], Measure]]] = {
    "fold a newer success, with a full ring, µs": (15, lambda: adding(100, payment(RING_SIZE))),
    "fold a newer failure, µs": (15, lambda: adding(100, payment(RING_SIZE, "failed"))),
    "fold a newer signal, µs": (15, lambda: adding(100, SIGNAL, "churn-signal")),
    "refold a full ring, µs": (15, lambda: adding(5, payment(-1))),
    "read within the period, µs": (15, lambda: timed(500, full().at, START + (RING_SIZE - 0.5) * MONTH, TERMS)),
    "read after the period, µs": (15, lambda: timed(500, full().at, START + (RING_SIZE + 0.1) * MONTH, TERMS)),
    "pack and unpack a full ring, µs": (15, lambda: timed(50, lambda: unpack(pack(UserRecord("u", full()))))),
    "parse a payment, µs": (15, lambda: timed(500, parse_event, "payment", payment(0))),
    "replay an event of the demo, each with its default catalog, µs": (5, replaying),
    "a document after that replay, bytes": (1, lambda: document_size),
}
"""For each measurement, its turns in a process, and the function that prepares it."""


def answer() -> None:
    """Answer each line, the name of a measurement, with its result as JSON: a number, or the error as text."""
    prepared = cache(lambda name: MEASUREMENTS[name][1]())
    for line in sys.stdin:
        try:
            result = prepared(line.rstrip())()
        except Exception as error:
            result = f"{type(error).__name__}: {error}"
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()


@contextmanager
def measuring(root: Path) -> Iterator[Callable[[str], float | str]]:
    """A process that measures the version in a folder: a function of a measurement's name."""
    # Without the module `site` (-S), which would add this tree as well, because it is installed editable.
    path = os.pathsep.join([str(root), sysconfig.get_path("purelib")])
    env, pipe = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0"}, subprocess.PIPE
    command = [sys.executable, "-S", "-P", __file__]
    with (
        TemporaryDirectory() as folder,
        subprocess.Popen(command, cwd=folder, env=env, stdin=pipe, stdout=pipe, text=True) as process,  # noqa: S603
    ):

        def ask(name: str) -> float | str:
            print(name, file=process.stdin, flush=True)
            return json.loads(process.stdout.readline() or sys.exit(f"{root}: this version cannot be measured"))

        yield ask


def compare(ref: str) -> None:
    """Print the medians of this tree and of a git ref, and their ratio."""
    results = {name: ([], []) for name in MEASUREMENTS}
    with TemporaryDirectory() as folder:
        export(ref, folder)
        for _ in range(PAIRS):
            with measuring(ROOT) as ours, measuring(Path(folder)) as theirs:
                for name, (turns, _) in MEASUREMENTS.items():
                    for turn in range(turns):
                        ...
