"""Publishing a catalog to Firestore, with the scores and policies that it names."""

import json
from collections.abc import Iterable

from google.cloud.firestore import Client

from shared.adapters.gcp.paths import CATALOGS, CURRENT_CATALOG, PublishedArtifact
from shared.adapters.gcp.rpc import RPC_SECONDS
from shared.decisioning.catalog import Catalog
from shared.domain.errors import UpbeatError


class ArtifactExists(UpbeatError):
    """A score's version that is already published with different content, which functions may be using."""


def publish_catalog(
    client: Client,
    catalog: Catalog,
    artifacts: Iterable[PublishedArtifact] = (),
    *,
    only_first: bool = False,
    by: str | None = None,
) -> None:
    """Put a catalog in force. The pointer is written last, so that no function reads an incomplete catalog.

    `by` is kept beside the pointer: what puts the catalog in force.

    Raises `ArtifactExists`, or the client's error: if Firestore does not answer an RPC within 10 s, or if
    `only_first` and a catalog is in force already.
    """
    catalogs = client.collection(CATALOGS)
    for artifact in artifacts:
        _publish_artifact(client, artifact)
    content = {"catalog": json.loads(catalog.to_json())}
    catalogs.document(catalog.version).set(content, retry=None, timeout=RPC_SECONDS)
    pointer = catalogs.document(CURRENT_CATALOG)
    put = pointer.create if only_first else pointer.set
    put({"version": catalog.version, "published_by": by}, retry=None, timeout=RPC_SECONDS)


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
