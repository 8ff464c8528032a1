"""The stores whose documents are made again or compared: a SQLite file, or Firestore."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, closing, contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

from google.cloud.firestore import Client

from infra.errors import InfraError
from infra.remote.endpoints import Endpoints
from infra.remote.firestore import users_after
from shared.adapters.gcp.connection import FIRESTORE, connections
from shared.adapters.gcp.documents import Documents
from shared.adapters.gcp.firestore import FirestoreStore
from shared.adapters.sqlite import SqliteStore
from shared.ports import Subscriptions

PAGE = 1000
"""The ids of users that are listed at once."""


class Target(Protocol):
    """A store that a rebuild reads and writes."""

    @property
    def documents(self) -> Subscriptions:
        """The documents, each committed on a condition."""
        ...

    def batch(self) -> AbstractContextManager[None]:
        """Commits of the block may share one write to the disk, and are lost together by a kill."""
        ...

    def users(self) -> Iterator[str]:
        """The users who have a document. Raises `InfraError` if the store does not answer."""
        ...


class SqliteTarget:
    """Implements `Target` for the file of a replay's store, or for a new one."""

    def __init__(self, store: SqliteStore) -> None:
        self.documents = store

    @contextmanager
    def batch(self) -> Iterator[None]:
        """See `Target.batch`."""
        self.documents.connection.execute("begin immediate")
        try:
            yield
        finally:
            self.documents.connection.execute("commit")

    def users(self) -> Iterator[str]:
        """See `Target.users`."""
        rows = self.documents.connection.execute("select user_id from subscriptions order by user_id")
        return (user_id for (user_id,) in rows)


class FirestoreTarget:
    """Implements `Target` for the emulators and for a cloud project."""

    def __init__(self, store: FirestoreStore, client: Client) -> None:
        self.documents = store
        self.client = client

    def batch(self) -> AbstractContextManager[None]:
        """See `Target.batch`. Firestore shares requests by itself."""
        return nullcontext()

    def users(self) -> Iterator[str]:
        """See `Target.users`."""
        after = ""
        while page := users_after(self.client, after, PAGE):
            yield from page
            after = page[-1]


@asynccontextmanager
async def sqlite_target(file: Path) -> AsyncIterator[Target]:
    """The store in a file, which is made if there is none. Raises `InfraError` if the file is something else."""
    try:
        opened = SqliteStore(file)
    except sqlite3.Error as error:
        raise InfraError(f"{file}: expected the SQLite file of a store, found something else: {error}") from error
    with closing(opened) as store:
        yield SqliteTarget(store)


@asynccontextmanager
async def firestore_target(client: Client, emulators: Endpoints | None) -> AsyncIterator[Target]:
    """The documents of a cloud project, or of the emulators at these endpoints."""
    (connection,) = connections(emulators.env if emulators else {}, FIRESTORE)
    try:
        yield FirestoreTarget(FirestoreStore(Documents(connection, client.project)), client)
    finally:
        await connection.close()
