"""Connections to Google: TLS, authorization, the headers of Google's own clients, and dead connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest
from google.api_core.gapic_v1 import routing_header
from google.cloud.firestore import AsyncClient
from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport
from google.pubsub_v1 import PublisherAsyncClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from google.pubsub_v1.types import PubsubMessage

from shared.adapters.gcp import rpc
from shared.adapters.gcp.connection import (
    FIRESTORE,
    PUBSUB,
    Connection,
    EmulatorAuthorization,
    Headers,
    connections,
    emulator_connection,
    secure_connection,
)
from shared.adapters.gcp.documents import Documents
from shared.adapters.gcp.firestore import FirestoreStore
from shared.adapters.gcp.pubsub import PubsubPublisher
from shared.application.shard_sweep import START
from shared.contracts.outbound.message import Message
from shared.domain.due_shards import due_shard
from shared.domain.errors import Transient
from shared.ports import Document, DueUser
from tests.shared.adapters.proxy import Proxy, proxied, self_signed
from tests.shared.adapters.wire import Wire, watched

pytestmark = pytest.mark.emulator

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DOCUMENT = Document("user-1", b"blob", NOW, {})


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as entered:
        yield entered


@pytest.fixture
def _no_waits(monkeypatch) -> None:
    monkeypatch.setattr(rpc, "WAITS", (0.0,))


def store_of(connection: Connection, project: str, stack: AsyncExitStack, seconds: float = 10) -> FirestoreStore:
    stack.push_async_callback(connection.close)
    return FirestoreStore(Documents(connection, project, seconds))


async def over_tls(
    emulators, project: str, stack: AsyncExitStack, tmp_path, name: str = "localhost", *, trusted: bool = True
) -> FirestoreStore:
    """A store behind a proxy with a certificate for that name."""
    tls, certificate = self_signed(name, tmp_path)
    proxy = await stack.enter_async_context(proxied(emulators.firestore_host, tls))
    roots = certificate if trusted else None
    connection = secure_connection(FIRESTORE, f"localhost:{proxy.port}", EmulatorAuthorization(), roots)
    return store_of(connection, project, stack)


async def test_everything_works_over_tls(emulators, project, stack, tmp_path) -> None:
    store = await over_tls(emulators, project, stack, tmp_path)
    assert (await store.load("user-1")).blob is None
    await store.commit(DOCUMENT, None)
    assert (await store.load("user-1")).blob == b"blob"
    found = [page async for page in store.due(due_shard("user-1"), START, NOW, 10)]
    assert found == [[DueUser(NOW, "user-1")]]


@pytest.mark.usefixtures("_no_waits")
@pytest.mark.parametrize(("name", "trusted"), [("localhost", False), ("elsewhere.example", True)])
async def test_a_server_that_cannot_prove_its_name_is_told_nothing(
    emulators, project, stack, tmp_path, name, trusted
) -> None:
    store = await over_tls(emulators, project, stack, tmp_path, name, trusted=trusted)
    with pytest.raises(Transient, match="Firestore: UNAVAILABLE"):
        await store.load("user-1")


class Counted:
    """An authorization with a new token for each call, of which the second cannot be had."""

    def __init__(self) -> None:
        self.calls = 0

    async def headers(self) -> Headers:
        self.calls += 1
        if self.calls == 2:
            raise Transient("no access token: RefreshError")
        return (("authorization", f"Bearer {self.calls}"),)


async def test_every_call_is_authorized(emulators, project, stack, wire: Wire) -> None:
    connection = watched(FIRESTORE, emulators.firestore_host, wire)
    stack.push_async_callback(connection.close)
    connection.authorization = Counted()
    documents = Documents(connection, project)
    wire.cut()
    for call in (1, 3):
        with pytest.raises(Transient, match="Firestore: INTERNAL"):
            await documents.read(documents.path("subscriptions", "user-1"))
        assert wire.headers["authorization"] == f"Bearer {call}"
        if call == 1:
            with pytest.raises(Transient, match="no access token"):
                await documents.write(documents.path("subscriptions", "user-1"), {}, None)
    assert wire.calls == {"GetDocument": 2}


HEADERS = ("x-goog-request-params", "google-cloud-resource-prefix", "authorization")


def sent(wire: Wire) -> dict[str, str | None]:
    return {name: wire.headers.get(name) for name in HEADERS}


async def test_firestore_gets_the_headers_of_googles_client(
    emulators, documents, firestore: AsyncClient, stack, wire: Wire
) -> None:
    theirs = Wire()
    channel = watched(FIRESTORE, emulators.firestore_host, theirs).channel
    stack.push_async_callback(channel.close)
    firestore._firestore_api_internal = FirestoreAsyncClient(
        transport=FirestoreGrpcAsyncIOTransport(channel=channel)
    )
    users = firestore.collection("subscriptions")
    store = FirestoreStore(documents)

    await firestore.document("subscriptions/a").create({"blob": b"blob"})
    await store.commit(DOCUMENT, None)
    assert sent(wire) == sent(theirs)
    assert None not in sent(wire).values()

    assert [one async for one in firestore.get_all([users.document("a"), users.document("b")])]
    await asyncio.gather(store.load("a"), store.load("b"))
    assert sent(wire) == sent(theirs)

    assert [one async for one in users.limit(1).stream()]
    assert [page async for page in store.due(due_shard("user-1"), START, NOW, 10)]
    assert sent(wire) == sent(theirs)

    await store.load("a@b:c")
    theirs_of_get = routing_header.to_grpc_metadata([("name", documents.path("subscriptions", "a@b:c"))])
    assert ("x-goog-request-params", wire.headers["x-goog-request-params"]) == theirs_of_get


async def test_pubsub_gets_the_headers_of_googles_client(emulators, project, bus, stack) -> None:
    bus.publisher.create_topic(name=bus.topic_path("upsell-trigger"))
    ours, theirs = Wire(), Wire()
    connection, other = (watched(PUBSUB, emulators.pubsub_host, wire) for wire in (ours, theirs))
    stack.push_async_callback(connection.close)
    stack.push_async_callback(other.close)
    await PubsubPublisher(connection, project).publish([Message("upsell-trigger", "m-1", {})])
    client = PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=other.channel))
    await client.publish(topic=bus.topic_path("upsell-trigger"), messages=[PubsubMessage(data=b"{}")])
    assert ours.headers["x-goog-request-params"] == theirs.headers["x-goog-request-params"]


@pytest.fixture
async def proxy(emulators) -> AsyncIterator[Proxy]:
    async with proxied(emulators.firestore_host) as running:
        yield running


def behind(proxy: Proxy, project: str, stack: AsyncExitStack, seconds: float = 10) -> FirestoreStore:
    return store_of(emulator_connection(FIRESTORE, f"localhost:{proxy.port}"), project, stack, seconds)


async def test_a_connection_that_died_is_replaced(proxy, project, stack) -> None:
    store = behind(proxy, project, stack)
    await store.commit(DOCUMENT, None)
    for _ in range(3):
        proxy.cut()
        assert (await store.load("user-1")).blob == b"blob"
    assert proxy.connections >= 4


async def test_reads_under_way_when_the_connection_dies_are_made_again(proxy, project, stack) -> None:
    store = behind(proxy, project, stack)
    await store.commit(DOCUMENT, None)
    proxy.answers.clear()
    reads = [asyncio.create_task(store.load(user_id)) for user_id in ("user-1", "user-2")]
    await asyncio.sleep(0.1)
    proxy.cut()
    proxy.answers.set()
    assert [one.blob for one in await asyncio.gather(*reads)] == [b"blob", None]


async def test_a_write_whose_answer_is_lost_is_not_made_again_though_it_happened(proxy, project, stack) -> None:
    store = behind(proxy, project, stack)
    assert (await store.load("user-1")).blob is None
    proxy.answers.clear()
    write = asyncio.create_task(store.commit(DOCUMENT, None))
    other = FirestoreStore(Documents(emulator_connection(FIRESTORE, proxy.target), project))
    stack.push_async_callback(other.documents.connection.close)
    async with asyncio.timeout(30):
        while (await other.load("user-1")).blob is None:  # noqa: ASYNC110 - what is waited for is a document
            await asyncio.sleep(0.01)
    proxy.cut()
    with pytest.raises(Transient, match="Firestore: UNAVAILABLE"):
        await write
    proxy.answers.set()
    assert (await store.load("user-1")).blob == b"blob"


async def test_an_answer_that_does_not_come_ends_every_call_in_time_and_the_next_ones_are_made(
    proxy, project, stack
) -> None:
    store = behind(proxy, project, stack, seconds=0.3)
    await store.commit(DOCUMENT, None)
    proxy.answers.clear()
    calls = [asyncio.create_task(store.load("user-1")) for _ in range(3)]
    await asyncio.sleep(0.05)
    calls += [asyncio.create_task(store.load("user-1")) for _ in range(3)]
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(one) for one in done] == [Transient] * 6
    proxy.answers.set()
    assert (await store.load("user-1")).blob == b"blob"


async def test_the_environment_decides_between_emulators_and_google(stack) -> None:
    for environ, kinds in (
        ({"FIRESTORE_EMULATOR_HOST": "x:1", "PUBSUB_EMULATOR_HOST": "x:1"}, ["Emulator", "Emulator"]),
        ({"FIRESTORE_EMULATOR_HOST": "x:1"}, ["Emulator", "Access"]),
        ({}, ["Access", "Access"]),
    ):
        made = connections(environ, FIRESTORE, PUBSUB)
        for connection, kind in zip(made, kinds, strict=True):
            stack.push_async_callback(connection.close)
            assert type(connection.authorization).__name__.startswith(kind)
        assert [connection.service for connection in made] == [FIRESTORE, PUBSUB]
