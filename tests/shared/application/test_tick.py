"""The clock's tick: every due user gets a message, at most once an hour, and no user delays another."""

import asyncio
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from infra.embedded.runtime import VirtualClock
from shared.adapters.fixed import FixedCatalogs
from shared.adapters.sqlite import SqliteStore
from shared.application.handle_event import Application
from shared.application.tick import PAGE_SIZE, RESTART_INTERVAL, Ticker
from shared.contracts.inbound.envelope import Delivery, parse_event
from shared.contracts.outbound.message import Message
from shared.contracts.topics import Topic
from shared.decisioning.catalog import EMPTY
from shared.domain.due_shards import DUE_SHARDS, due_shard
from shared.domain.errors import Transient
from shared.domain.events import Event, Key, TimePassed, TrialStarted
from shared.domain.terms import Terms
from shared.ports import Document, DueUser
from tests.support.publishers import Collected

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
SHARD = 7
ALL = tuple(range(DUE_SHARDS))


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOON)


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    store = SqliteStore(":memory:")
    yield store
    store.close()


@pytest.fixture
def bus() -> Collected:
    return Collected()


@pytest.fixture
def ticker(store, bus, clock) -> Ticker:
    return Ticker(store, bus, clock)


def users_of(shard: int, count: int) -> list[str]:
    found: list[str] = []
    number = 0
    while len(found) < count:
        if due_shard(f"user-{number}") == shard:
            found.append(f"user-{number}")
        number += 1
    return found


async def make_due(store: SqliteStore, due_at: datetime, user_ids: Iterable[str]) -> None:
    for user_id in user_ids:
        await store.commit(Document(user_id, b"blob", due_at, {}), (await store.load(user_id)).version)


def notified(bus: Collected) -> list[str]:
    """The users who were sent a message since the last call."""
    users = [message.body["user_id"] for message in bus.messages]
    bus.messages.clear()
    return users


async def test_each_user_who_is_due_is_sent_one_message(store, bus, ticker) -> None:
    users = [f"user-{n}" for n in range(100)]
    await make_due(store, NOON, users)
    await make_due(store, NOON + SECOND, ["user-of-tomorrow"])
    assert await ticker.tick(ALL) == 100
    assert sorted(notified(bus)) == sorted(users)


async def test_only_the_shards_asked_for_are_looked_at(store, bus, ticker) -> None:
    await make_due(store, NOON, ["user-0", *users_of(SHARD, 2)])
    assert await ticker.tick((SHARD,)) == 2
    assert notified(bus) == users_of(SHARD, 2)


async def test_the_message_is_an_event_that_its_function_understands(store, bus, ticker) -> None:
    await make_due(store, NOON, ["__x__"])
    await ticker.tick(ALL)
    (message,) = bus.messages
    event = parse_event(Topic.LIFECYCLE_DUE, Delivery(message.data, message.attributes()))
    assert (event.user_id, event.occurred_at, event.fact) == ("__x__", NOON, TimePassed())
    assert event.key.event_id == message.message_id


async def test_one_user_and_instant_always_give_the_same_message(store, bus, clock) -> None:
    await make_due(store, NOON, ["user-1"])
    await Ticker(store, bus, clock).tick(ALL)
    again = Collected()
    clock.move_to(NOON + RESTART_INTERVAL)
    await Ticker(store, again, clock).tick(ALL)
    assert again.messages == bus.messages


async def test_another_instant_or_user_gives_another_message(store, bus, ticker, clock) -> None:
    await make_due(store, NOON, ["user-1", "user-2"])
    await ticker.tick(ALL)
    clock.move_to(NOON + SECOND)
    await make_due(store, NOON + SECOND, ["user-1"])
    await ticker.tick(ALL)
    assert len({message.message_id for message in bus.messages}) == 3


async def test_more_than_a_page_is_told_in_one_tick(store, bus, ticker) -> None:
    users = users_of(SHARD, 2 * PAGE_SIZE + 1)
    await make_due(store, NOON, users)
    assert await ticker.tick((SHARD,)) == len(users)
    assert notified(bus) == sorted(users)


async def test_a_tick_goes_on_where_the_last_one_stopped(store, bus, ticker, clock) -> None:
    slow, quick = users_of(SHARD, 2)
    await make_due(store, NOON, [slow])
    await ticker.tick(ALL)
    assert notified(bus) == [slow]
    await make_due(store, NOON + MINUTE, [quick])
    clock.move_to(NOON + MINUTE)
    await ticker.tick(ALL)
    assert notified(bus) == [quick]


