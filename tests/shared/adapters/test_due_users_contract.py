"""Contract of the `DueUsers` port, checked for each adapter: no user is skipped, and no user is returned twice."""

from collections.abc import Iterable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from itertools import count, islice

import pytest

from shared.application.shard_sweep import START
from shared.domain.due_shards import DUE_SHARDS, due_shard
from shared.domain.errors import Conflict
from shared.domain.instants import END_OF_TIME
from shared.ports import Cursor, Document, DueUser, Lease, StoredCursor
from tests.shared.adapters.conftest import Store

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def users_of(shard: int, *patterns: str, each: int = 3) -> list[str]:
    """User ids in one shard: a few of each pattern."""
    return [id_ for pattern in patterns for id_ in islice(_matching(shard, pattern), each)]


def _matching(shard: int, pattern: str) -> Iterable[str]:
    return (user_id for n in count() if due_shard(user_id := pattern.format(n)) == shard)


async def make_due(store: Store, users: Iterable[DueUser]) -> None:
    for user in users:
        stored = await store.load(user.user_id)
        await store.commit(Document(user.user_id, b"blob", user.next_due_at, {}), stored.version)


async def pages(
    store: Store, shard: int, now: datetime, size: int = 100, after: DueUser = START
) -> list[list[DueUser]]:
    return [page async for page in store.due(shard, after, now, size)]


async def due(store: Store, shard: int, now: datetime, after: DueUser = START) -> list[DueUser]:
    return [user for page in await pages(store, shard, now, after=after) for user in page]


SHARD = due_shard(".")
IDS = [
    ".",
    *users_of(SHARD, "u{}", "U{}", "{}", "__{}__", "__id{}__", "__{}", "..{}", "-{}", ":{}", "@{}", "x__{}__"),
]
CROWD = sorted(DueUser(NOON + (n % 3) * TICK, user_id) for n, user_id in enumerate(IDS))


@pytest.mark.parametrize("size", [1, 2, 5, len(CROWD), 100])
async def test_paging_finds_everybody_once_and_in_order(store: Store, size: int) -> None:
    await make_due(store, CROWD)
    found = await pages(store, SHARD, NOON + 2 * TICK, size)
    assert [user for page in found for user in page] == CROWD
    assert all(len(page) == size for page in found[:-1])
    assert 0 < len(found[-1]) <= size


@pytest.mark.parametrize("taken", [1, 5, len(CROWD) - 1])
async def test_paging_goes_on_behind_any_user(store: Store, taken: int) -> None:
    await make_due(store, CROWD)
    assert await due(store, SHARD, NOON + 2 * TICK, CROWD[taken - 1]) == CROWD[taken:]


async def test_a_position_without_a_user_stands_before_all_users_of_its_instant(store: Store) -> None:
    await make_due(store, CROWD)
    assert await due(store, SHARD, NOON + 2 * TICK, DueUser(NOON + TICK, "")) == [
        user for user in CROWD if user.next_due_at > NOON
    ]


async def test_who_is_processed_between_two_pages_hides_nobody(store: Store) -> None:
    await make_due(store, CROWD)
    found: list[DueUser] = []
    async with aclosing(store.due(SHARD, START, NOON + 2 * TICK, 4)) as read:
        async for page in read:
            found += page
            await make_due(store, [DueUser(NOON + timedelta(days=1), user.user_id) for user in page])
    assert found == CROWD


async def test_a_reader_may_stop_after_any_page(store: Store) -> None:
    await make_due(store, CROWD)
    async with aclosing(store.due(SHARD, START, NOON + 2 * TICK, 4)) as read:
        assert await anext(read) == CROWD[:4]
    assert await due(store, SHARD, NOON + 2 * TICK, CROWD[3]) == CROWD[4:]


async def test_users_due_at_one_instant_are_paged_by_id(store: Store) -> None:
    at_once = sorted(DueUser(NOON, user_id) for user_id in IDS)
    await make_due(store, at_once)
    assert [user for page in await pages(store, SHARD, NOON, 4) for user in page] == at_once


async def test_a_page_goes_on_behind_a_user_who_is_due_no_more(store: Store) -> None:
    await make_due(store, CROWD)
    await make_due(store, [DueUser(NOON + timedelta(days=1), CROWD[4].user_id)])
    assert await due(store, SHARD, NOON + 2 * TICK, CROWD[4]) == CROWD[5:]


async def test_only_who_is_due_by_now_is_found(store: Store) -> None:
    past, now, soon, never = users_of(7, "u{}", each=4)
    await make_due(store, [DueUser(NOON - TICK, past), DueUser(NOON, now), DueUser(NOON + TICK, soon)])
    await store.commit(Document(never, b"blob", None, {}), None)
    assert await due(store, 7, NOON) == [DueUser(NOON - TICK, past), DueUser(NOON, now)]


async def test_a_user_whose_time_changed_is_found_at_the_new_one_alone(store: Store) -> None:
    moved, stayed = users_of(7, "u{}", each=2)
    await make_due(store, [DueUser(NOON, moved), DueUser(NOON + TICK, stayed), DueUser(NOON + 2 * TICK, moved)])
    assert await due(store, 7, NOON + 2 * TICK) == [
        DueUser(NOON + TICK, stayed),
        DueUser(NOON + 2 * TICK, moved),
    ]


async def test_a_shard_has_its_own_users_alone(store: Store) -> None:
    everybody = [DueUser(NOON, f"user-{n}") for n in range(40)]
    await make_due(store, everybody)
    found = {shard: await due(store, shard, NOON) for shard in range(DUE_SHARDS)}
    assert sorted(user for users in found.values() for user in users) == sorted(everybody)
    assert all(due_shard(user.user_id) == shard for shard, users in found.items() for user in users)


async def test_the_end_of_time_can_be_waited_for(store: Store) -> None:
    (patient,) = users_of(7, "u{}", each=1)
    await make_due(store, [DueUser(END_OF_TIME, patient)])
    assert await due(store, 7, END_OF_TIME - TICK) == []
    assert await due(store, 7, END_OF_TIME) == [DueUser(END_OF_TIME, patient)]


CURSORS = [
    Cursor(DueUser(NOON, "user-1"), NOON - TICK),
    Cursor(DueUser(NOON, ""), NOON, {"a": NOON, "b": NOON + TICK}, Lease("tick-1", NOON + TICK)),
    Cursor(START, NOON, {f"{number:016x}": NOON for number in range(4_000)}, Lease("", END_OF_TIME)),
    Cursor(DueUser(NOON + TICK, "__x__"), NOON),
]


async def test_a_shard_that_was_never_looked_at_has_no_cursor(store: Store) -> None:
    await store.save_cursor(8, CURSORS[0], None)
    assert await store.load_cursor(7) == StoredCursor(None, None)


async def test_a_cursor_is_where_it_was_left_last(store: Store) -> None:
    version = None
    for cursor in CURSORS:
        version = await store.save_cursor(7, cursor, version)
        assert await store.load_cursor(7) == StoredCursor(cursor, version)


async def test_of_two_who_save_a_cursor_at_once_one_fails(open_store) -> None:
    one, other = open_store(), open_store()
    first = await one.save_cursor(7, CURSORS[0], None)
    with pytest.raises(Conflict):
        await other.save_cursor(7, CURSORS[1], None)
    second = await other.save_cursor(7, CURSORS[1], first)
    for version in (first, None):
        with pytest.raises(Conflict):
            await one.save_cursor(7, CURSORS[2], version)
    assert await one.load_cursor(7) == StoredCursor(CURSORS[1], second)
