"""Benchmarks, run as `make bench`. They report ratios within one run, which do not depend on the machine's speed.

Each line names the two things compared, with both times and their ratio. No benchmark fails: the numbers are for
people. With `--against REF` (`make bench AGAINST=REF`), this tree is compared with another version of it instead.
"""

import argparse
import asyncio
import json
import sys
import time
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infra.catalog.load import DEFAULT_CATALOG, load_catalog
from infra.demo import cdnow
from infra.replay.replay import replay
from shared.adapters.fixed import FixedCatalogs
from shared.adapters.packed_records import PackedRecords
from shared.adapters.sqlite import SqliteStore
from shared.application.handle_event import Application
from shared.contracts.inbound.envelope import decode, parse_event
from shared.domain.events import Event
from shared.domain.history import History
from shared.domain.terms import Terms
from shared.record.codec import pack, unpack
from shared.record.user_record import UserRecord
from tests.bench.cold_starts import cold_starts
from tests.bench.decisions import deciding
from tests.bench.scores import scoring
from tests.bench.timing import cpu_of
from tests.bench.versions import compare

TERMS = Terms()
DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


class FixedClock:
    """A clock that moves only when a benchmark sets `instant`."""

    def __init__(self) -> None:
        self.instant = START

    def now(self) -> datetime:
        return self.instant


class NullPublisher:
    """A publisher that discards every message."""

    async def publish(self, messages: object) -> None:
        pass


def renewal(number: int, at: datetime, user_id: str = "user-1") -> dict[str, Any]:
    """The JSON of a renewal event, as a producer publishes it."""
    return {
        "event_id": f"evt_{number:08d}",
        "source": "billing",
        "user_id": user_id,
        "occurred_at": at.isoformat(),
        "outcome": "succeeded",
        "plan": "premium_monthly",
        "amount": 1099,
        "currency": "EUR",
        "period_start": at.isoformat(),
        "period_end": (at + 30 * DAY).isoformat(),
    }


def payment(number: int, at: datetime) -> bytes:
    """The request body with which Pub/Sub pushes a renewal."""
    data = b64encode(json.dumps(renewal(number, at)).encode()).decode()
    return json.dumps({"message": {"data": data}}).encode()


def event(number: int) -> Event:
    """The parsed renewal of day `number`."""
    return parse_event("payment", decode(payment(number, START + number * DAY)))


def report(names: str, ours: float, baseline: float) -> None:
    """Print one line: our time, the baseline's time, and their ratio."""
    sys.stdout.write(f"{names:<72} {ours:9.1f} µs {baseline:9.1f} µs {ours / baseline:7.2f}\n")


def folding() -> None:
    """A newer event, which folds onto the head, against an old event, which refolds the ring."""
    history = History()
    for number in range(96):
        history = history.add(event(number), TERMS).history
    newer, oldest = event(96), event(-1)
    report(
        "fold a newer event onto the head : refold a full ring",
        cpu_of(lambda: history.add(newer, TERMS), 200),
        cpu_of(lambda: history.add(oldest, TERMS), 20),
    )


def reading() -> None:
    """Parsing and validating an event, against the JSON parser alone."""
    body = payment(1, START)
    data = decode(body).data
    report(
        "push body to event : json.loads of the event alone",
        cpu_of(lambda: parse_event("payment", decode(body)), 2000),
        cpu_of(lambda: json.loads(data), 2000),
    )


def packing() -> None:
    """Packing and unpacking a document with a full ring, against a document with one event."""
    history = History()
    for number in range(96):
        history = history.add(event(number), TERMS).history
    full, small = UserRecord("user-1", history), UserRecord("user-1", History().add(event(1), TERMS).history)
    report(
        "pack and unpack a full ring : one event",
        cpu_of(lambda: unpack(pack(full)), 100),
        cpu_of(lambda: unpack(pack(small)), 1000),
    )


class Growing:
    """A user who renews every day, processed by the whole application on SQLite."""

    def __init__(self, folder: str) -> None:
        self.clock = FixedClock()
        self.store = SqliteStore(Path(folder) / "bench.sqlite", durable=False)
        catalogs = FixedCatalogs(load_catalog(DEFAULT_CATALOG))
        self.application = Application(
            PackedRecords(self.store, TERMS), NullPublisher(), catalogs, self.clock, TERMS
        )
        self.days = 0

    async def renew(self) -> float:
        """Handle the next renewal, and return the CPU seconds it took."""
        renewed = event(self.days)
        self.days += 1
        self.clock.instant = renewed.occurred_at
        began = time.process_time()
        await self.application.handle(renewed)
        return time.process_time() - began


async def grow(old: Growing, young: Growing) -> tuple[float, float]:
    """Median microseconds of CPU over 500 renewals of each user, from the 9,500th and from the 100th."""
    for user, days in ((old, 9_500), (young, 100)):
        for _ in range(days):
            await user.renew()
    pairs = [(await old.renew(), await young.renew()) for _ in range(500)]
    late, early = (sorted(spent)[250] * 1e6 for spent in zip(*pairs, strict=True))
    return late, early


def growing() -> None:
    """The 10,000th event of a user against the 100th, in turns, so that both run under the same conditions."""
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        old = Growing(one)
        late, early = asyncio.run(grow(old, Growing(other)))
        ((_, blob),) = old.store.blobs()
    report(f"the 10,000th event (a document of {len(blob):,} bytes) : the 100th", late, early)


def replaying() -> None:
    """Print events per second with one and two processes: the demo's history, renewals, and duplicates.

    In the demo's history, each event is followed by two that time causes. A duplicate is only delivered and looked
    up, so its rate is the upper bound of any replay through these functions.
    """
    renewals = [_line(number % 1_000, number // 1_000) for number in range(10_000)]
    for name, lines in (
        ("the demo's history", [json.dumps(line) for line in cdnow.events()]),
        ("renewals of 1,000 users", renewals),
        ("the same 1,000 events, 20 times", renewals[:1_000] * 20),
    ):
        with TemporaryDirectory() as folder:
            events = Path(folder) / "events.jsonl"
            events.write_text("\n".join(lines))
            out = Path(folder) / "out"
            one, two = [
                replay(events, out, DEFAULT_CATALOG, processes=count).events_per_second for count in (1, 2)
            ]
        sys.stdout.write(f"replay of {name}: {one:.0f} events a second in one process, {two:.0f} in two\n")


def _line(user: int, month: int) -> str:
    """A renewal of one of many users, as a line of a history."""
    at = START + month * 30 * DAY + timedelta(seconds=user)
    return json.dumps({"topic": "payment", "data": renewal(month * 10_000 + user, at, f"user-{user}")})


def main() -> None:
    """Run all benchmarks, or the comparison with another version."""
    parser = argparse.ArgumentParser("python -m tests.bench", description="Measure, as ratios within one run.")
    parser.add_argument("--against", metavar="REF", help="measure this tree against a git ref instead")
    if ref := parser.parse_args().against:
        compare(ref)
        return
    sys.stdout.write(f"{'ours : baseline':<72} {'ours':>12} {'baseline':>12} {'ratio':>7}\n")
    for benchmark in (reading, folding, packing, deciding, scoring, growing, replaying, cold_starts):
        benchmark()


if __name__ == "__main__":
    main()
