"""The cost of an event, counted in Firestore calls: one read and one write, catalogs aside."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from infra.embedded.runtime import VirtualClock
from shared.adapters.fixed import FixedCatalogs
from shared.adapters.gcp.firestore import FirestoreStore
from shared.adapters.packed_records import PackedRecords
from shared.application.handle_event import Application
from shared.application.tick import Ticker
from shared.contracts.topics import Topic
from shared.decisioning.catalog import empty_catalog
from shared.domain.arrival import Arrival
from shared.domain.due_shards import due_shard
from shared.domain.events import (
    Event,
    Key,
    PaymentOutcome,
    PaymentReported,
    Signal,
    SignalSeen,
    TimePassed,
    TrialStarted,
)
from shared.domain.terms import Terms
from tests.shared.adapters.wire import Wire
from tests.support.publishers import Collected

pytestmark = pytest.mark.emulator

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MONTH = timedelta(days=30)
ONE_READ = {"GetDocument": 1}
ONE_WRITE = {"Commit": 1}


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOON)


@pytest.fixture
def store(documents) -> FirestoreStore:
    return FirestoreStore(documents)


@pytest.fixture
def application(store, clock) -> Application:
    return Application(PackedRecords(store, Terms()), Collected(), FixedCatalogs(empty_catalog()), clock, Terms())


def payment(number: int, at: datetime, user_id: str = "user-1") -> Event:
    fact = PaymentReported(PaymentOutcome.SUCCEEDED, "premium", 999, "EUR", at, at + MONTH)
    return Event(Key(at, Topic.PAYMENT, "", f"e-{number}"), user_id, "main", fact, f"digest-{number}")


def trial(user_id: str) -> Event:
    fact = TrialStarted("premium", NOON + MONTH, auto_renew=False)
    return Event(Key(NOON, Topic.TRIAL_START, "", "t-1"), user_id, "main", fact, "digest")


async def cost(wire: Wire, application: Application, event: Event) -> tuple[Arrival, Counter[str], int, int]:
    wire.forget()
    handled = await application.handle(event)
    return handled.arrival, wire.calls, wire.read, wire.written


async def test_an_applied_event_costs_one_read_and_one_write(application, wire) -> None:
    for number in range(3):
        event = payment(number, NOON - number * MONTH)
        assert await cost(wire, application, event) == (Arrival.APPLIED, ONE_READ | ONE_WRITE, 1, 1)


@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=20)], ids=["with messages pending", "long after"])
async def test_a_duplicate_costs_one_read(application, clock, wire, later) -> None:
    await application.handle(payment(1, NOON))
    clock.move_to(NOON + later)
    await application.handle(payment(2, NOON + later))
    assert await cost(wire, application, payment(1, NOON)) == (Arrival.DUPLICATE, ONE_READ, 1, 0)


async def test_an_event_that_changes_nothing_costs_one_read(application, wire) -> None:
    key = Key(NOON, Topic.LIFECYCLE_DUE, "", "d-1")
    nothing_due = Event(key, "user-1", "main", TimePassed(), "digest")
    assert await cost(wire, application, nothing_due) == (Arrival.APPLIED, ONE_READ, 1, 0)


async def test_a_behavioural_signal_costs_one_read_and_one_write(application, wire) -> None:
    key = Key(NOON, Topic.CHURN_SIGNAL, "", "s-1")
    signal = Event(key, "user-1", "main", SignalSeen(Signal.INACTIVITY), "digest")
    assert await cost(wire, application, signal) == (Arrival.APPLIED, ONE_READ | ONE_WRITE, 1, 1)


async def test_a_due_moment_costs_the_clocks_query_one_read_and_one_write(application, store, clock, wire) -> None:
    users = [user_id for n in range(400) if due_shard(user_id := f"user-{n}") == 7]
    assert len(users) > 1
    for user_id in users:
        await application.handle(trial(user_id))
    clock.move_to(NOON + MONTH)

    wire.forget()
    sent = Collected()
    assert (await Ticker(store, sent, clock).tick((7,), "tick-1")).due_users == len(users)
    assert wire.calls == {"GetDocument": 1, "RunQuery": 1, "Commit": 2}
    assert (wire.read, wire.written) == (1, 2)  # the cursor: leased, and then moved and returned

    for message in sent.messages:
        key = Key(clock.now(), message.topic, "", message.message_id)
        due = Event(key, message.body["user_id"], "main", TimePassed(), "digest")
        assert await cost(wire, application, due) == (Arrival.APPLIED, ONE_READ | ONE_WRITE, 1, 1)
    wire.forget()
    assert (await Ticker(store, sent, clock).tick((7,), "tick-2")).due_users == 0
    assert (wire.calls, wire.read) == ({"GetDocument": 1, "RunQuery": 1}, 1)
