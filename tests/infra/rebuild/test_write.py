"""Missing documents are created, and a living one wins, whatever happens meanwhile."""

from collections import Counter
from datetime import datetime

import pytest

from infra.rebuild.work import Made
from infra.rebuild.write import Outcome, Writer
from shared.adapters.packed_records import document_of
from shared.adapters.sqlite import SqliteStore
from shared.domain.errors import Transient
from shared.ports import Document, Stored
from shared.record.codec import Packing
from shared.record.user_record import UserRecord, tombstone
from tests.support.histories import DAY, START, TERMS

LATER = START + DAY


def made(as_of: datetime = START, sequence: int = 1) -> Made:
    record = UserRecord("ada", as_of=as_of, sequence=sequence)
    return Made("ada", document_of(Packing(record)), Counter(), (), is_out_of_order=False)


@pytest.fixture
def store(tmp_path):
    opened = SqliteStore(tmp_path / "upbeat.sqlite")
    yield opened
    opened.close()


async def put(store: SqliteStore, document: Document | None) -> bytes:
    """Write a document as the functions would; its content."""
    assert document
    await store.commit(document, (await store.load("ada")).version)
    return document.blob


async def test_a_missing_document_is_created_and_then_kept(store) -> None:
    writer = Writer(store, TERMS)
    assert await writer.write(made()) is Outcome.CREATED
    assert await writer.write(made(sequence=2)) is Outcome.KEPT
    assert (await store.load("ada")).blob == made().document.blob


async def test_a_dry_run_says_the_same_and_writes_nothing(store) -> None:
    writer = Writer(store, TERMS, dry_run=True, replace_before=LATER)
    assert await writer.write(made()) is Outcome.CREATED
    assert (await store.load("ada")).blob is None
    blob = await put(store, made().document)
    assert await writer.write(made(sequence=2)) is Outcome.REPLACED
    assert (await store.load("ada")).blob == blob


@pytest.mark.parametrize(
    ("before", "outcome"), [(None, "kept"), (START, "kept"), (LATER, "replaced"), (LATER + DAY, "replaced")]
)
async def test_only_a_document_committed_before_the_given_time_is_replaced(store, before, outcome) -> None:
    await put(store, made(sequence=5).document)
    writer = Writer(store, TERMS, replace_before=before)
    assert await writer.write(made(sequence=6)) == outcome
    assert await writer.write(made(sequence=6)) == "kept"  # a second run changes nothing


async def test_a_document_without_a_time_of_its_last_commit_is_kept(store) -> None:
    await put(store, document_of(Packing(UserRecord("ada"))))
    assert await Writer(store, TERMS, replace_before=LATER).write(made()) is Outcome.KEPT


async def test_an_unreadable_document_is_told_and_not_replaced(store) -> None:
    garbage = Document("ada", b"garbage", None, {})
    await put(store, garbage)
    assert await Writer(store, TERMS, replace_before=LATER).write(made()) is Outcome.UNREADABLE
    assert (await store.load("ada")).blob == b"garbage"


async def test_a_tombstone_is_created_and_never_replaced(store) -> None:
    gone = Made("ada", document_of(Packing(tombstone("ada", START))), Counter(), (), is_out_of_order=False)
    assert await Writer(store, TERMS).write(gone) is Outcome.CREATED
    assert await Writer(store, TERMS, replace_before=LATER).write(made()) is Outcome.KEPT
    assert await Writer(store, TERMS).write(made()) is Outcome.KEPT
    assert (await store.load("ada")).erased_at == START


async def test_nothing_is_written_for_a_user_of_whom_nothing_was_kept(store) -> None:
    nothing = Made("ada", None, Counter(), (), is_out_of_order=False)
    assert await Writer(store, TERMS).write(nothing) is Outcome.NOTHING
    assert [*store.blobs()] == []


class Lively:
    """A store in which somebody else commits a user's document between our load and our commit."""

    def __init__(self, store: SqliteStore, living: Document | None) -> None:
        self.store, self.living = store, living

    async def load(self, user_id: str) -> Stored:
        return await self.store.load(user_id)

    async def commit(self, document: Document, version: object | None) -> None:
        await put(self.store, self.living)
        await self.store.commit(document, version)


@pytest.mark.parametrize("before", [None, LATER])
async def test_a_document_that_comes_to_life_meanwhile_wins(store, before) -> None:
    if before:
        await put(store, made(sequence=5).document)
    living = made(LATER + DAY, sequence=9).document
    writer = Writer(Lively(store, living), TERMS, replace_before=before)
    assert await writer.write(made()) is Outcome.KEPT
    assert (await store.load("ada")).blob == living.blob


class Failing:
    """A store that does not answer so many times."""

    def __init__(self, store: SqliteStore, failures: int) -> None:
        self.store, self.failures = store, failures

    async def load(self, user_id: str) -> Stored:
        return await self.store.load(user_id)

    async def commit(self, document: Document, version: object | None) -> None:
        self.failures -= 1
        if self.failures >= 0:
            raise Transient("no answer")
        await self.store.commit(document, version)


@pytest.mark.parametrize(("failures", "outcome", "waits"), [(2, "created", 2), (9, "failed", 5)])
async def test_a_store_that_does_not_answer_is_asked_again_a_few_times(store, failures, outcome, waits) -> None:
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    writer = Writer(Failing(store, failures), TERMS, sleep=sleep)
    assert await writer.write(made()) == outcome
    assert len(slept) == waits
    assert slept == sorted(slept)
