"""Growth: the time per event of a user who has had few events, and of one who has had very many."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from infra.catalog.load import DEFAULT_CATALOG, load_catalog
from shared.contracts.inbound.envelope import decode, parse_event
from shared.domain.terms import Terms
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.record.bounds import fit
from shared.record.codec import unpack
from shared.record.user_record import UserRecord
from tests.bench.function.workload import payment, push
from tests.bench.report import Result, progress
from tests.bench.timing import TURNS, cpu_in_turns

START, DAY = datetime(1995, 1, 1, tzinfo=UTC), timedelta(days=1)
FULL_RING = 100
"""The number of events, in round figures, from which on a document has a full ring."""
SIZES = (10, FULL_RING, 1_000, 10_000)
GOAL = 1.1
MEASURED_EVENTS = 10


class Stored(NamedTuple):
    """A user's document after a number of events."""

    events: int
    blob: bytes


def growing(turns: int = TURNS, sizes: tuple[int, ...] = SIZES) -> list[Result]:
    """Microseconds per event, from stored bytes to stored bytes, against a user whose ring has just filled up."""
    rules = Rules(load_catalog(DEFAULT_CATALOG), Terms())
    progress(f"growth: a user with {sizes[-1]:,} events")
    users = documents(sizes, rules)
    measured = cpu_in_turns(*(next_events(user, rules) for user in users), times=1, turns=turns)
    per_event = {
        user.events: [spent / MEASURED_EVENTS for spent in values]
        for user, values in zip(users, measured, strict=True)
    }
    return [
        Result(
            "growth",
            f"event after {user.events:,} ({len(user.blob):,} bytes)",
            "µs",
            per_event[user.events],
            f"after {FULL_RING}",
            per_event[FULL_RING],
            GOAL,
        )
        for user in users
        if user.events != FULL_RING
    ]


def documents(sizes: tuple[int, ...], rules: Rules) -> list[Stored]:
    """The document of one user who renews every day, after each number of events."""
    kept, blob = [], None
    for number in range(max(sizes)):
        if number in sizes and blob:
            kept.append(Stored(number, blob))
        blob = handled(blob, number, rules)
    return [*kept, Stored(max(sizes), blob or b"")]


def next_events(user: Stored, rules: Rules) -> Callable[[], bytes]:
    """A function that handles the next events of a user, always from the same document."""

    def run() -> bytes:
        blob = user.blob
        for number in range(user.events, user.events + MEASURED_EVENTS):
            blob = handled(blob, number, rules)
        return blob

    return run


def handled(blob: bytes | None, number: int, rules: Rules) -> bytes:
    """The document after the renewal of day `number`."""
    at = START + number * DAY
    record = unpack(blob)._replace(pending=()) if blob else UserRecord("user-1")  # what is out is not kept
    event = parse_event("payment", decode(push(payment("user-1", at, DAY))))
    packing, _ = fit(process(record, event, record.effective_now(at, event), rules).record, rules.terms)
    return packing.blob
