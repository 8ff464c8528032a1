"""Contract of the `Records` port: records packed into each kind of store."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from shared.adapters.packed_records import CACHED_RECORDS, PackedRecords
from shared.domain.errors import Conflict
from shared.domain.terms import Terms
from shared.ports import Document, Loaded, Records
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.record.codec import Packing, UnreadableRecord
from shared.record.user_record import UserRecord, tombstone
from tests.shared.adapters.conftest import Store
from tests.support.catalogs import EVERYTHING
from tests.support.histories import TERMS
from tests.support.story import day, paid

USERS = ("anna", "ben", "cleo", "Dan", "émile", "z" * 128)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def packed(cached_records: int) -> Callable[[Store], Records]:
    return lambda store: PackedRecords(store, Terms(), cached_records)


@pytest.fixture(params=[packed(CACHED_RECORDS), packed(0)], ids=["packed", "packed, not cached"])
def records(request, store: Store) -> Records:
    return request.param(store)


async def test_a_user_nobody_heard_of_has_a_new_record(records: Records) -> None:
    assert await records.load("anna") == Loaded(UserRecord("anna"), None)


async def test_what_was_committed_is_loaded_whole(records: Records) -> None:
    record = process(UserRecord("user-1"), paid(0), day(0), Rules(EVERYTHING, TERMS)).record
    await records.commit(Packing(record), None)
    loaded = await records.load("user-1")
    assert loaded.record == record
    assert loaded.version is not None


async def test_a_record_is_created_once(records: Records) -> None:
    await records.commit(Packing(UserRecord("anna", sequence=1)), None)
    with pytest.raises(Conflict):
        await records.commit(Packing(UserRecord("anna", sequence=2)), None)
    assert (await records.load("anna")).record.sequence == 1


async def test_a_commit_at_an_old_version_changes_nothing(records: Records) -> None:
    await records.commit(Packing(UserRecord("anna", sequence=1)), None)
    first = await records.load("anna")
    await records.commit(Packing(first.record._replace(sequence=2)), first.version)
    with pytest.raises(Conflict):
        await records.commit(Packing(first.record._replace(sequence=3)), first.version)
    assert (await records.load("anna")).record.sequence == 2


async def test_an_erased_user_is_a_tombstone_and_may_come_back(records: Records) -> None:
    whole = UserRecord("anna", sequence=1, next_due_at=NOON)
    await records.commit(Packing(whole), None)
    erased = tombstone("anna", NOON)
    await records.commit(Packing(erased), (await records.load("anna")).version)
    loaded = await records.load("anna")
    assert loaded.record == erased
    with pytest.raises(Conflict):
        await records.commit(Packing(whole), None)
    back = erased._replace(sequence=2)
    await records.commit(Packing(back), loaded.version)
    assert (await records.load("anna")).record == back


async def test_users_do_not_touch_however_many_there_are(records: Records) -> None:
    for sequence in range(1, 4):
        for user_id in USERS:
            record, version = await records.load(user_id)
            assert (record.user_id, record.sequence) == (user_id, sequence - 1)
            await records.commit(Packing(record._replace(sequence=sequence)), version)
    loaded = [await records.load(user_id) for user_id in USERS]
    assert [(one.record.user_id, one.record.sequence) for one in loaded] == [(name, 3) for name in USERS]


async def test_a_document_that_cannot_be_read_is_not_taken_for_a_new_user(
    records: PackedRecords, store: Store
) -> None:
    await store.commit(Document("anna", b"damaged", None, {}), None)
    with pytest.raises(UnreadableRecord):
        await records.load("anna")


async def test_nothing_of_an_erased_user_stays_cached(records: PackedRecords, store: Store) -> None:
    other = PackedRecords(store, Terms())
    await records.commit(Packing(UserRecord("anna", sequence=1)), None)
    loaded = await other.load("anna")
    await other.commit(Packing(loaded.record._replace(sequence=2)), loaded.version)
    await records.commit(Packing(tombstone("anna", NOON)), (await records.load("anna")).version)
    await other.load("anna")
    assert not any("anna" in each.cache._entries for each in (records, other))


async def test_what_another_instance_committed_is_loaded(records: PackedRecords, store: Store) -> None:
    await records.commit(Packing(UserRecord("anna", sequence=1)), None)
    other = PackedRecords(store, Terms())
    loaded = await other.load("anna")
    await other.commit(Packing(loaded.record._replace(sequence=2)), loaded.version)
    assert (await records.load("anna")).record.sequence == 2
