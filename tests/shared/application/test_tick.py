"""The clock's tick: every due user gets a message, once an hour at most, and no user delays another."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from infra.embedded.runtime import VirtualClock
from infra.topology import load
from shared.adapters.fixed import FixedCatalogs
from shared.adapters.gcp.rpc import RPC_SECONDS
from shared.adapters.packed_records import PackedRecords
from shared.adapters.sqlite import SqliteStore
from shared.application import shard_sweep
from shared.application.handle_event import Application
from shared.application.shard_sweep import (
    LEASE,
    LONGEST_COMMIT,
    MAX_TOLD,
    PAGE_SIZE,
    RESTART_INTERVAL,
)
from shared.application.tick import TICK_BUDGET, Ticker
from shared.contracts.inbound.envelope import Delivery, parse_clock, parse_event
from shared.contracts.outbound.message import Message
from shared.contracts.topics import Topic
from shared.decisioning.catalog import empty_catalog
from shared.domain.due_shards import DUE_SHARDS, due_shard
from shared.domain.errors import Transient
from shared.domain.events import Event, Key, TimePassed, TrialStarted
from shared.domain.terms import Terms
from shared.ports import Document, DueUser, StoredCursor
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


async def sweep(ticker: Ticker, shards: tuple[int, ...] = (SHARD,), tick_id: str = "tick") -> int:
    """Run a tick and every tick that it passes shards on to. Returns the number of users who were told."""
    told, ticks, bus, continues = 0, 0, ticker.publisher, tick_id != "tick"
    while shards:
        ticks += 1
        assert ticks < 50, "the chain of ticks does not end"
        ticked = await ticker.tick(shards, tick_id, continues=continues)
        continues = True
        told += ticked.due_users
        following = [message for message in bus.messages if message.topic == Topic.LIFECYCLE_CLOCK]
        bus.messages[:] = [message for message in bus.messages if message.topic != Topic.LIFECYCLE_CLOCK]
        assert [tuple(message.body["shards"]) for message in following] == [ticked.left] * bool(ticked.left)
        shards, tick_id = ticked.left, following[0].body["tick_id"] if following else ""
    return told


async def test_each_user_who_is_due_is_sent_one_message(store, bus, ticker) -> None:
    users = [f"user-{n}" for n in range(100)]
    await make_due(store, NOON, users)
    await make_due(store, NOON + SECOND, ["user-of-tomorrow"])
    assert await ticker.tick(ALL) == (100, ())
    assert sorted(notified(bus)) == sorted(users)


async def test_only_the_shards_asked_for_are_looked_at(store, bus, ticker) -> None:
    await make_due(store, NOON, ["user-0", *users_of(SHARD, 2)])
    assert await ticker.tick((SHARD, SHARD)) == (2, ())
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
    assert await ticker.tick((SHARD,)) == (len(users), ())
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


@pytest.fixture
def slow(clock) -> SlowBus:
    return SlowBus(clock, takes=TICK_BUDGET)


async def test_a_tick_ends_when_its_time_is_up_and_passes_on_what_is_left(store, slow, clock) -> None:
    users = sorted(users_of(SHARD, 4 * PAGE_SIZE))
    await make_due(store, NOON, users)
    ticker = Ticker(store, slow, clock)
    assert await ticker.tick((SHARD,)) == (2 * PAGE_SIZE, (SHARD,))
    *told, following = slow.messages
    assert [message.body["user_id"] for message in told] == users[: 2 * PAGE_SIZE]
    tick = parse_clock(Delivery(following.data, following.attributes()))
    assert (following.topic, tick.shards) == (Topic.LIFECYCLE_CLOCK, (SHARD,))
    slow.messages.clear()
    assert await sweep(ticker, tick.shards, tick.tick_id) == 2 * PAGE_SIZE
    assert notified(slow) == users[2 * PAGE_SIZE :]


async def test_shards_that_a_tick_has_not_even_begun_are_passed_on(store, slow, clock) -> None:
    users = {shard: users_of(shard, 1) for shard in range(8)}
    await make_due(store, NOON, [user_id for of_shard in users.values() for user_id in of_shard])
    slow.takes = TICK_BUDGET + SECOND
    ticked = await Ticker(store, slow, clock).tick(tuple(range(8)))
    assert ticked == (1, tuple(range(1, 8)))
    assert slow.messages.pop().body["shards"] == list(ticked.left)
    assert await sweep(Ticker(store, slow, clock), ticked.left, "next") == 0
    assert await sweep(Ticker(store, slow, clock), tuple(range(8)), "another") == 0


async def test_the_next_tick_may_come_before_this_one_has_ended(store, clock) -> None:
    users = users_of(SHARD, 3 * PAGE_SIZE)
    await make_due(store, NOON, users)

    class Eager(SlowBus):
        async def publish(self, messages) -> None:
            await super().publish(messages)
            for message in messages:
                if message.topic == Topic.LIFECYCLE_CLOCK:
                    await ticker.tick(tuple(message.body["shards"]), message.body["tick_id"], continues=True)

    ticker = Ticker(store, Eager(clock, takes=TICK_BUDGET + SECOND), clock)
    await ticker.tick((SHARD,))
    told = [message.body["user_id"] for message in ticker.publisher.messages if "user_id" in message.body]
    assert sorted(told) == sorted(users)


async def test_a_regular_tick_does_nothing_while_a_chain_is_at_work_on_any_of_its_shards(
    store, slow, bus, clock
) -> None:
    users = users_of(SHARD, 3 * PAGE_SIZE)
    await make_due(store, NOON, users)
    slow.takes = TICK_BUDGET + SECOND
    await Ticker(store, slow, clock).tick((SHARD, 8), "first")
    following = slow.messages.pop()
    await make_due(store, NOON, ["user-0"])
    assert await Ticker(store, bus, clock).tick(ALL, "regular") == (0, ())
    others = tuple(shard for shard in ALL if shard != SHARD)
    assert await Ticker(store, bus, clock).tick((due_shard("user-0"),), "of a part") == (1, ())
    assert notified(bus) == ["user-0"]
    assert await Ticker(store, bus, clock).tick(others, "of the others") == (0, ())
    chain = Ticker(store, slow, clock)
    assert await sweep(chain, (SHARD,), following.body["tick_id"]) == 2 * PAGE_SIZE
    assert sorted(notified(slow)) == sorted(users)
    assert await Ticker(store, bus, clock).tick(ALL, "regular") == (0, ())


class Interrupting(Collected):
    """A bus that runs something at each publish, before or after the messages are accepted."""

    def __init__(self, *, before=None, after=None) -> None:
        super().__init__()
        self.before, self.after = before, after

    async def publish(self, messages) -> None:
        if self.before:
            await self.before()
        await super().publish(messages)
        if self.after:
            await self.after()


async def test_a_tick_that_comes_while_another_works_publishes_nothing_twice(store, bus, clock) -> None:
    users = users_of(SHARD, 2 * PAGE_SIZE + 5)
    await make_due(store, NOON, users)

    async def tick_beside() -> None:
        assert await Ticker(store, bus, clock).tick((SHARD,), "beside") == (0, ())

    busy = Interrupting(before=tick_beside, after=tick_beside)
    assert await Ticker(store, busy, clock).tick((SHARD,)) == (len(users), ())
    assert (sorted(notified(busy)), bus.messages) == (sorted(users), [])


async def test_a_tick_that_is_delivered_while_it_is_at_work_is_not_acknowledged(store, bus, clock) -> None:
    """Else nobody would deliver it again if it then failed, and its shards would rest until its lease ends."""
    await make_due(store, NOON, users_of(SHARD, 3))

    async def deliver_again_and_die() -> None:
        with pytest.raises(Transient, match="another delivery"):
            await ticker.tick((SHARD,), "tick")
        raise asyncio.CancelledError

    ticker = Ticker(store, Interrupting(before=deliver_again_and_die), clock)
    with pytest.raises(asyncio.CancelledError):
        await ticker.tick((SHARD,), "tick")
    assert await Ticker(store, bus, clock).tick((SHARD,), "tick") == (3, ())


async def test_a_tick_that_another_instance_has_begun_meanwhile_is_not_acknowledged(store, bus, clock) -> None:
    await make_due(store, NOON, users_of(SHARD, 3))

    async def begin_elsewhere_and_die(*cursor: object) -> object:
        with pytest.raises(asyncio.CancelledError):
            await Ticker(store, Interrupting(before=killed), clock).tick((SHARD,), "tick")
        return await store.save_cursor(*cursor)

    overtaken = Meanwhile(store)
    overtaken.save_cursor = begin_elsewhere_and_die
    with pytest.raises(Transient, match="another delivery"):
        await Ticker(overtaken, bus, clock).tick((SHARD,), "tick")
    assert await Ticker(store, bus, clock).tick((SHARD,), "tick") == (3, ())


@pytest.mark.parametrize("in_one_process", [True, False])
async def test_a_tick_that_died_goes_on_though_another_tick_is_at_work_meanwhile(
    store, bus, clock, in_one_process
) -> None:
    """Two regular ticks began at once, and each has some of the shards."""
    await make_due(store, NOON, [*users_of(SHARD, 3), *users_of(9, 1)])
    with pytest.raises(asyncio.CancelledError):
        await Ticker(store, Interrupting(before=killed), clock).tick((SHARD,), "died")

    async def deliver_again() -> None:
        again = ticker if in_one_process else Ticker(store, bus, clock)
        other.before = None
        assert await again.tick((SHARD, 9), "died") == (3, ())

    other = Interrupting(before=deliver_again)
    ticker = Ticker(store, other, clock)
    assert await ticker.tick((9,), "other") == (1, ())
    assert (await store.load_cursor(SHARD)).cursor.lease is None


async def test_a_shard_of_a_tick_that_died_is_free_for_others_after_a_while(store, bus, clock) -> None:
    await make_due(store, NOON, users_of(SHARD, 3))
    with pytest.raises(asyncio.CancelledError):
        await Ticker(store, Interrupting(before=killed), clock).tick((SHARD,), "dead")
    assert await Ticker(store, bus, clock).tick((SHARD,), "other") == (0, ())
    clock.move_to(NOON + LEASE)
    assert await Ticker(store, bus, clock).tick((SHARD,), "other") == (3, ())


async def killed() -> None:
    raise asyncio.CancelledError


class Meanwhile:
    """A store that runs something while a cursor is loaded: before the tick can have a lease."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.due, self.save_cursor = store.due, store.save_cursor
        self.happens = None

    async def load_cursor(self, shard: int) -> StoredCursor:
        happens, self.happens = self.happens, None
        if happens:
            await happens()
        return await self.store.load_cursor(shard)


