"""A raw log of any size, to measure bulk work on: `python -m tests.simulation.million 1000000 FOLDER [CATALOG]`.

One user's life is replayed by a catalog, and lands again for as many users as make that many events.
"""

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from infra.catalog.load import DEFAULT_CATALOG
from infra.raw.folder import RAW
from infra.raw.line import Landed, from_line, to_line
from infra.replay.replay import replay

EVENTS_OF_A_USER = 25
PERIOD = timedelta(days=30)
START = datetime(2024, 1, 1, tzinfo=UTC)
USER = "user-0000000"


def land(events: int, folder: Path, catalog: Path = DEFAULT_CATALOG) -> None:
    """Write the raw log of renewals with that many events, or a few more."""
    users = -(-events // EVENTS_OF_A_USER)
    folder.mkdir(parents=True)
    with TemporaryDirectory() as scratch:
        history = Path(scratch) / "events.jsonl"
        history.write_bytes(b"".join(_renewals()))
        replay(history, Path(scratch) / "out", catalog, keep_store=True)
        for file in (Path(scratch) / "out" / RAW).glob("*.jsonl"):
            landed = [from_line(line) for line in file.read_bytes().splitlines()]
            with (folder / file.name).open("wb") as lines:
                lines.writelines(to_line(each) for number in range(users) for each in _of(number, landed))


def _renewals() -> Iterator[bytes]:
    """A history: one user who pays every 30 days."""
    for number in range(EVENTS_OF_A_USER):
        at = START + number * PERIOD
        data = {
            "event_id": f"pay-{number}",
            "user_id": USER,
            "occurred_at": at,
            "outcome": "succeeded",
            "plan": "premium_monthly",
            "amount": 999,
            "currency": "EUR",
            "period_start": at,
            "period_end": at + PERIOD,
        }
        yield orjson.dumps({"topic": "payment", "data": data}, option=orjson.OPT_APPEND_NEWLINE)


def _of(number: int, landed: Sequence[Landed]) -> Iterator[Landed]:
    """The same messages about another user; those about nobody only once."""
    user = f"user-{number:07}"
    for one in landed:
        if number == 0 or USER.encode() in one.data:
            data = one.data.replace(USER.encode(), user.encode())
            yield one._replace(message_id=f"{one.message_id}{number:07}", data=data)


if __name__ == "__main__":
    count, *places = sys.argv[1:]
    land(int(count), *map(Path, places))
