"""How long the warehouse's models take: `python -m tests.simulation.warehouse --events 1000000`.

A made-up history with experiments, holdouts, a policy and feedback (tests/support/experiment_history.py) is
replayed, and its raw log is multiplied in DuckDB: the same lives again, under other users' names and other ids.
All of it but its last days is built from nothing, on two threads and with 2 GB of memory; then one more day lands,
and only that is built. Wall time depends on what else the machine does: the processor time is told beside it.
"""

import argparse
import resource
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import duckdb

from infra.analytics.warehouse.duckdb_engine import DuckDBEngine
from infra.analytics.warehouse.load import load
from infra.analytics.warehouse.models import read_models
from infra.analytics.warehouse.runner import run
from shared.contracts.topics import Topic
from tests.support import experiment_history

USERS = 1_000
"""Users of the history that is replayed."""
CUT = experiment_history.START + timedelta(days=100)
"""The day that is built by itself. What comes later is left out."""
ONCE = {"raw_catalog_published", "raw_lifecycle_clock"}
"""Tables of messages about no user."""
INBOUND = ("raw_trial_start", "raw_payment", "raw_churn_signal", "raw_trigger_feedback")
NAME = r"""'([":/ -])u(\d+)([-"/])', '\1u\2x' || k || '\3', 'g'"""
"""The arguments of `regexp_replace` that give a user another name; k is the number of the repetition."""
ID = r"""'(["/-])([0-9a-f]{4})([0-9a-f]{28}|[0-9a-f]{DIGITS})(["./-])', '\1' || printf('%04x', k) || '\3\4', 'g'"""
"""The same for a hash of 32 digits, or of 16: on `lifecycle-due` alone, where it is no catalog's version."""
MULTIPLIED = """
SELECT subscription_name, message_id || '-' || k AS message_id, publish_time,
  CAST(regexp_replace(CAST(attributes AS VARCHAR), ID) AS JSON) AS attributes,
  encode(regexp_replace(regexp_replace(decode(data), NAME), ID)) AS data
FROM small.TABLE, range($times) AS times(k)
"""


class Step(NamedTuple):
    """What one model of a run took."""

    name: str
    action: str
    seconds: float
    processor_seconds: float


def tables() -> list[str]:
    """The raw tables."""
    return [f"raw_{topic.value.replace('-', '_')}" for topic in Topic]


def built(engine: DuckDBEngine) -> Iterator[Step]:
    """Run all models, and tell each."""
    began, used = time.perf_counter(), time.process_time()
    for one in run(engine, read_models()):
        now, now_used = time.perf_counter(), time.process_time()
        yield Step(one.name, one.action, now - began, now_used - used)
        began, used = now, now_used


def multiply(connection: Any, small: Path, times: int, first: datetime, end: datetime) -> None:
    """Land what was published from `first` to before `end` in another warehouse, so many times."""
    connection.execute(f"ATTACH '{small}' AS small (READ_ONLY)")
    for table in tables():
        query = (
            "SELECT * FROM small.TABLE" if table in ONCE else MULTIPLIED.replace("NAME", NAME).replace("ID", ID)
        )
        query = query.replace("TABLE", table).replace("DIGITS", "12" if table == "raw_lifecycle_due" else "28")
        values = {"first": first, "end": end} | ({} if table in ONCE else {"times": times})
        connection.execute(
            f"INSERT INTO {table} SELECT * FROM ({query})"  # noqa: S608 - names of ours
            " WHERE publish_time >= $first AND publish_time < $end ORDER BY publish_time",
            values,
        )
    connection.execute("DETACH small")


def number_of_events(engine: DuckDBEngine) -> int:
    """The events that landed from producers and consumers."""
    counts = (engine.rows(f"SELECT COUNT(*) AS n FROM {table}") for table in INBOUND)  # noqa: S608 - names of ours
    return sum(row["n"] for (row,) in counts)


def measured(folder: Path, events: int) -> tuple[int, list[Step], list[Step]]:
    """The number of events, and what each model took: of the whole, and of one more day."""
    out = experiment_history.replayed(folder / "history", USERS)
    file = folder / "small.duckdb"
    with DuckDBEngine.at(str(file)) as small:
        load(small, out, tuple(topic.value for topic in Topic))
        found = number_of_events(small)
    connection = duckdb.connect(str(folder / "large.duckdb"), config={"threads": 2})
    with DuckDBEngine.of(connection) as engine:
        for table in tables():
            engine.land(table, [])
        times = max(1, round(events / found))
        multiply(connection, file, times, experiment_history.START - timedelta(days=1), CUT)
        whole = list(built(engine))
        multiply(connection, file, times, CUT, CUT + timedelta(days=1))
        day = list(built(engine))
        return number_of_events(engine), whole, day


def main() -> None:
    """Print what each model took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument(
        "--folder", type=Path, help="where the warehouse is made; default: a folder that is removed"
    )
    options = parser.parse_args()
    with TemporaryDirectory(dir=options.folder) as folder:
        number, whole, day = measured(Path(folder), options.events)
    sys.stdout.write(f"{number:,} events, with all that Upbeat published about them\n")
    for title, steps in (("all models", whole), ("one more day", day)):
        for step in steps:
            took = f"{step.seconds:7.2f} s {step.processor_seconds:7.2f} s of CPU"
            sys.stdout.write(f"  {step.name:<26} {step.action:<10} {took}\n")
        seconds, processor = (sum(part) for part in zip(*(step[2:] for step in steps), strict=True))
        sys.stdout.write(f"{title}: {seconds:.1f} s, {processor:.1f} s of CPU\n")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"peak memory of the process: {peak:,.0f} MiB\n")


if __name__ == "__main__":
    main()
