"""Publishing a catalog to Firestore, with the scores and policies that it names."""

import json
from collections.abc import Iterable
from datetime import datetime

from google.api_core.exceptions import AlreadyExists, FailedPrecondition
from google.cloud.firestore import Client

from shared.adapters.gcp.paths import CATALOGS, CURRENT_CATALOG, CatalogPointer, PublishedArtifact
from shared.adapters.gcp.rpc import RPC_SECONDS
from shared.decisioning.catalog import Catalog, next_number
from shared.domain.errors import UpbeatError

MAX_ATTEMPTS = 10
"""Attempts to move the pointer while others move it."""


class ArtifactExists(UpbeatError):
    """A score's version that is already published with different content, which functions may be using."""


class AnotherInForce(UpbeatError):
    """Another catalog came into force than the one that was to be replaced."""


def publish_catalog(
    client: Client,
    catalog: Catalog,
    artifacts: Iterable[PublishedArtifact] = (),
    *,
    now: datetime,
    only_first: bool = False,
    replacing: int | None = None,
    by: str | None = None,
) -> int:
    """Put a catalog in force at `now` (UTC), and return the number of the publication.

    The pointer is written last, so that no function reads an incomplete catalog.

    `by` is kept beside the pointer: what puts the catalog in force. `replacing` is the number of the publication
    that it replaces, and no other.

    Raises `ArtifactExists`, `AnotherInForce`, or the client's error: if Firestore does not answer an RPC within
    10 s, or if `only_first` and a catalog is in force already.
    """
    catalogs = client.collection(CATALOGS)
    for artifact in artifacts:
        _publish_artifact(client, artifact)
    content = {"catalog": json.loads(catalog.to_json())}
    catalogs.document(catalog.version).set(content, retry=None, timeout=RPC_SECONDS)
    for attempt in range(MAX_ATTEMPTS):
        try:
            return _move_pointer(client, catalog.version, now, by, only_first=only_first, replacing=replacing)
        except (AlreadyExists, FailedPrecondition):
            if only_first or attempt == MAX_ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _move_pointer(
    client: Client, version: str, now: datetime, by: str | None, *, only_first: bool, replacing: int | None
) -> int:
    """Point at a version under the next number, if nobody else has moved the pointer since it was read."""
    pointer = client.collection(CATALOGS).document(CURRENT_CATALOG)
    known = None if only_first else pointer.get(retry=None, timeout=RPC_SECONDS)
    before = CatalogPointer.of(known.to_dict() if known else None)
    if replacing is not None and before.number != replacing:
        raise AnotherInForce(f"catalog: expected publication {replacing} in force, found {before.number}")
    after = CatalogPointer(version, next_number(before.number, now), by)
    if known is not None and known.exists:
        unchanged = client.write_option(last_update_time=known.update_time)
        pointer.update(after._asdict(), option=unchanged, retry=None, timeout=RPC_SECONDS)
    else:
        pointer.create(after._asdict(), retry=None, timeout=RPC_SECONDS)
    return after.number


def _publish_artifact(client: Client, artifact: PublishedArtifact) -> None:
    location = artifact.location
    document = client.collection(location.collection).document(location.id)
    if location.immutable:
        published = document.get([location.field], retry=None, timeout=RPC_SECONDS).to_dict() or {}
        if published.get(location.field, artifact.text) != artifact.text:
            raise ArtifactExists(
                f"{location.collection}/{location.id}: expected the content that is already published"
                " (new coefficients need a new version), found different content"
            )
    document.set({location.field: artifact.text}, retry=None, timeout=RPC_SECONDS)
