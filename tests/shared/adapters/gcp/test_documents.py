"""Documents over bare gRPC: what is asked for at once shares requests, and each call has its own outcome."""

import asyncio
from datetime import UTC, datetime
from itertools import repeat

import grpc
import pytest

from shared.adapters.gcp import rpc
from shared.adapters.gcp.documents import MAX_REQUEST_BYTES, WRITES_AT_ONCE, Documents
from shared.adapters.gcp.firestore import FirestoreStore
from shared.domain.errors import Conflict, Transient
from shared.ports import Document, Stored
from tests.shared.adapters.wire import Wire

pytestmark = pytest.mark.emulator

NOW = datetime(2026, 1, 1, tzinfo=UTC)
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


@pytest.fixture
def store(documents: Documents) -> FirestoreStore:
    return FirestoreStore(documents)


def document(user_id: str, blob: bytes = b"blob") -> Document:
    return Document(user_id, blob, None, {})


def users(number: int) -> list[str]:
    return [f"user-{n}" for n in range(number)]


async def outcomes(*calls) -> list[object]:
    """The result of each call; for one that failed, the kind of its error."""
    done = await asyncio.gather(*calls, return_exceptions=True)
    return [type(one) if isinstance(one, BaseException) else one for one in done]


async def test_reads_at_once_share_one_request(store, wire: Wire) -> None:
    for user_id in users(5):
        await store.commit(document(user_id, user_id.encode()), None)
    wire.forget()
    asked = [*users(5), "nobody", "user-2", "user-2"]
    found = await asyncio.gather(*map(store.load, asked))
    assert [one.blob for one in found] == [*(id_.encode() for id_ in users(5)), None, b"user-2", b"user-2"]
    assert found[5] == Stored(None, None)
    assert wire.calls == {"BatchGetDocuments": 1}


async def test_writes_at_once_share_requests_of_a_bounded_number(store, wire: Wire) -> None:
    everybody = users(2 * WRITES_AT_ONCE + 6)
    await asyncio.gather(*(store.commit(document(user_id, user_id.encode()), None) for user_id in everybody))
    assert wire.calls == {"BatchWrite": 3}
    assert wire.written == len(everybody)
    found = await asyncio.gather(*map(store.load, everybody))
    assert [one.blob for one in found] == [user_id.encode() for user_id in everybody]


async def test_a_version_from_a_shared_write_is_the_one_that_a_read_brings(documents) -> None:
    paths = [documents.path("clock", str(n)) for n in range(5)]
    written = await asyncio.gather(*(documents.write(path, {"n": 1}, None) for path in paths))
    read = await asyncio.gather(*map(documents.read, paths))
    assert [one.update_time for one in read] == written
    again = zip(paths, written, strict=True)
    await asyncio.gather(*(documents.write(path, {"n": 2}, version) for path, version in again))


async def test_a_write_that_conflicts_fails_none_that_shares_its_request(store, wire: Wire) -> None:
    for user_id in ("user-3", "user-7"):
        await store.commit(document(user_id, b"first"), None)
    stale = (await store.load("user-7")).version
    await store.commit(document("user-7", b"second"), stale)
    wire.forget()
    found = await outcomes(
        *(store.commit(document(id_), stale if id_ in ("user-7", "user-8") else None) for id_ in users(10))
    )
    failed = {3: Conflict, 7: Conflict, 8: Conflict}  # created before, changed since, and not there at all
    assert found == [failed.get(number) for number in range(10)]
    assert wire.calls == {"BatchWrite": 1}
    blobs = [one.blob for one in await asyncio.gather(*map(store.load, users(10)))]
    assert blobs == [{3: b"first", 7: b"second", 8: None}.get(number, b"blob") for number in range(10)]


async def test_of_two_writes_of_one_document_at_once_the_second_conflicts(store, wire: Wire) -> None:
    ids = ["other", "user-1", "user-1", "user-2"]
    found = await outcomes(*(store.commit(document(id_, b"%d" % n), None) for n, id_ in enumerate(ids)))
    assert found == [None, None, Conflict, None]
    assert wire.calls == {"BatchWrite": 1, "Commit": 1}
    assert (await store.load("user-1")).blob == b"1"


