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
from typing import Any

from infra.catalog.load import DEFAULT_CATALOG, load_catalog
from infra.demo import cdnow
from infra.replay.replay import replay
from shared.adapters.fixed import FixedCatalogs
from shared.adapters.sqlite import SqliteStore
from shared.application.handle_event import Application
from shared.contracts.inbound.envelope import decode, parse_event
from shared.domain.events import Event
from shared.domain.history import History
from shared.domain.terms import Terms
from shared.record.codec import pack, unpack
from shared.record.user_record import UserRecord
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


def renewal(number: int, at: datetime, user_id: str = "user-1") -> dict[str, Any]:
    """A renewal, as a producer sends it."""
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
    """The push body of a renewal."""
    data = b64encode(json.dumps(renewal(number, at)).encode()).decode()
    return json.dumps({"message": {"data": data}}).encode()


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


class Growing:
    """A user who renews every day, through the whole application on SQLite."""

    def __init__(self, folder: str) -> None:
        self.clock = Standing()
        self.store = SqliteStore(Path(folder) / "bench.sqlite", durable=False)
        catalogs = FixedCatalogs(load_catalog(DEFAULT_CATALOG))
        self.application = Application(self.store, Nowhere(), catalogs, self.clock, TERMS)
        self.days = 0

    async def renew(self) -> float:
        """Handle the next renewal; the seconds of CPU that it took."""
        renewed = event(self.days)
        self.days += 1
        self.clock.instant = renewed.occurred_at
        began = time.process_time()
        await self.application.handle(renewed)
        return time.process_time() - began


async def grow(old: Growing, young: Growing) -> tuple[float, float]:
    """Median microseconds of 500 renewals each, from the 9,500th and from the 100th."""
    for user, days in ((old, 9_500), (young, 100)):
        for _ in range(days):
            await user.renew()
    pairs = [(await old.renew(), await young.renew()) for _ in range(500)]
    late, early = (sorted(spent)[250] * 1e6 for spent in zip(*pairs, strict=True))
    return late, early


def growing() -> None:
    """The 10,000th event of a user against the 100th, by turns, so that both meet the same machine."""
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        old = Growing(one)
        late, early = asyncio.run(grow(old, Growing(other)))
        ((_, blob),) = old.store.blobs()
    compare(f"the 10,000th event (a document of {len(blob):,} bytes) : the 100th", late, early)


def replaying() -> None:
    """Events a second with one process and with two: of the demo's history, of renewals, and of mere duplicates.

    In the demo's history each event is followed by two that time brings. A duplicate is carried in and looked up,
    and nothing else comes of it: no replay through these functions can be faster than that.
    """
    renewals = [_line(number % 1_000, number // 1_000) for number in range(10_000)]
    for what, lines in (
        ("the demo's history", [json.dumps(line) for line in cdnow.events()]),
        ("renewals of 1,000 users", renewals),
        ("the same 1,000 events over and over", renewals[:1_000] * 20),
    ):
        with TemporaryDirectory() as folder:
            events = Path(folder) / "events.jsonl"
            events.write_text("\n".join(lines))
            out = Path(folder) / "out"
            one, two = [
                replay(events, out, DEFAULT_CATALOG, processes=count).events_per_second for count in (1, 2)
            ]
        sys.stdout.write(f"replay of {what}: {one:.0f} events a second in one process, {two:.0f} in two\n")


def _line(user: int, month: int) -> str:
    """A renewal of one of many users, as a line of a history."""
    at = START + month * 30 * DAY + timedelta(seconds=user)
    return json.dumps({"topic": "payment", "data": renewal(month * 10_000 + user, at, f"user-{user}")})


def main() -> None:
    """Run them all."""
    sys.stdout.write(f"{'what : yardstick':<72} {'ours':>12} {'yardstick':>12} {'ratio':>7}\n")
    for benchmark in (reading, folding, packing, deciding, scoring, growing, replaying):
        benchmark()


if __name__ == "__main__":
    main()
