"""Benchmarks, run as `make bench`: ratios within one run, since the machine's speed is nobody's merit.

Each line says what was compared, both times and the ratio. Nothing here fails: numbers are for people.
"""

import asyncio
import json
import sys
import time
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.catalog_file import DEFAULT_CATALOG, load_catalog
from infra.demo import cdnow
from infra.local.replay import replay
from shared.adapters.fixed import FixedCatalogs
from shared.adapters.sqlite import SqliteStore
from shared.application import Application
from shared.contracts.envelope import decode, parse_event
from shared.domain.events import Event
from shared.domain.history import History
from shared.domain.terms import Terms
from shared.packing import pack, unpack
from shared.record import UserRecord
from tests.bench.decisions import deciding
from tests.bench.scores import scoring
from tests.bench.timing import cpu_of

TERMS = Terms()
DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


class Standing:
    """A clock that stands where it was put."""

    def __init__(self) -> None:
        self.instant = START

    def now(self) -> datetime:
        return self.instant


class Nowhere:
    """A publisher to nobody."""

    async def publish(self, messages: object) -> None:
        pass


def payment(number: int, at: datetime) -> bytes:
    """The push body of a renewal."""
    event = {
        "event_id": f"evt_{number:08d}",
        "source": "billing",
        "user_id": "user-1",
        "occurred_at": at.isoformat(),
        "outcome": "succeeded",
        "plan": "premium_monthly",
        "amount": 1099,
        "currency": "EUR",
        "period_start": at.isoformat(),
        "period_end": (at + 30 * DAY).isoformat(),
    }
    return json.dumps({"message": {"data": b64encode(json.dumps(event).encode()).decode()}}).encode()


def event(number: int) -> Event:
    """A renewal, a day after the one before."""
    return parse_event("payment", decode(payment(number, START + number * DAY)))


def compare(what: str, ours: float, theirs: float) -> None:
    """Print a line: ours, the yardstick, and ours over the yardstick."""
    sys.stdout.write(f"{what:<72} {ours:9.1f} µs {theirs:9.1f} µs {ours / theirs:7.2f}\n")


def folding() -> None:
    """A newer event folds onto the head; an old one refolds the ring."""
    history = History()
    for number in range(96):
        history = history.add(event(number), TERMS).history
    newer, oldest = event(96), event(-1)
    compare(
        "fold a newer event onto the head : refold a full ring",
        cpu_of(lambda: history.add(newer, TERMS), 200),
        cpu_of(lambda: history.add(oldest, TERMS), 20),
    )


def reading() -> None:
    """Reading an event against the JSON parser it stands on."""
    body = payment(1, START)
    data = decode(body).data
    compare(
        "push body to event : json.loads of the event alone",
        cpu_of(lambda: parse_event("payment", decode(body)), 2000),
        cpu_of(lambda: json.loads(data), 2000),
    )


def packing() -> None:
    """The codec on a small and a full document."""
    history = History()
    for number in range(96):
        history = history.add(event(number), TERMS).history
    full, small = UserRecord("user-1", history), UserRecord("user-1", History().add(event(1), TERMS).history)
    compare(
        "pack and unpack a full ring : one event",
        cpu_of(lambda: unpack(pack(full)), 100),
        cpu_of(lambda: unpack(pack(small)), 1000),
    )


def growing() -> None:
    """The 10,000th event of a user against the 100th to 200th, through the whole application on SQLite."""

    async def run() -> tuple[float, float, int]:
        clock = Standing()
        catalogs = FixedCatalogs(load_catalog(DEFAULT_CATALOG))
        with TemporaryDirectory() as folder:
            store = SqliteStore(Path(folder) / "bench.sqlite", durable=False)
            application = Application(store, Nowhere(), catalogs, clock, TERMS)
            spent = []
            for number in range(10_000):
                each_event = event(number)
                clock.instant = each_event.occurred_at
                began = time.process_time()
                await application.handle(each_event)
                spent.append(time.process_time() - began)
            size = len((await store.load("user-1")).blob or b"")
            store.close()
        early, late = sorted(spent[100:600])[250], sorted(spent[9_500:])[250]
        return late * 1e6, early * 1e6, size

    late, early, size = asyncio.run(run())
    compare(f"the 10,000th event (a document of {size:,} bytes) : the 100th", late, early)


def replaying() -> None:
    """Events a second on the demo's history, with one process and with all cores."""
    with TemporaryDirectory() as folder:
        events = Path(folder) / "events.jsonl"
        events.write_text("".join(json.dumps(line) + "\n" for line in cdnow.events()))
        rates = {
            processes: replay(events, Path(folder) / "out", DEFAULT_CATALOG, processes=processes).events_per_second
            for processes in (1, 2)
        }
    sys.stdout.write(f"replay of the demo's history: {rates[1]:.0f} events a second in one process,")
    sys.stdout.write(f" {rates[2]:.0f} in two ({rates[2] / rates[1]:.2f} times)\n")


def main() -> None:
    """Run them all."""
    sys.stdout.write(f"{'what : yardstick':<72} {'ours':>12} {'yardstick':>12} {'ratio':>7}\n")
    for benchmark in (reading, folding, packing, deciding, scoring, growing, replaying):
        benchmark()


if __name__ == "__main__":
    main()
