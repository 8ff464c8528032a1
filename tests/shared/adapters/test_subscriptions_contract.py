"""Contract of the `Subscriptions` port, checked for each adapter."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest

from infra.remote.endpoints import Endpoints
from infra.remote.firestore import emulator_client
from shared.adapters.gcp.paths import user_document_id
from shared.adapters.sqlite import SqliteStore
from shared.application.shard_sweep import START
from shared.domain.due_shards import due_shard
from shared.domain.errors import Conflict
from shared.ports import Document, Stored
from tests.shared.adapters.conftest import Store

AN_INSTANT = datetime(2026, 1, 1, 12, 30, 15, 123_456, tzinfo=UTC)
WRITERS = 32
SEEDED = Random(7)  # noqa: S311 - the same bytes in every run
ODD_IDS = [
    ".",
    "..",
    "...",
    "_",
    "__",
    "___",
    "____",
    "__x__",
    "__id7__",
    "__.__",
    "a__",
    "__a",
    "-",
    ":@",
    "a:@-._Z",
    "x" * 128,
    "X" * 128,
]


def document(user_id: str = "user-1", blob: bytes = b"blob", due: datetime | None = None) -> Document:
    return Document(user_id, blob, due, {"status": "active", "entitled": True, "plan": None})


async def erase(store: Store, user_id: str, request: pytest.FixtureRequest) -> None:
    """Delete a document, as an operator may do by hand. No port does it."""
    if isinstance(store, SqliteStore):
        store.connection.execute("delete from subscriptions where user_id = ?", (user_id,))
    else:
        host = request.getfixturevalue("emulators").firestore_host
        client = emulator_client(Endpoints(store.documents.project, host, host))
        client.collection("subscriptions").document(user_id).delete()


def tombstone(user_id: str = "user-1") -> Document:
    return Document(user_id, None, None, {}, erased_at=AN_INSTANT)


async def contents(store: Store, user_id: str, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Everything that the store holds under a user's name, beside the name and the version."""
    if isinstance(store, SqliteStore):
        found = store.connection.execute("select * from subscriptions where user_id = ?", (user_id,))
        names = [name for name, *_ in found.description]
        row = dict(zip(names, found.fetchone(), strict=True))
        return {name: row[name] for name in names if name not in {"user_id", "version"} and row[name] is not None}
    host = request.getfixturevalue("emulators").firestore_host
    client = emulator_client(Endpoints(store.documents.project, host, host))
    return client.collection("subscriptions").document(user_document_id(user_id)).get().to_dict() or {}


async def test_a_user_nobody_heard_of_has_no_document(store: Store) -> None:
    assert await store.load("user-1") == Stored(None, None)


async def test_what_was_committed_is_loaded(store: Store) -> None:
    await store.commit(document(), None)
    stored = await store.load("user-1")
    assert stored.blob == b"blob"
    assert stored.version is not None


async def test_a_document_is_created_once(store: Store) -> None:
    await store.commit(document(blob=b"first"), None)
    with pytest.raises(Conflict):
        await store.commit(document(blob=b"second"), None)
    assert (await store.load("user-1")).blob == b"first"


async def test_a_document_is_updated_at_the_version_that_was_loaded(store: Store) -> None:
    await store.commit(document(blob=b"first"), None)
    await store.commit(document(blob=b"second"), (await store.load("user-1")).version)
    await store.commit(document(blob=b"third"), (await store.load("user-1")).version)
    assert (await store.load("user-1")).blob == b"third"


async def test_an_update_at_an_old_version_changes_nothing(store: Store) -> None:
    await store.commit(document(blob=b"first"), None)
    loaded = await store.load("user-1")
    await store.commit(document(blob=b"second"), loaded.version)
    with pytest.raises(Conflict):
        await store.commit(document(blob=b"late"), loaded.version)
    assert (await store.load("user-1")).blob == b"second"


async def test_an_update_after_deletion_creates_nothing(store: Store, request) -> None:
    await store.commit(document(), None)
    loaded = await store.load("user-1")
    await erase(store, "user-1", request)
    with pytest.raises(Conflict):
        await store.commit(document(), loaded.version)
    assert await store.load("user-1") == Stored(None, None)


@pytest.mark.parametrize(
    "blob",
    [bytes(range(256)), b"\0", SEEDED.randbytes(12 * 1024), bytes(12 * 1024)],
    ids=["every byte", "one zero", "12 KiB of anything", "12 KiB of zeros"],
)
async def test_a_blob_comes_back_as_it_went(store: Store, blob: bytes) -> None:
    await store.commit(document(blob=blob), None)
    assert (await store.load("user-1")).blob == blob
    await store.commit(document(blob=blob[::-1]), (await store.load("user-1")).version)
    assert (await store.load("user-1")).blob == blob[::-1]


