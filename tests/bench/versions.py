"""Comparison with another version of Upbeat: the same measurements in both, by turns, as ratios.

`compare` exports the other version, and runs this file as a script with each version on `PYTHONPATH`. So the file
uses only names that both versions have. Both run on the packages of this tree's virtual environment.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from contextlib import chdir
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from timeit import Timer

from infra.catalog.load import DEFAULT_CATALOG
from infra.demo import cdnow
from infra.replay.replay import replay
from infra.replay.stores import STORE
from shared.adapters.sqlite import SqliteStore
from shared.contracts.inbound.envelope import Delivery, parse_event
from shared.decisioning.compile import compile_catalog
from shared.domain.history import RING_SIZE, History
from shared.domain.terms import Terms
from shared.record.codec import pack, unpack
from shared.record.user_record import UserRecord
from tests.bench import decisions

ROOT = Path(__file__).resolve().parents[2]
TERMS, START, MONTH = Terms(), datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=30)
PAIRS, TURNS = 4, 5
"""Pairs of processes, because one process may be a few percent slower throughout; and turns of each in a pair."""
Measure = Callable[[], float]


def delivery(month: float, **facts: object) -> Delivery:
    """An event of the only user, some months after `START`."""
    common = {"event_id": f"e{month}", "user_id": "u", "occurred_at": (START + month * MONTH).isoformat()}
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
    timer = Timer(lambda: work(*given), "import gc; gc.enable()", time.process_time)
    return lambda: timer.timeit(calls) / calls * 1e6


def adding(calls: int, delivered: Delivery, topic: str = "payment") -> Measure:
    """A measure of adding an event to the full history."""
    return timed(calls, full().add, parse_event(topic, delivered), TERMS)


def deciding(**limits: object) -> Measure:
    """A measure of a decision over 50 campaigns of five clauses, for a user with 48 triggers."""
    return timed(20, decisions.decision, compile_catalog(decisions.catalog(50, limits)), decisions.user())


def replaying_the_demo() -> Measure:
    """A measure of a replay, per event: 1,000 events of the demo, all that some of its customers have."""
    of_some = sorted(cdnow.events(), key=lambda line: str(line["data"]["user_id"]))[:1000]
    lines = sorted(of_some, key=lambda line: str(line["data"]["occurred_at"]))
    return replaying([json.dumps(line) for line in lines], Path("out"), keep_store=True)


def replaying_renewals() -> Measure:
    """A measure of a replay, per event: ten renewals of each of 100 users."""
    months = [payment(month) for month in range(10)]
    told = [json.loads(month.data) | {"user_id": f"u{user}"} for month in months for user in range(100)]
    return replaying([json.dumps({"topic": "payment", "data": data}) for data in told], Path("out-renewals"))


def replaying(lines: list[str], out: Path, **options: bool) -> Measure:
    """A measure of a replay of these lines with the default catalog, per event."""
    events = out.with_suffix(".events")
    events.write_text("\n".join(lines))
    run = timed(1, lambda: replay(events, out, DEFAULT_CATALOG, processes=1, **options))
    return lambda: run() / len(lines)


SIGNAL = delivery(RING_SIZE - 0.5, signal="auto_renew_off")
MEASUREMENTS: dict[str, Callable[[], Measure]] = {
    "fold a newer success, with a full ring, µs": lambda: adding(200, payment(RING_SIZE)),
    "fold a newer failure, µs": lambda: adding(200, payment(RING_SIZE, "failed")),
    "fold a newer signal, µs": lambda: adding(200, SIGNAL, "churn-signal"),
    "refold a full ring, µs": lambda: adding(10, payment(-1)),
    "read within the period, µs": lambda: timed(2000, full().at, START + (RING_SIZE - 0.5) * MONTH, TERMS),
    "read after the period, µs": lambda: timed(1000, full().at, START + (RING_SIZE + 0.1) * MONTH, TERMS),
    "pack and unpack a full ring, µs": lambda: timed(100, lambda: unpack(pack(UserRecord("u", full())))),
    "parse a payment, µs": lambda: timed(1000, parse_event, "payment", payment(0)),
    "decide over 50 campaigns of 5 clauses, µs": deciding,
    "the same with caps, cool-downs and feedback rules, µs": lambda: deciding(**decisions.LIMITS),
    "load a catalog of 100 campaigns, µs": lambda: timed(1, compile_catalog, decisions.catalog(100)),
    "replay an event of the demo, with the default catalog, µs": replaying_the_demo,
    "replay a renewal, with the default catalog, µs": replaying_renewals,
    "a document after that replay, bytes": lambda: (
        lambda: mean(len(blob) for _, blob in SqliteStore(f"out/{STORE}").blobs())
    ),
}


def answer() -> None:
    """Answer each line, the name of a measurement, with its result as JSON: a number, or the error as text."""
    prepared = cache(lambda name: MEASUREMENTS[name]())
    print("ready", flush=True)
    with TemporaryDirectory() as folder, chdir(folder):
        for line in sys.stdin:
            try:
                print(json.dumps(prepared(line.rstrip())()), flush=True)
            except Exception as error:
                print(json.dumps(f"{type(error).__name__}: {error}"), flush=True)


def started(root: Path | str) -> subprocess.Popen[str]:
    """A process that is ready to measure the version in a folder."""
    # Without the module `site` (-S), which would add this tree too, because it is installed as editable.
    path = f"{root}{os.pathsep}{sysconfig.get_path('purelib')}"
    env, pipe = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0"}, subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-S", "-P", __file__], env=env, stdin=pipe, stdout=pipe, text=True)  # noqa: S603
    return process if process.stdout.readline() else sys.exit(f"{root}: this version cannot be measured")


def ask(process: subprocess.Popen[str], name: str) -> float | str:
    print(name, file=process.stdin, flush=True)
    return json.loads(process.stdout.readline())


def compare(ref: str) -> None:
    """Print the medians of this tree and of a git ref, and their ratio; skip what one of them cannot do."""
    results: dict[str, list[tuple[float | str, float | str]]] = {name: [] for name in MEASUREMENTS}
    with TemporaryDirectory() as folder:
        archive = f"{folder}/version.tar"
        if subprocess.run(["git", "archive", "-o", archive, ref], cwd=ROOT, check=False).returncode:  # noqa: S603, S607
            sys.exit(f"git cannot export {ref}")
        shutil.unpack_archive(archive, folder, filter="data")
        for _ in range(PAIRS):
            with started(ROOT) as ours, started(folder) as theirs:
                for name, measured in results.items():
                    measured += [(ask(ours, name), ask(theirs, name)) for _ in range(TURNS)]
    print(f"{'':<65} {'this tree':>10} {ref[:10]:>10} ratio")
    for name, pairs in results.items():
        if errors := [result for pair in pairs for result in pair if isinstance(result, str)]:
            print(f"{name}: skipped, {errors[0]}")
            continue
        mine, other = (median(side) for side in zip(*pairs, strict=True))
        print(f"{name:<65} {mine:10.1f} {other:10.1f} {mine / other:5.2f}")


if __name__ == "__main__":
    answer()
