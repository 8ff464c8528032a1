"""Firestore as the command line needs it: to read a user, and to publish a catalog."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError
from google.cloud.firestore import Client

from infra.errors import InfraError
from infra.remote.endpoints import Endpoints
from infra.remote.running import find
from shared.adapters.gcp.artifact_locations import Shelved
from shared.adapters.gcp.firestore import document_id
from shared.decisioning.catalog import Catalog

RPC_SECONDS = 10.0
EMULATOR_HOST = "FIRESTORE_EMULATOR_HOST"


def client_of(project: str | None) -> Client:
    """The client of a cloud project, else of the emulators that are up. Raises `InfraError` if none are."""
    if project is None:
        return emulator_client(find().endpoints)
    with _told_apart(f"speak to the Firestore of project {project}"):
        return Client(project=project)


def emulator_client(endpoints: Endpoints) -> Client:
    """The client of a local runtime."""
    before = os.environ.get(EMULATOR_HOST)
    os.environ[EMULATOR_HOST] = endpoints.firestore_host  # the only way to tell the client, which reads it once
    try:
        return Client(project=endpoints.project)
    finally:
        os.environ.pop(EMULATOR_HOST)
        if before is not None:
            os.environ[EMULATOR_HOST] = before


def read_blob(client: Client, user_id: str) -> bytes | None:
    """A user's document, or None where there is none. Raises `InfraError` where Firestore does not answer."""
    with _told_apart("read the user"):
        document = client.collection("subscriptions").document(document_id(user_id))
        snapshot = document.get(["blob"], retry=None, timeout=RPC_SECONDS)
    return bytes(snapshot.get("blob")) if snapshot.exists else None


def publish_catalog(client: Client, catalog: Catalog, library: Iterable[Shelved] = ()) -> None:
    """Put a catalog in force: first what it names and its content, then the pointer to it.

    So no function finds half of it. `library` holds the scores and policies that it names. Raises `InfraError`
    where Firestore does not answer, or holds another artifact of a score's version: functions that have read it
    would go on with that one.
    """
    catalogs = client.collection("catalog")
    content = {"catalog": json.loads(catalog.to_json())}
    with _told_apart("publish the catalog"):
        for shelved in library:
            _put(client, shelved)
        catalogs.document(catalog.version).set(content, retry=None, timeout=RPC_SECONDS)
        catalogs.document("current").set({"version": catalog.version}, retry=None, timeout=RPC_SECONDS)


def _put(client: Client, shelved: Shelved) -> None:
    document = client.collection(shelved.collection).document(shelved.id)
    if shelved.is_final:
        there = document.get([shelved.field], retry=None, timeout=RPC_SECONDS).to_dict() or {}
        if there.get(shelved.field, shelved.text) != shelved.text:
            place = f"{shelved.collection}/{shelved.id}"
            raise InfraError(
                f"{place}: expected what is published already (new coefficients are a new version), found another"
            )
    document.set({shelved.field: shelved.text}, retry=None, timeout=RPC_SECONDS)


@contextmanager
def _told_apart(what: str) -> Iterator[None]:
    """Turn an error of the client into one that says what was tried."""
    try:
        yield
    except (exceptions.GoogleAPICallError, exceptions.RetryError, GoogleAuthError) as error:
        raise InfraError(f"cannot {what}: {error}") from error
