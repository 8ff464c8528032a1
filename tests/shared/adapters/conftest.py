"""Fixtures: the adapters on the emulators, with every call recorded, and Google's own clients beside them."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from google.cloud.firestore import AsyncClient

from infra.remote.pubsub import Bus
from shared.adapters.gcp.connection import FIRESTORE
from shared.adapters.gcp.documents import Documents
from shared.adapters.gcp.firestore import FirestoreStore
from shared.adapters.sqlite import SqliteStore
from tests.shared.adapters.wire import Wire, watched

Store = SqliteStore | FirestoreStore


@pytest.fixture
def wire() -> Wire:
    """The interceptor between the adapters and the Firestore emulator."""
    return Wire()


@pytest.fixture
async def documents(emulators, project, wire) -> AsyncIterator[Documents]:
    """An empty Firestore."""
    connection = watched(FIRESTORE, emulators.firestore_host, wire)
    yield Documents(connection, project)
    await connection.close()


@pytest.fixture
async def firestore(emulators, project, monkeypatch) -> AsyncIterator[AsyncClient]:
    """Google's client of the same Firestore, whose calls are not recorded."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulators.firestore_host)
    client = AsyncClient(project=project)
    yield client
    await client._firestore_api.transport.close()


@pytest.fixture
def bus(emulators, project) -> Iterator[Bus]:
    """An empty Pub/Sub."""
    bus = Bus.of_emulator(emulators.endpoints(project))
    yield bus
    bus.close()


@pytest.fixture(params=["sqlite", pytest.param("firestore", marks=pytest.mark.emulator)])
async def open_store(request, tmp_path: Path) -> AsyncIterator[Callable[[], Store]]:
    """A function that opens the same store again, as several instances do, for each kind of store."""
    if request.param == "sqlite":
        stores: list[SqliteStore] = []
        yield lambda: stores.append(SqliteStore(tmp_path / "upbeat.sqlite")) or stores[-1]
        for store in stores:
            store.close()
        return
    host, project = request.getfixturevalue("emulators").firestore_host, request.getfixturevalue("project")
    connection = watched(FIRESTORE, host, Wire())
    yield lambda: FirestoreStore(Documents(connection, project))
    await connection.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    """An empty store."""
    return open_store()