async def test_a_regular_tick_does_nothing_while_its_process_works_on_any_of_its_shards(store, bus, clock) -> None:
    await make_due(store, NOON, [*users_of(SHARD, 3), *users_of(9, 1)])
    busy = Meanwhile(store)
    ticker = Ticker(busy, bus, clock)

    async def two_more() -> None:
        assert await ticker.tick((SHARD, 9), "regular") == (0, ())
        assert await ticker.tick((9,), "of another part") == (1, ())

    busy.happens = two_more
    assert await ticker.tick((SHARD,), "tick") == (3, ())
    assert await ticker.tick((SHARD, 9), "regular") == (0, ())
    await make_due(store, NOON, users_of(9, 2)[1:])
    assert await ticker.tick((SHARD, 9), "regular") == (1, ())


async def test_the_next_tick_of_a_chain_works_even_if_a_regular_one_is_just_looking(store, slow, clock) -> None:
    """After a restart, both are delivered at once."""
    users = users_of(SHARD, 3 * PAGE_SIZE)
    await make_due(store, NOON, users)
    slow.takes = TICK_BUDGET + SECOND
    await Ticker(store, slow, clock).tick((SHARD, 8))
    following = slow.messages.pop()
    busy = Meanwhile(store)
    ticker = Ticker(busy, slow, clock)

    async def next_of_the_chain() -> None:
        assert await sweep(ticker, (SHARD,), following.body["tick_id"]) == 2 * PAGE_SIZE

    busy.happens = next_of_the_chain
    assert (await ticker.tick(ALL, "regular")).left == ()
    assert sorted(notified(slow)) == sorted(users)


