"""Firestore as the command line needs it: to read a user, and to publish a catalog."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError
from google.cloud.firestore import Client

from infra.errors import InfraError
from infra.remote.endpoints import Endpoints
from infra.remote.running import find
from shared.adapters.gcp import catalog_publisher
from shared.adapters.gcp.catalog_publisher import RPC_SECONDS, ArtifactExists
from shared.adapters.gcp.paths import SUBSCRIPTIONS, Artifact, user_document_id
from shared.decisioning.catalog import Catalog

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
        document = client.collection(SUBSCRIPTIONS).document(user_document_id(user_id))
        snapshot = document.get(["blob"], retry=None, timeout=RPC_SECONDS)
    return bytes(snapshot.get("blob")) if snapshot.exists else None


def publish_catalog(client: Client, catalog: Catalog, artifacts: Iterable[Artifact] = ()) -> None:
    """Put a catalog in force, with the scores and policies that it names.

    Raises `InfraError` where Firestore does not answer, or holds another artifact of a score's version.
    """
    try:
        with _told_apart("publish the catalog"):
            catalog_publisher.publish_catalog(client, catalog, artifacts)
    except ArtifactExists as error:
        raise InfraError(str(error)) from error


@contextmanager
def _told_apart(what: str) -> Iterator[None]:
    """Turn an error of the client into one that says what was tried."""
    try:
        yield
    except (exceptions.GoogleAPICallError, exceptions.RetryError, GoogleAuthError) as error:
        raise InfraError(f"cannot {what}: {error}") from error