async def test_who_is_still_due_is_told_again_after_an_hour_whoever_else_comes(store, bus, ticker, clock) -> None:
    stuck, *newcomers = users_of(SHARD, 11)
    await make_due(store, NOON, [stuck])
    told_at = []
    for number, newcomer in enumerate(newcomers):
        clock.move_to(NOON + number * 20 * MINUTE)
        await make_due(store, clock.now(), [newcomer])
        await ticker.tick(ALL)
        told_at += [number * 20 for user_id in notified(bus) if user_id == stuck]
        await make_due(store, NOON + timedelta(days=1), [newcomer])
    assert told_at == [0, 60, 120, 180]


class SlowBus(Collected):
    """A bus on which each publish takes a fixed time."""

    def __init__(self, clock: VirtualClock, takes: timedelta) -> None:
        super().__init__()
        self.clock = clock
        self.takes = takes

    async def publish(self, messages) -> None:
        await super().publish(messages)
        self.clock.move_to(self.clock.now() + self.takes)


async def test_a_tick_ends_when_its_time_is_up_and_the_next_goes_on(store, clock) -> None:
    users = sorted(users_of(SHARD, 3 * PAGE_SIZE))
    await make_due(store, NOON, users)
    slow = SlowBus(clock, takes=30 * SECOND)
    ticker = Ticker(store, slow, clock)
    assert await ticker.tick((SHARD,)) == 2 * PAGE_SIZE
    assert notified(slow) == users[: 2 * PAGE_SIZE]
    assert await ticker.tick((SHARD,)) == PAGE_SIZE
    assert notified(slow) == users[2 * PAGE_SIZE :]


async def test_documents_that_stay_due_for_ever_hold_up_nobody(store, clock) -> None:
    """There are more of them than one tick can send; each tick still continues, and reaches the new users."""
    newcomer, last, *bad = users_of(SHARD, 2 * PAGE_SIZE + 2)
    await make_due(store, NOON - SECOND, bad)
    slow = SlowBus(clock, takes=MINUTE)
    ticker = Ticker(store, slow, clock)
    await ticker.tick((SHARD,))
    assert len(notified(slow)) == PAGE_SIZE
    await make_due(store, NOON, [newcomer])
    for _ in range(2):
        await ticker.tick((SHARD,))
    assert newcomer in notified(slow)
    clock.move_to(NOON + RESTART_INTERVAL + MINUTE)
    await make_due(store, NOON + RESTART_INTERVAL, [last])
    for _ in range(3):
        await ticker.tick((SHARD,))
    assert last in notified(slow)


async def test_what_could_not_be_published_is_told_by_the_next_tick(store, bus, ticker) -> None:
    await make_due(store, NOON, ["user-1"])
    bus.broken = True
    with pytest.raises(Transient):
        await ticker.tick(ALL)
    bus.broken = False
    await ticker.tick(ALL)
    assert notified(bus) == ["user-1"]


async def test_a_shard_that_does_not_answer_holds_up_no_other(store, bus, clock) -> None:
    class OneShardGone:
        load_cursor, save_cursor = store.load_cursor, store.save_cursor

        async def due(self, shard: int, now: datetime, after: DueUser | None, limit: int) -> list[DueUser]:
            if shard == 0:
                raise Transient("gone")
            for _ in range(5):  # long enough for the other shard to fail first
                await asyncio.sleep(0)
            return await store.due(shard, now, after, limit)

    healthy = [user_id for user_id in (f"user-{n}" for n in range(100)) if due_shard(user_id) != 0]
    await make_due(store, NOON, healthy)
    with pytest.raises(Transient, match="gone"):
        await Ticker(OneShardGone(), bus, clock).tick(ALL)
    assert sorted(notified(bus)) == sorted(healthy)


async def test_a_message_that_is_delivered_twice_does_no_more_than_once(store, bus, ticker, clock) -> None:
    ends = NOON + timedelta(days=7)
    trial = Event(
        Key(NOON, Topic.TRIAL_START, "", "t-1"), "user-1", "main", TrialStarted("premium", ends, False), "digest"
    )
    application = Application(store, bus, FixedCatalogs(EMPTY), clock, Terms())
    await application.handle(trial)
    clock.move_to(ends)
    bus.messages.clear()
    await ticker.tick(ALL)
    (due,) = bus.messages
    bus.messages.clear()

    first = await deliver(due, application, bus)
    document = await store.load("user-1")
    assert [message.body["after"]["status"] for message in first] == ["expired"]
    assert await deliver(due, application, bus) == first
    assert await store.load("user-1") == document
    clock.move_to(ends + RESTART_INTERVAL)
    await ticker.tick(ALL)
    assert notified(bus) == []


async def deliver(due: Message, application: Application, bus: Collected) -> list[Message]:
    """The messages that are published when the function processes this one."""
    await application.handle(parse_event(due.topic, Delivery(due.data, due.attributes())))
    published, bus.messages = bus.messages, []
    return published