async def test_a_shard_that_another_tick_has_taken_meanwhile_is_not_passed_on(store, clock) -> None:
    await make_due(store, NOON, [*users_of(SHARD, 1), *users_of(8, 1)])

    async def another_takes_shard_8() -> None:
        bus.before = None
        clock.move_to(NOON + TICK_BUDGET + SECOND)
        with pytest.raises(asyncio.CancelledError):
            await Ticker(store, Interrupting(before=killed), clock).tick((8,), "other")

    bus = Interrupting(before=another_takes_shard_8)
    assert await Ticker(store, bus, clock).tick((SHARD, 8, 9), "tick") == (1, (9,))
    assert (await store.load_cursor(8)).cursor.lease.holder == "other"


async def test_a_process_at_work_is_free_again_after_a_failure(store, bus, clock) -> None:
    await make_due(store, NOON, users_of(0, 1))
    broken = OneShardGone(store, Transient("gone"))
    ticker = Ticker(broken, bus, clock)
    with pytest.raises(Transient):
        await ticker.tick((0,))
    ticker.due_users = store
    assert await ticker.tick((0,)) == (1, ())


@pytest.mark.parametrize("killed_at", range(4))
async def test_a_tick_that_died_and_is_delivered_again_repeats_one_page_at_most(store, clock, killed_at) -> None:
    users = users_of(SHARD, 3 * PAGE_SIZE + 1)
    await make_due(store, NOON, users)
    pages = iter(range(4))

    async def die_once() -> None:
        if next(pages, None) == killed_at:
            raise asyncio.CancelledError

    bus = Interrupting(after=die_once)
    with pytest.raises(asyncio.CancelledError):
        await Ticker(store, bus, clock).tick((SHARD,))
    await Ticker(store, bus, clock).tick((SHARD,))
    told = notified(bus)
    assert set(told) == set(users)
    assert len(told) - len(users) == (PAGE_SIZE if killed_at < 3 else 1)


