"""Contract of the `Records` port: kept in memory, or packed into each kind of store."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.memory_records import MemoryRecords
from shared.adapters.packed_records import CACHED_RECORDS, PackedRecords
from shared.adapters.sqlite import COLUMNS, SqliteStore
from shared.domain.errors import Conflict
from shared.domain.terms import Terms
from shared.ports import Document, Loaded, Records
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.record.codec import Packing, UnreadableRecord, pack
from shared.record.user_record import UserRecord, tombstone
from tests.shared.adapters.conftest import Store
from tests.support.catalogs import EVERYTHING
from tests.support.histories import TERMS
from tests.support.lives import lives
from tests.support.story import day, paid

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
USERS = ("anna", "ben", "cleo", "Dan", "émile", "z" * 128)


def packed(cached_records: int) -> Callable[[Store], Records]:
    return lambda store: PackedRecords(store, Terms(), cached_records)


def in_memory(max_records: int) -> Callable[[SqliteStore], Records]:
    return lambda file: MemoryRecords(file, Terms(), max_records)


@pytest.fixture(params=[packed(CACHED_RECORDS), packed(0)], ids=["packed", "packed, not cached"])
def packed_records(request, store: Store) -> Records:
    return request.param(store)


@pytest.fixture(params=[in_memory(4096), in_memory(2), in_memory(0)], ids=["all", "two", "none"])
def memory_records(request) -> Iterator[Records]:
    with closing(SqliteStore(":memory:", durable=False)) as file:
        yield request.param(file)


class Contract:
    """What holds for all records. A subclass gives those that are checked."""

    async def test_a_user_nobody_heard_of_has_a_new_record(self, records: Records) -> None:
        assert await records.load("anna") == Loaded(UserRecord("anna"), None)

    async def test_what_was_committed_is_loaded_whole(self, records: Records) -> None:
        record = process(UserRecord("user-1"), paid(0), day(0), Rules(EVERYTHING, TERMS)).record
        await records.commit(Packing(record), None)
        loaded = await records.load("user-1")
        assert loaded.record == record
        assert loaded.version is not None

    async def test_a_record_is_created_once(self, records: Records) -> None:
        await records.commit(Packing(UserRecord("anna", sequence=1)), None)
        with pytest.raises(Conflict):
            await records.commit(Packing(UserRecord("anna", sequence=2)), None)
        assert (await records.load("anna")).record.sequence == 1

    async def test_a_commit_at_an_old_version_changes_nothing(self, records: Records) -> None:
        await records.commit(Packing(UserRecord("anna", sequence=1)), None)
        first = await records.load("anna")
        await records.commit(Packing(first.record._replace(sequence=2)), first.version)
        with pytest.raises(Conflict):
            await records.commit(Packing(first.record._replace(sequence=3)), first.version)
        assert (await records.load("anna")).record.sequence == 2

    async def test_an_erased_user_is_a_tombstone_and_may_come_back(self, records: Records) -> None:
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

    async def test_users_do_not_touch_however_many_there_are(self, records: Records) -> None:
        for sequence in range(1, 4):
            for user_id in USERS:
                record, version = await records.load(user_id)
                assert (record.user_id, record.sequence) == (user_id, sequence - 1)
                await records.commit(Packing(record._replace(sequence=sequence)), version)
        loaded = [await records.load(user_id) for user_id in USERS]
        assert [(one.record.user_id, one.record.sequence) for one in loaded] == [(name, 3) for name in USERS]


class TestPackedRecords(Contract):
    @pytest.fixture
    def records(self, packed_records: Records) -> Records:
        return packed_records

    async def test_a_document_that_cannot_be_read_is_not_taken_for_a_new_user(
        self, records: PackedRecords, store: Store
    ) -> None:
        await store.commit(Document("anna", b"damaged", None, {}), None)
        with pytest.raises(UnreadableRecord):
            await records.load("anna")

    async def test_nothing_of_an_erased_user_stays_cached(self, records: PackedRecords, store: Store) -> None:
        other = PackedRecords(store, Terms())
        await records.commit(Packing(UserRecord("anna", sequence=1)), None)
        loaded = await other.load("anna")
        await other.commit(Packing(loaded.record._replace(sequence=2)), loaded.version)
        await records.commit(Packing(tombstone("anna", NOON)), (await records.load("anna")).version)
        await other.load("anna")
        assert not any("anna" in each.cache._entries for each in (records, other))

    async def test_what_another_instance_committed_is_loaded(self, records: PackedRecords, store: Store) -> None:
        await records.commit(Packing(UserRecord("anna", sequence=1)), None)
        other = PackedRecords(store, Terms())
        loaded = await other.load("anna")
        await other.commit(Packing(loaded.record._replace(sequence=2)), loaded.version)
        assert (await records.load("anna")).record.sequence == 2


class TestMemoryRecords(Contract):
    @pytest.fixture
    def records(self, memory_records: Records) -> Records:
        return memory_records

    async def test_all_are_given_once_and_in_the_order_of_their_ids(self, records: MemoryRecords) -> None:
        for sequence in (1, 2):
            for user_id in USERS:
                version = (await records.load(user_id)).version
                await records.commit(Packing(UserRecord(user_id, sequence=sequence)), version)
        found = [(record.user_id, record.sequence) for record in records.all()]
        assert found == [(name, 2) for name in sorted(USERS)]

    async def test_tombstones_are_not_among_all(self, records: MemoryRecords) -> None:
        for user_id in USERS:
            await records.commit(Packing(UserRecord(user_id, sequence=1)), None)
        for user_id in USERS[::2]:
            await records.commit(Packing(tombstone(user_id, NOON)), (await records.load(user_id)).version)
        assert [record.user_id for record in records.all()] == sorted(USERS[1::2])
        records.flush()
        assert [record.user_id for record in records.all()] == sorted(USERS[1::2])


@settings(max_examples=30)
@given(st.lists(lives(), min_size=1, max_size=4), st.integers(0, 3))
async def test_the_file_is_the_one_that_packing_each_commit_writes(users, max_records: int) -> None:
    """Row for row, with the version, the due time, the summary and the open campaigns."""
    rules = Rules(EVERYTHING, TERMS)
    with (
        closing(SqliteStore(":memory:", durable=False)) as file,
        closing(SqliteStore(":memory:", durable=False)) as packed_file,
    ):
        kept, packed = MemoryRecords(file, TERMS, max_records), PackedRecords(packed_file, TERMS)
        told = [event._replace(user_id=f"u-{number}") for number, user in enumerate(users) for event in user]
        for event in sorted(told, key=lambda event: event.occurred_at):
            for records in (kept, packed):
                record, version = await records.load(event.user_id)
                processed = process(record, event, record.effective_now(event.occurred_at, event), rules)
                if processed.record is not record:
                    await records.commit(Packing(processed.record), version)
        kept.flush()
        rows, expected = (
            each.connection.execute(f"select {COLUMNS} from subscriptions order by user_id").fetchall()  # noqa: S608
            for each in (file, packed_file)
        )
    assert rows == expected


async def test_the_file_of_a_former_run_is_read(tmp_path: Path) -> None:
    record = UserRecord("anna", sequence=7, next_due_at=NOON + timedelta(days=1))
    with closing(SqliteStore(tmp_path / "upbeat.sqlite")) as file:
        await file.commit(Document("anna", pack(record), record.next_due_at, {}), None)
        records = MemoryRecords(file, Terms())
        assert (await records.load("anna")).record == record
        assert [*records.all()] == [record]
