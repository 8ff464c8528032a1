"""Opens what the console shows."""

from datetime import UTC, datetime
from pathlib import Path

from google.cloud.firestore import Client

from infra.console.catalogs import LoggedCatalogs, PublishedCatalogs
from infra.console.counting import FunnelObserver
from infra.console.sources import Running, Sources
from infra.inspect.documents import record_in
from infra.raw.folder import RAW
from infra.raw.follower import Follower
from infra.remote import firestore
from infra.remote.clock import RunningClock
from infra.remote.pubsub import Bus
from infra.remote.running import find
from infra.replay import stores
from shared.domain.terms import Terms
from shared.record.user_record import UserRecord


def of_emulators(state_folder: Path, terms: Terms) -> Sources:
    """The running emulators, whose functions keep their state in this folder. Raises `InfraError` if none run."""
    endpoints = find(state_folder).endpoints
    client = firestore.emulator_client(endpoints)
    name, clock = f"{endpoints.project} on the emulators", RunningClock(state_folder)
    return Sources(
        name=name,
        documents=FirestoreDocuments(client, name, terms),
        now=clock.now,
        terms=terms,
        catalogs=PublishedCatalogs(client),
        log=Follower(state_folder / RAW, FunnelObserver),
        running=Running(Bus.of_emulator(endpoints), client, clock, None),
    )


def of_project(project: str, terms: Terms) -> Sources:
    """A Google Cloud project. Its raw log is in BigQuery, so that there is none to follow."""
    client = firestore.client_of(project)
    name = f"project {project}"
    return Sources(
        name=name,
        documents=FirestoreDocuments(client, name, terms),
        now=lambda: datetime.now(UTC),
        terms=terms,
        catalogs=PublishedCatalogs(client),
        log=None,
        running=Running(Bus.of_cloud(project), client, None, project),
    )


def of_store(store: Path, now: datetime, terms: Terms, catalog: Path) -> Sources:
    """The store that a replay kept, as of an instant (UTC): the SQLite file, and the raw log beside it.

    `catalog` is the file of a valid catalog, with scores and policies beside it: the catalog itself is taken from
    the raw log if that tells one.
    """
    raw = store.parent / RAW if (store.parent / RAW).is_dir() else None
    return Sources(
        name=f"the replay in {store.parent}",
        documents=StoredDocuments(store, terms),
        now=lambda: now,
        terms=terms,
        catalogs=LoggedCatalogs(raw, catalog),
        log=Follower(raw, FunnelObserver) if raw else None,
        running=None,
    )


class FirestoreDocuments:
    """The documents in Firestore."""

    def __init__(self, client: Client, place: str, terms: Terms) -> None:
        self._client, self._place, self._terms = client, place, terms

    def read(self, user_id: str) -> UserRecord | None:
        """A user's document; None if there is none."""
        stored = firestore.read_document(self._client, user_id)
        return None if stored is None else record_in(stored, user_id, self._place, self._terms)

    def names(self, prefix: str, limit: int) -> list[str]:
        """The ids of users that begin with `prefix`, in order."""
        return firestore.first_users(self._client, prefix, limit)


class StoredDocuments:
    """The documents in the SQLite file of a replay."""

    def __init__(self, store: Path, terms: Terms) -> None:
        self._store, self._terms = store, terms

    def read(self, user_id: str) -> UserRecord | None:
        """A user's document; None if there is none."""
        stored = stores.read_document(self._store, user_id)
        return None if stored is None else record_in(stored, user_id, str(self._store), self._terms)

    def names(self, prefix: str, limit: int) -> list[str]:
        """The ids of users that begin with `prefix`, in order."""
        return stores.first_users(self._store, prefix, limit)