async def test_a_tick_that_lost_its_shard_to_another_stops_after_its_page(store, bus, clock) -> None:
    """It slept for longer than its lease, so that another tick took the shard."""
    users = users_of(SHARD, 3 * PAGE_SIZE)
    await make_due(store, NOON, users)

    async def oversleep() -> None:
        clock.move_to(NOON + LEASE)
        assert (await Ticker(store, bus, clock).tick((SHARD,), "other")).due_users in {len(users), 0}

    late = Interrupting(before=oversleep)
    assert await Ticker(store, late, clock).tick((SHARD,), "late") == (PAGE_SIZE, ())
    assert sorted(notified(bus)) == sorted(users)


async def test_whoever_becomes_due_behind_a_tick_is_told_by_the_next_one(store, bus, ticker, clock) -> None:
    early, *others = sorted(users_of(SHARD, 4))
    await make_due(store, NOON, others)
    assert await ticker.tick((SHARD,)) == (3, ())
    await make_due(store, NOON, [early])
    clock.move_to(NOON + MINUTE)
    bus.messages.clear()
    assert await ticker.tick((SHARD,)) == (1, ())
    assert notified(bus) == [early]


@pytest.mark.parametrize("minutes", [1, 3, 50])
async def test_a_commit_as_slow_as_can_be_is_found_whenever_the_next_tick_comes(
    store, bus, ticker, clock, minutes
) -> None:
    other, slow = users_of(SHARD, 2)
    await make_due(store, NOON, [other])
    await ticker.tick((SHARD,))
    await make_due(store, NOON - LONGEST_COMMIT, [slow])  # computed a minute ago, and readable only now
    bus.messages.clear()
    clock.move_to(NOON + minutes * MINUTE)
    await ticker.tick((SHARD,))
    assert notified(bus) == [slow]