async def test_every_id_of_the_contract_has_a_document_of_its_own(store: Store) -> None:
    for user_id in ODD_IDS:
        await store.commit(document(user_id, user_id.encode()), None)
    for user_id in ODD_IDS:
        stored = await store.load(user_id)
        assert stored.blob == user_id.encode()
        await store.commit(document(user_id, b"2" + user_id.encode()), stored.version)
    second = [b"2" + user_id.encode() for user_id in ODD_IDS]
    assert [(await store.load(user_id)).blob for user_id in ODD_IDS] == second
    assert [stored.blob for stored in await asyncio.gather(*map(store.load, ODD_IDS))] == second


async def test_when_a_user_is_due_is_set_changed_and_taken_away(store: Store) -> None:
    later = AN_INSTANT.replace(year=2027)
    shard = due_shard("user-1")
    found = []
    for due in (None, AN_INSTANT, later, None):
        await store.commit(document(due=due), (await store.load("user-1")).version)
        found.append([user.next_due_at async for page in store.due(shard, START, later, 10) for user in page])
    assert found == [[], [AN_INSTANT], [later], []]


@pytest.mark.parametrize("user_id", ["user-1", "__x__"])
async def test_a_tombstone_replaces_everything(store: Store, user_id: str, request) -> None:
    before = Document(user_id, b"blob", AN_INSTANT, {"status": "active"}, ("sale",))
    await store.commit(before, None)
    await store.commit(tombstone(user_id), (await store.load(user_id)).version)
    stored = await store.load(user_id)
    assert (stored.blob, stored.erased_at) == (None, AN_INSTANT)
    assert (await contents(store, user_id, request)).keys() == {"erased_at"}
    due = [page async for page in store.due(due_shard(user_id), START, AN_INSTANT.replace(year=2027), 10)]
    assert due == []


async def test_a_tombstone_is_kept_of_a_user_nobody_heard_of(store: Store, request) -> None:
    await store.commit(tombstone(), None)
    assert (await store.load("user-1")).erased_at == AN_INSTANT
    assert (await contents(store, "user-1", request)).keys() == {"erased_at"}
    with pytest.raises(Conflict):
        await store.commit(document(), None)


async def test_a_user_who_comes_back_has_a_document_like_others(store: Store, request) -> None:
    await store.commit(document("user-2", due=AN_INSTANT), None)
    await store.commit(tombstone(), None)
    await store.commit(document(due=AN_INSTANT), (await store.load("user-1")).version)
    stored = await store.load("user-1")
    assert (stored.blob, stored.erased_at) == (b"blob", None)
    back, other = [(await contents(store, user_id, request)).keys() for user_id in ("user-1", "user-2")]
    assert back == other
    due = [user.user_id async for page in store.due(due_shard("user-1"), START, AN_INSTANT, 10) for user in page]
    assert due == ["user-1"]


async def test_writers_at_once_lose_nothing(open_store: Callable[[], Store]) -> None:
    async def write(number: int) -> int:
        store = open_store()
        for attempt in count():
            stored = await store.load("user-1")
            await asyncio.sleep(0)
            try:
                await store.commit(document(blob=(stored.blob or b"") + bytes([number])), stored.version)
            except Conflict:
                await asyncio.sleep(SEEDED.uniform(0, 0.01))
            else:
                return attempt
        raise AssertionError("unreachable")

    conflicts = await asyncio.gather(*map(write, range(WRITERS)))
    assert sorted((await open_store().load("user-1")).blob) == list(range(WRITERS))
    assert sum(conflicts) > 0


async def test_a_file_from_before_campaigns_and_tombstones_is_opened_and_completed(
    tmp_path: Path,
) -> None:
    file = tmp_path / "former.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(
            "create table subscriptions (user_id text primary key, version integer not null, blob blob not null,"
            " due_shard integer not null, next_due_at integer, summary text not null)"
        )
        connection.execute("insert into subscriptions values ('anna', 1, ?, 0, null, '{}')", (b"blob",))
        connection.commit()
    for _ in range(2):
        store = SqliteStore(file)
        stored = await store.load("anna")
        assert stored.blob == b"blob"
        await store.commit(Document("anna", b"blob", None, {}, ("sale",)), stored.version)
        await store.commit(document("ben", due=AN_INSTANT), (await store.load("ben")).version)
        await store.commit(tombstone("cleo"), (await store.load("cleo")).version)
        due = [user.user_id async for page in store.due(due_shard("ben"), START, AN_INSTANT, 10) for user in page]
        assert due == ["ben"]
        store.close()
