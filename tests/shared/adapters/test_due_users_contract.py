"""Contract of the `DueUsers` port, checked for each adapter: no user is skipped, and no user is returned twice."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import count, islice

import pytest

from shared.domain.due_shards import DUE_SHARDS, due_shard
from shared.domain.instants import END_OF_TIME
from shared.ports import Cursor, Document, DueUser
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


async def pages(store: Store, shard: int, now: datetime, size: int) -> list[list[DueUser]]:
    found: list[list[DueUser]] = []
    while page := await store.due(shard, now, found[-1][-1] if found else None, size):
        found.append(page)
    return found


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


async def test_users_due_at_one_instant_are_paged_by_id(store: Store) -> None:
    at_once = sorted(DueUser(NOON, user_id) for user_id in IDS)
    await make_due(store, at_once)
    assert [user for page in await pages(store, SHARD, NOON, 4) for user in page] == at_once


async def test_a_page_goes_on_behind_a_user_who_is_due_no_more(store: Store) -> None:
    await make_due(store, CROWD)
    first = await store.due(SHARD, NOON + 2 * TICK, None, 5)
    await make_due(store, [DueUser(NOON + timedelta(days=1), first[-1].user_id)])
    assert await store.due(SHARD, NOON + 2 * TICK, first[-1], 100) == CROWD[5:]


async def test_only_who_is_due_by_now_is_found(store: Store) -> None:
    past, now, soon, never = users_of(7, "u{}", each=4)
    await make_due(store, [DueUser(NOON - TICK, past), DueUser(NOON, now), DueUser(NOON + TICK, soon)])
    await store.commit(Document(never, b"blob", None, {}), None)
    assert await store.due(7, NOON, None, 10) == [DueUser(NOON - TICK, past), DueUser(NOON, now)]


async def test_a_user_whose_time_changed_is_found_at_the_new_one_alone(store: Store) -> None:
    moved, stayed = users_of(7, "u{}", each=2)
    await make_due(store, [DueUser(NOON, moved), DueUser(NOON + TICK, stayed), DueUser(NOON + 2 * TICK, moved)])
    assert await store.due(7, NOON + 2 * TICK, None, 10) == [
        DueUser(NOON + TICK, stayed),
        DueUser(NOON + 2 * TICK, moved),
    ]


async def test_a_shard_has_its_own_users_alone(store: Store) -> None:
    everybody = [DueUser(NOON, f"user-{n}") for n in range(40)]
    await make_due(store, everybody)
    found = {shard: await store.due(shard, NOON, None, 100) for shard in range(DUE_SHARDS)}
    assert sorted(user for users in found.values() for user in users) == sorted(everybody)
    assert all(due_shard(user.user_id) == shard for shard, users in found.items() for user in users)


async def test_the_end_of_time_can_be_waited_for(store: Store) -> None:
    (patient,) = users_of(7, "u{}", each=1)
    await make_due(store, [DueUser(END_OF_TIME, patient)])
    assert await store.due(7, END_OF_TIME - TICK, None, 10) == []
    assert await store.due(7, END_OF_TIME, None, 10) == [DueUser(END_OF_TIME, patient)]


async def test_a_shard_that_was_never_looked_at_has_no_cursor(store: Store) -> None:
    await store.save_cursor(8, Cursor(DueUser(NOON, "user-1"), NOON))
    assert await store.load_cursor(7) is None


async def test_a_cursor_is_where_it_was_left_last(store: Store) -> None:
    first = Cursor(DueUser(NOON, "user-1"), NOON - TICK)
    second = Cursor(DueUser(NOON + TICK, "__x__"), NOON)
    for cursor in (first, second):
        await store.save_cursor(7, cursor)
        assert await store.load_cursor(7) == cursor