async def test_large_writes_at_once_stay_below_the_size_of_a_request(store, wire: Wire) -> None:
    large = bytes(MAX_REQUEST_BYTES * 2 // 5)
    await asyncio.gather(*(store.commit(document(user_id, large), None) for user_id in users(9)))
    assert wire.calls == {"BatchWrite": 4, "Commit": 1}
    assert {one.blob for one in await asyncio.gather(*map(store.load, users(9)))} == {large}


async def test_a_document_that_firestore_refuses_fails_none_that_shares_its_request(store) -> None:
    too_large = bytes(1024 * 1024 + 1)
    blobs = [b"blob", b"blob", too_large, b"blob"]
    found = await outcomes(
        *(store.commit(document(id_, blob), None) for id_, blob in zip(users(4), blobs, strict=True))
    )
    assert found == [None, None, Transient, None]


async def test_a_caller_that_gives_up_leaves_the_shared_request_to_the_others(store, wire: Wire) -> None:
    await store.commit(document("user-2"), None)
    wire.is_open.clear()
    callers = [asyncio.create_task(store.load(user_id)) for user_id in users(4)]
    await wire.until("BatchGetDocuments")
    callers[1].cancel()
    callers[3].cancel()
    await asyncio.sleep(0)
    wire.is_open.set()
    assert (await callers[2]).blob == b"blob"
    assert (await callers[0]).blob is None
    assert [caller.cancelled() for caller in callers] == [False, True, False, True]


async def test_a_write_whose_caller_gave_up_before_it_was_sent_is_never_sent(store, wire: Wire) -> None:
    wire.is_open.clear()
    first = asyncio.create_task(store.commit(document("user-0"), None))
    await wire.until("Commit")
    second = asyncio.create_task(store.commit(document("user-1"), None))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.sleep(0)
    wire.is_open.set()
    await first
    assert [(await store.load(user_id)).blob for user_id in users(2)] == [b"blob", None]
    assert wire.written == 1


@pytest.fixture
def _no_waits(monkeypatch) -> None:
    monkeypatch.setattr(rpc, "WAITS", (0.0,) * len(rpc.WAITS))


@pytest.mark.usefixtures("_no_waits")
async def test_reads_are_repeated_a_bounded_number_of_times(store, wire: Wire) -> None:
    wire.failures = repeat(UNAVAILABLE)
    with pytest.raises(Transient, match="Firestore: UNAVAILABLE"):
        await store.load("user-1")
    assert wire.calls == {"GetDocument": 1 + len(rpc.WAITS)}
    wire.forget()
    wire.failures = iter([*[UNAVAILABLE] * len(rpc.WAITS)])
    assert await outcomes(*map(store.load, users(3))) == [Stored(None, None)] * 3
    assert wire.calls == {"BatchGetDocuments": 1 + len(rpc.WAITS)}


async def test_a_shared_write_that_may_have_happened_is_not_made_again(store, wire: Wire) -> None:
    wire.failures = iter([UNAVAILABLE])
    found = await outcomes(*(store.commit(document(user_id), None) for user_id in users(3)))
    assert found == [Transient] * 3
    assert wire.calls == {"BatchWrite": 1}


async def test_a_shared_write_that_lost_a_race_conflicts(store, wire: Wire) -> None:
    wire.failures = iter([grpc.StatusCode.ABORTED])
    found = await outcomes(*(store.commit(document(user_id), None) for user_id in users(3)))
    assert found == [Conflict] * 3


async def test_a_read_is_refused_alone(store, wire: Wire) -> None:
    refused, nothing = grpc.StatusCode.INVALID_ARGUMENT, Stored(None, None)
    wire.failures = iter([refused, None, refused])
    assert await outcomes(*map(store.load, users(3))) == [nothing, Transient, nothing]
    assert wire.calls == {"BatchGetDocuments": 1, "GetDocument": 3}


async def test_a_store_takes_no_version_that_it_did_not_make(store) -> None:
    with pytest.raises(TypeError, match="version: expected one that this store made, found datetime"):
        await store.commit(document("user-1"), NOW)