async def test_who_was_told_and_is_still_due_is_not_told_again_before_the_hour_is_over(
    store, bus, ticker, clock
) -> None:
    users = users_of(SHARD, PAGE_SIZE + 20)
    for number, user_id in enumerate(users):
        await make_due(store, NOON - 5 * MINUTE + number * SECOND, [user_id])
    told: list[str] = []
    for seconds in range(0, 3600, 20):
        clock.move_to(NOON + seconds * SECOND)
        await ticker.tick((SHARD,), f"tick-{seconds}")
        told += notified(bus)
    assert sorted(told) == sorted(users)
    stored = (await store.load_cursor(SHARD)).cursor
    assert (stored.told, stored.lease) == ({}, None)


async def test_a_cursor_remembers_a_bounded_number_and_the_rest_is_told_when_settled(
    store, bus, ticker, clock, monkeypatch
) -> None:
    monkeypatch.setattr(shard_sweep, "MAX_TOLD", 2 * PAGE_SIZE)
    users = users_of(SHARD, 4 * PAGE_SIZE)
    await make_due(store, NOON, users)
    told: list[str] = []
    for seconds, expected in ((0, 2), (20, 2), (61, 4), (120, 4), (180, 4)):
        clock.move_to(NOON + seconds * SECOND)
        assert (await ticker.tick((SHARD,))).left == ()
        told += notified(bus)
        assert len(told) == expected * PAGE_SIZE
        assert len((await store.load_cursor(SHARD)).cursor.told) <= 2 * PAGE_SIZE
    assert sorted(told) == sorted(users)


def test_a_full_cursor_fits_into_a_document() -> None:
    assert MAX_TOLD * 40 < 2**20 / 4
    assert MAX_TOLD >= PAGE_SIZE


def test_a_tick_answers_before_its_time_is_out_and_before_its_lease_ends() -> None:
    """A shard begun just before time is up, its first page, then the shards passed on: each call at its limit."""
    row = load().functions["lifecycle_clock"]
    load_cursor = lease = publish = save = RPC_SECONDS
    page = 6 * RPC_SECONDS
    last_shard = load_cursor + page + lease + publish + save
    pass_on = load_cursor + save + publish
    longest = TICK_BUDGET.total_seconds() + last_shard + pass_on
    assert longest < row.timeout_seconds < row.ack_deadline_seconds < LEASE.total_seconds()


async def test_documents_that_stay_due_for_ever_hold_up_nobody(store, slow, clock) -> None:
    """There are more of them than one tick can send; each chain still ends, and reaches the new users."""
    newcomer, last, *bad = users_of(SHARD, 2 * PAGE_SIZE + 2)
    await make_due(store, NOON - SECOND, bad)
    slow.takes = MINUTE
    ticker = Ticker(store, slow, clock)
    await sweep(ticker)
    assert sorted(notified(slow)) == sorted(bad)
    await make_due(store, NOON, [newcomer])
    await sweep(ticker)
    assert notified(slow) == [newcomer]
    clock.move_to(NOON + RESTART_INTERVAL + MINUTE)
    await make_due(store, NOON + RESTART_INTERVAL, [last])
    await sweep(ticker)
    assert sorted(notified(slow)) == sorted([*bad, newcomer, last])


