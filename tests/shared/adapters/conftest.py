"""Fixtures: Google's real clients on the emulators, with every call recorded."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from google.cloud.firestore import AsyncClient

from infra.remote.pubsub import Bus
from shared.adapters.gcp.firestore import FirestoreStore
from shared.adapters.sqlite import SqliteStore
from tests.shared.adapters.wire import Wire, closed, firestore_client

Store = SqliteStore | FirestoreStore


@pytest.fixture
def wire() -> Wire:
    """The interceptor between the Firestore client and the emulator."""
    return Wire()


@pytest.fixture
async def firestore(emulators, project, wire, monkeypatch) -> AsyncIterator[AsyncClient]:
    """A client of an empty Firestore."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulators.firestore_host)
    async with closed(firestore_client(emulators.firestore_host, project, wire)) as client:
        yield client


@pytest.fixture
def bus(emulators, project) -> Iterator[Bus]:
    """An empty Pub/Sub."""
    bus = Bus.of_emulator(emulators.endpoints(project))
    yield bus
    bus.close()


@pytest.fixture(params=["sqlite", pytest.param("firestore", marks=pytest.mark.emulator)])
async def open_store(request, project, wire, monkeypatch, tmp_path: Path) -> AsyncIterator[Callable[[], Store]]:
    """A function that opens the same store again, as several instances do, for each kind of store."""
    if request.param == "sqlite":
        stores: list[SqliteStore] = []
        yield lambda: stores.append(SqliteStore(tmp_path / "upbeat.sqlite")) or stores[-1]
        for store in stores:
            store.close()
        return
    host = request.getfixturevalue("emulators").firestore_host
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", host)
    async with closed(firestore_client(host, project, wire)) as client:
        yield lambda: FirestoreStore(client)


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    """An empty store."""
    return open_store()
