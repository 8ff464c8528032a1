"""Outages: a store or a bus that is unreachable, silent or killed raises `Transient` in time, and nothing else."""

import asyncio
import os
import signal
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest

from infra.emulator.emulators import Emulators
from infra.remote.endpoints import LOCALHOST, Endpoints, free_ports
from shared.adapters import sqlite
from shared.adapters.clock import SystemClock
from shared.adapters.gcp.catalogs import FirestoreCatalogs
from shared.adapters.gcp.connection import FIRESTORE, PUBSUB, Connection, connections
from shared.adapters.gcp.documents import Documents
from shared.adapters.gcp.firestore import FirestoreStore
from shared.adapters.gcp.pubsub import PubsubPublisher
from shared.adapters.gcp.rpc import RPC_SECONDS
from shared.adapters.gcp.values import to_timestamp
from shared.adapters.sqlite import SqliteStore
from shared.contracts.outbound.message import Message
from shared.domain.errors import Transient
from shared.ports import Cursor, Document, DueUser, Stored

HANGING_SECONDS = 30.0
"""Far above every bound here, and far below the 60 to 300 seconds for which Google's clients retry by default."""
NOW = datetime(2026, 1, 1, tzinfo=UTC)
DOCUMENT = Document("user-1", b"blob", None, {})
VERSION = to_timestamp(NOW)
CURSOR = Cursor(DueUser(NOW, "user-1"), NOW)


class Cloud:
    """All adapters for Google Cloud, at one pair of addresses."""

    def __init__(self, firestore: Connection, pubsub: Connection, project: str, seconds: float) -> None:
        self.firestore, self.pubsub, self.project = firestore, pubsub, project
        documents = Documents(firestore, project, seconds)
        self.store = FirestoreStore(documents)
        self.catalogs = FirestoreCatalogs(documents, SystemClock(), timedelta(0))
        self.publisher = PubsubPublisher(pubsub, project, seconds)

    def bound(self, seconds: float) -> "Cloud":
        """The same, over the same connections, with another time limit."""
        return Cloud(self.firestore, self.pubsub, self.project, seconds)

    async def call_all(self) -> dict[str, str]:
        """The name of the error that each call raises."""
        calls = {
            "load": self.store.load("user-1"),
            "create": self.store.commit(DOCUMENT, None),
            "update": self.store.commit(DOCUMENT, VERSION),
            "due": anext(self.store.due(7, CURSOR.last, NOW, 10)),
            "load_cursor": self.store.load_cursor(7),
            "save_cursor": self.store.save_cursor(7, CURSOR, None),
            "catalog": self.catalogs.current(),
            "publish": self.publisher.publish([Message("payment", "m-1", {})] * 2),
        }
        async with asyncio.timeout(HANGING_SECONDS):
            results = await asyncio.gather(*calls.values(), return_exceptions=True)
        return {name: type(result).__name__ for name, result in zip(calls, results, strict=True)}


ALL_TRANSIENT = dict.fromkeys(
    ("load", "create", "update", "due", "load_cursor", "save_cursor", "catalog", "publish"), Transient.__name__
)


@pytest.fixture
async def cloud() -> AsyncIterator[Callable[..., Cloud]]:
    """A function that connects to the given addresses, whether or not an emulator listens there."""
    async with AsyncExitStack() as stack:

        async def connect(at: Endpoints, seconds: float) -> Cloud:
            firestore, pubsub = connections(at.env, FIRESTORE, PUBSUB)
            stack.push_async_callback(firestore.close)
            stack.push_async_callback(pubsub.close)
            return Cloud(firestore, pubsub, at.project, seconds)

        yield connect


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(0.3, id="bound by time"),
        pytest.param(RPC_SECONDS, id="bound by tries", marks=pytest.mark.slow),
    ],
)
async def test_a_port_that_nobody_listens_on(cloud, seconds) -> None:
    (port,) = free_ports(1)
    nowhere = Endpoints("p", f"{LOCALHOST}:{port}", f"{LOCALHOST}:{port}")
    assert await (await cloud(nowhere, seconds)).call_all() == ALL_TRANSIENT


async def test_a_listener_that_never_says_a_word(cloud) -> None:
    with socket.create_server((LOCALHOST, 0)) as deaf:
        host = f"{LOCALHOST}:{deaf.getsockname()[1]}"
        assert await (await cloud(Endpoints("p", host, host), 0.3)).call_all() == ALL_TRANSIENT


FREEZING_SECONDS = 0.5
"""The time in seconds until a stopped process is still: each thread stops when it is next scheduled."""


@pytest.mark.emulator
@pytest.mark.usefixtures("_emulator_sdk")
async def test_emulators_that_freeze_and_then_die_at_work(cloud, project) -> None:
    with Emulators() as ours:
        working = await cloud(ours.endpoints(project), HANGING_SECONDS)
        await working.store.commit(DOCUMENT, None)
        assert (await working.store.load("user-1")).blob == b"blob"
        working = working.bound(0.5)
        for emulator in ours.processes.values():
            os.killpg(emulator.pid, signal.SIGSTOP)
        await asyncio.sleep(FREEZING_SECONDS)
        assert await working.call_all() == ALL_TRANSIENT
        for emulator in ours.processes.values():
            emulator.kill()
        assert await working.call_all() == ALL_TRANSIENT
        await working.publisher.publish([])


@pytest.mark.emulator
async def test_a_read_is_made_again_over_a_new_connection(documents, wire) -> None:
    wire.failures = iter([grpc.StatusCode.UNAVAILABLE])
    assert await FirestoreStore(documents).load("user-1") == Stored(None, None)
    assert wire.calls == {"GetDocument": 2}


@pytest.mark.emulator
@pytest.mark.parametrize("version", [None, VERSION], ids=["create", "update"])
async def test_a_write_that_may_have_happened_is_not_made_again(documents, wire, version) -> None:
    wire.failures = iter([grpc.StatusCode.UNAVAILABLE])
    with pytest.raises(Transient, match="Firestore: UNAVAILABLE"):
        await FirestoreStore(documents).commit(DOCUMENT, version)
    assert wire.calls == {"Commit": 1}


async def test_a_file_that_another_process_holds(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.1)
    store = SqliteStore(tmp_path / "upbeat.sqlite")
    with sqlite3.connect(tmp_path / "upbeat.sqlite") as other:
        other.execute("begin exclusive")
        with pytest.raises(Transient, match="SQLite: database is locked"):
            await store.commit(DOCUMENT, None)
    await store.commit(DOCUMENT, None)
    store.close()
