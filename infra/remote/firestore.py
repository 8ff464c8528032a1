"""Firestore operations of the command line: read and remove users' documents, and publish a catalog."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError
from google.cloud.firestore import Client, Query
from google.cloud.firestore_v1.base_query import FieldFilter

from infra.errors import InfraError
from infra.remote.endpoints import Endpoints
from infra.remote.instants import standard
from infra.remote.running import find
from shared.adapters.gcp import catalog_publisher
from shared.adapters.gcp.catalog_publisher import AnotherInForce, ArtifactExists
from shared.adapters.gcp.paths import (
    CATALOGS,
    CURRENT_CATALOG,
    SUBSCRIPTIONS,
    PublishedArtifact,
    user_document_id,
    user_id_of,
)
from shared.adapters.gcp.rpc import RPC_SECONDS
from shared.contracts.outbound.catalog_published import CatalogPublished
from shared.decisioning.catalog import Catalog
from shared.ports import Said, Stored

AFTER_EVERY_ID = "\uffff"
"""Sorts after every character that a user id may contain."""
EMULATOR_HOST = "FIRESTORE_EMULATOR_HOST"
"""Environment variable with the address of the Firestore emulator, read by Google's client."""


def client_of(project: str | None) -> Client:
    """A client for a cloud project; for the running emulators if `project` is None.

    Raises `InfraError` if no emulators are running, or if the credentials are not accepted.
    """
    if project is None:
        return emulator_client(find().endpoints)
    with client_errors(f"connect to Firestore in project {project}"):
        return Client(project=project)


def emulator_client(endpoints: Endpoints) -> Client:
    """A client for the Firestore emulator; the environment is the same afterwards."""
    previous = os.environ.get(EMULATOR_HOST)
    os.environ[EMULATOR_HOST] = endpoints.firestore_host  # the client reads it once, and only from here
    try:
        return Client(project=endpoints.project)
    finally:
        os.environ.pop(EMULATOR_HOST)
        if previous is not None:
            os.environ[EMULATOR_HOST] = previous


def read_document(client: Client, user_id: str) -> Stored | None:
    """A user's document; None if the user is unknown. Raises `InfraError` if Firestore fails."""
    with client_errors("read the user"):
        document = client.collection(SUBSCRIPTIONS).document(user_document_id(user_id))
        snapshot = document.get(["blob", "erased_at"], retry=None, timeout=RPC_SECONDS)
    if not snapshot.exists:
        return None
    fields = snapshot.to_dict() or {}
    erased_at = fields.get("erased_at")
    return Stored(fields.get("blob"), snapshot.update_time, standard(erased_at) if erased_at else None)


def users_with_prefix(client: Client, prefix: str, *, unchanged_since: datetime) -> list[str]:
    """Ids of the users with a prefix whose documents have not changed since. Raises `InfraError`."""
    with client_errors("list users"):
        found = _beginning_with(client, prefix).get(retry=None, timeout=RPC_SECONDS)
    return [user_id_of(each.id) for each in found if each.update_time < unchanged_since]


def first_users(client: Client, prefix: str, limit: int) -> list[str]:
    """Ids of the first users that begin with `prefix`, in order. Raises `InfraError` if Firestore fails."""
    with client_errors("list users"):
        found = _beginning_with(client, prefix).limit(limit).get(retry=None, timeout=RPC_SECONDS)
    return [user_id_of(each.id) for each in found]


def users_after(client: Client, after: str, limit: int) -> list[str]:
    """Ids of the users that follow `after` (empty: from the first one), in order. Raises `InfraError`."""
    users = client.collection(SUBSCRIPTIONS)
    query: Any = users.order_by("__name__").select([])
    if after:
        query = query.start_after({"__name__": users.document(user_document_id(after))})
    with client_errors("list users"):
        return [user_id_of(each.id) for each in query.limit(limit).get(retry=None, timeout=RPC_SECONDS)]


def _beginning_with(client: Client, prefix: str) -> Query:
    """The documents of users whose ids begin with `prefix`, without their content."""
    users = client.collection(SUBSCRIPTIONS)
    if not prefix:
        return users.select([])
    return (
        users.where(filter=FieldFilter("__name__", ">=", users.document(prefix)))
        .where(filter=FieldFilter("__name__", "<", users.document(prefix + AFTER_EVERY_ID)))
        .select([])
    )


def remove_users(client: Client, user_ids: Iterable[str]) -> None:
    """Delete users' documents, whether they exist or not. Raises `InfraError` if Firestore fails."""
    users = client.collection(SUBSCRIPTIONS)
    with client_errors("remove a user"):
        for user_id in user_ids:
            users.document(user_document_id(user_id)).delete(retry=None, timeout=RPC_SECONDS)


def catalog_in_force(client: Client) -> str | None:
    """The version of the catalog in force; None if there is none. Raises `InfraError` if Firestore fails."""
    with client_errors("read the catalog"):
        pointer = client.collection(CATALOGS).document(CURRENT_CATALOG).get(retry=None, timeout=RPC_SECONDS)
    return (pointer.to_dict() or {}).get("version")


def publish_catalog(
    client: Client,
    catalog: Catalog,
    artifacts: Iterable[PublishedArtifact] = (),
    *,
    only_first: bool = False,
    replacing: int | None = None,
    by: str | None = None,
    approved_by: str | None = None,
    emergency: str | None = None,
) -> int:
    """Publish a catalog and the score and policy artifacts that it names, and make it the current one.

    Returns the number of the publication.

    Raises `InfraError` if Firestore fails, if it already has a different artifact of a score's version, if
    `only_first` and another catalog came into force meanwhile, or if the publication in force is not the one with
    the number `replacing`.
    """
    try:
        with client_errors("publish the catalog"):
            return catalog_publisher.publish_catalog(
                *(client, catalog, artifacts),
                now=datetime.now(UTC),
                only_first=only_first,
                replacing=replacing,
                said=Said(by, approved_by, emergency),
            )
    except (ArtifactExists, AnotherInForce) as error:
        raise InfraError(str(error)) from error


def publication_in_force(client: Client) -> CatalogPublished | None:
    """The message about the catalog in force: the same one until another goes in force; None if there is none.

    Its instant is the one at which Firestore wrote the pointer. Raises `InfraError` if Firestore fails.
    """
    catalogs = client.collection(CATALOGS)
    with client_errors("read the catalog"):
        pointer = catalogs.document(CURRENT_CATALOG).get(retry=None, timeout=RPC_SECONDS)
        told = pointer.to_dict()
        if not told:
            return None
        stored = catalogs.document(told["version"]).get(["catalog"], retry=None, timeout=RPC_SECONDS).to_dict()
    if not stored:
        raise InfraError(f"{CATALOGS}/{told['version']}: expected the catalog in force, found nothing")
    return CatalogPublished(
        catalog_version=told["version"],
        number=told.get("number"),
        published_at=standard(pointer.update_time),
        published_by=told.get("published_by"),
        catalog=stored["catalog"],
    )


@contextmanager
def client_errors(action: str) -> Iterator[None]:
    """Convert errors of Google's client into an `InfraError` that names the failed action."""
    try:
        yield
    except (exceptions.GoogleAPICallError, exceptions.RetryError, GoogleAuthError) as error:
        raise InfraError(f"cannot {action}: {error}") from error
