"""Publishing a catalog to Firestore, with the scores and policies that it names."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from google.api_core.exceptions import AlreadyExists, FailedPrecondition
from google.cloud.firestore import Client, Query
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.adapters.gcp import publication
from shared.adapters.gcp.paths import (
    CATALOGS,
    CURRENT_CATALOG,
    PUBLICATIONS,
    CatalogPointer,
    PublishedArtifact,
)
from shared.adapters.gcp.rpc import RPC_SECONDS
from shared.decisioning.catalog import Catalog
from shared.domain.errors import UpbeatError
from shared.domain.events import MAX_CATALOG_NUMBER
from shared.ports import Said

MAX_ATTEMPTS = 10
"""Attempts to move the pointer while others move it."""
UNSAID = Said()


class ArtifactChange(StrEnum):
    """The effect of publishing an artifact on what is published."""

    NEW = "new"
    SAME = "same"
    REPLACED = "replaced"
    """A policy with other content, which functions use within a minute."""
    REFUSED = "refused"
    """A score's version with other content, which functions may be using: it cannot be published."""


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
    said: Said = UNSAID,
) -> int:
    """Put a catalog in force at `now` (UTC), and return the number of the publication.

    The catalog, the pointer to it and the record of the publication are written together or not at all, after the
    artifacts, so that no function reads an incomplete catalog and no publication is missing in the history.

    What is `said` of the publication is kept beside the pointer and in the record.
    `replacing` is the number of the publication that it replaces, and no other.

    Raises `ArtifactExists`, `AnotherInForce`, or the client's error: if Firestore does not answer an RPC within
    10 s, or if `only_first` and a catalog is in force already.
    """
    for artifact in artifacts:
        publish_artifact(client, artifact)
    told = CatalogPointer(catalog.version, 0, *said)
    for attempt in range(MAX_ATTEMPTS):
        try:
            return _publish(client, catalog, now, told, only_first=only_first, replacing=replacing)
        except (AlreadyExists, FailedPrecondition):
            if only_first or attempt == MAX_ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def artifact_change(client: Client, artifact: PublishedArtifact) -> ArtifactChange:
    """The effect that publishing an artifact would have. Raises the client's error."""
    location = artifact.location
    document = client.collection(location.collection).document(location.id)
    published = (document.get([location.field], retry=None, timeout=RPC_SECONDS).to_dict() or {}).get(
        location.field
    )
    if published is None:
        return ArtifactChange.NEW
    if published == artifact.text:
        return ArtifactChange.SAME
    return ArtifactChange.REFUSED if location.immutable else ArtifactChange.REPLACED


def _publish(
    client: Client,
    catalog: Catalog,
    now: datetime,
    told: CatalogPointer,
    *,
    only_first: bool,
    replacing: int | None,
) -> int:
    """Put a catalog in force under the next number, if nobody else has moved the pointer since it was read."""
    known = client.collection(CATALOGS).document(CURRENT_CATALOG).get(retry=None, timeout=RPC_SECONDS)
    moved_at = known.update_time if known.exists and not only_first else None
    before = publication.Before(CatalogPointer.of(known.to_dict()), moved_at, _newest_number(client))
    if replacing is not None and before.pointer.number != replacing:
        raise AnotherInForce(f"catalog: expected publication {replacing} in force, found {before.pointer.number}")
    after = publication.numbered(told, before, now)
    batch = client.batch()
    for one in publication.documents(catalog, after, before, now):
        document = client.collection(one.collection).document(one.id)
        match one.condition:
            case publication.Condition.ANY:
                batch.set(document, one.fields)
            case publication.Condition.NEW:
                batch.create(document, one.fields)
            case publication.Condition.UNMOVED:
                batch.update(document, one.fields, option=client.write_option(last_update_time=moved_at))
    batch.commit(retry=None, timeout=RPC_SECONDS)
    return after.number


def coming_number(client: Client, now: datetime) -> int:
    """The number of a publication at `now` (UTC), if nobody else publishes first. Raises the client's error."""
    pointer = client.collection(CATALOGS).document(CURRENT_CATALOG).get(retry=None, timeout=RPC_SECONDS)
    before = publication.Before(CatalogPointer.of(pointer.to_dict()), None, _newest_number(client))
    return publication.numbered(before.pointer, before, now).number


def _newest_number(client: Client) -> int:
    """The greatest number on record; -1 if none is."""
    found = recorded_publications(client).limit(1).get(retry=None, timeout=RPC_SECONDS)
    return int(found[0].get("number")) if found else -1


def recorded_publications(client: Client) -> Query:
    """The records of publications, the newest first, without those whose number cannot be one."""
    query = client.collection(PUBLICATIONS).order_by("number", direction="DESCENDING")
    return query.where(filter=FieldFilter("number", ">=", 0)).where(
        filter=FieldFilter("number", "<=", MAX_CATALOG_NUMBER)
    )


def publish_artifact(client: Client, artifact: PublishedArtifact) -> None:
    """Publish a score or a policy. Raises `ArtifactExists`, or the client's error."""
    location = artifact.location
    if location.immutable and artifact_change(client, artifact) is ArtifactChange.REFUSED:
        raise ArtifactExists(
            f"{location.path}: expected the content that is already published"
            " (new coefficients need a new version), found different content"
        )
    document = client.collection(location.collection).document(location.id)
    document.set({location.field: artifact.text}, retry=None, timeout=RPC_SECONDS)