async def test_a_pass_that_takes_longer_than_its_hour_still_reaches_its_end(store, slow, clock) -> None:
    users = users_of(SHARD, 5 * PAGE_SIZE)
    await make_due(store, NOON - MINUTE, users)
    slow.takes = RESTART_INTERVAL
    assert await sweep(Ticker(store, slow, clock)) == len(users)
    assert sorted(notified(slow)) == sorted(users)


async def test_what_could_not_be_published_is_told_by_the_next_tick(store, bus, ticker) -> None:
    await make_due(store, NOON, ["user-1"])
    bus.broken = True
    with pytest.raises(Transient):
        await ticker.tick(ALL)
    bus.broken = False
    await ticker.tick(ALL)
    assert notified(bus) == ["user-1"]


class OneShardGone:
    """A store in which one shard does not answer."""

    def __init__(self, store: SqliteStore, error: Exception) -> None:
        self.store = store
        self.error = error
        self.load_cursor, self.save_cursor = store.load_cursor, store.save_cursor

    async def due(
        self, shard: int, after: DueUser, now: datetime, page_size: int
    ) -> AsyncGenerator[list[DueUser]]:
        if shard == 0:
            raise self.error
        for _ in range(5):  # long enough for the other shard to fail first
            await asyncio.sleep(0)
        async for page in self.store.due(shard, after, now, page_size):
            yield page


@pytest.mark.parametrize("error", [Transient("gone"), ZeroDivisionError("gone")])
async def test_a_shard_that_does_not_answer_holds_up_no_other(store, bus, clock, error) -> None:
    healthy = [user_id for user_id in (f"user-{n}" for n in range(100)) if due_shard(user_id) != 0]
    await make_due(store, NOON, healthy)
    with pytest.raises(type(error), match="gone"):
        await Ticker(OneShardGone(store, error), bus, clock).tick(ALL)
    assert sorted(notified(bus)) == sorted(healthy)


async def test_a_tick_that_fails_says_what_it_did_and_goes_on_when_delivered_again(store, slow, clock) -> None:
    await make_due(store, NOON, [*users_of(1, 1), *users_of(SHARD, 1), *users_of(8, 1)])
    slow.takes = TICK_BUDGET + SECOND
    with pytest.raises(Transient, match="gone; 2 users were told, 1 shards failed, 1 are left"):
        await Ticker(OneShardGone(store, Transient("gone")), slow, clock).tick((0, 1, SHARD, 8))
    assert sorted(notified(slow)) == sorted([*users_of(1, 1), *users_of(SHARD, 1)])
    assert await Ticker(store, slow, clock).tick((0, 1, SHARD, 8)) == (1, ())
    assert notified(slow) == users_of(8, 1)


async def test_a_message_that_is_delivered_twice_does_no_more_than_once(store, bus, ticker, clock) -> None:
    ends = NOON + timedelta(days=7)
    trial = Event(
        Key(NOON, Topic.TRIAL_START, "", "t-1"), "user-1", "main", TrialStarted("premium", ends, False), "digest"
    )
    application = Application(PackedRecords(store, Terms()), bus, FixedCatalogs(empty_catalog()), clock, Terms())
    await application.handle(trial)
    clock.move_to(ends)
    bus.messages.clear()
    await ticker.tick(ALL)
    (due,) = bus.messages
    bus.messages.clear()

    first = await deliver(due, application, bus)
    document = await store.load("user-1")
    assert [message.body["after"]["status"] for message in first] == ["expired"]
    assert await deliver(due, application, bus) == []
    another = Application(PackedRecords(store, Terms()), bus, FixedCatalogs(empty_catalog()), clock, Terms())
    assert await deliver(due, another, bus) == first
    assert await store.load("user-1") == document
    clock.move_to(ends + RESTART_INTERVAL)
    await ticker.tick(ALL)
    assert notified(bus) == []


async def deliver(due: Message, application: Application, bus: Collected) -> list[Message]:
    """The messages that are published when the function processes this one."""
    await application.handle(parse_event(due.topic, Delivery(due.data, due.attributes())))
    published, bus.messages = bus.messages, []
    return published
