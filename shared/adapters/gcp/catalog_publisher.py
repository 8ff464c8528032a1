"""Publishing a catalog to Firestore, with the scores and policies that it names."""

import json
from collections.abc import Iterable

from google.cloud.firestore import Client

from shared.adapters.gcp.paths import CATALOGS, CURRENT_CATALOG, Artifact
from shared.decisioning.catalog import Catalog
from shared.domain.errors import UpbeatError

RPC_SECONDS = 10.0


class ArtifactExists(UpbeatError):
    """A version of a score is published already, with another content; functions may be using that one."""


def publish_catalog(client: Client, catalog: Catalog, artifacts: Iterable[Artifact] = ()) -> None:
    """Put a catalog in force: first its artifacts and its content, then the pointer, so no function finds half.

    Raises `ArtifactExists`, and what the client raises where Firestore does not answer within 10 s a call.
    """
    catalogs = client.collection(CATALOGS)
    for artifact in artifacts:
        _publish_artifact(client, artifact)
    content = {"catalog": json.loads(catalog.to_json())}
    catalogs.document(catalog.version).set(content, retry=None, timeout=RPC_SECONDS)
    catalogs.document(CURRENT_CATALOG).set({"version": catalog.version}, retry=None, timeout=RPC_SECONDS)


def _publish_artifact(client: Client, artifact: Artifact) -> None:
    location = artifact.location
    document = client.collection(location.collection).document(location.id)
    if location.immutable:
        published = document.get([location.field], retry=None, timeout=RPC_SECONDS).to_dict() or {}
        if published.get(location.field, artifact.text) != artifact.text:
            raise ArtifactExists(
                f"{location.collection}/{location.id}: expected what is published already"
                " (new coefficients are a new version), found another"
            )
    document.set({location.field: artifact.text}, retry=None, timeout=RPC_SECONDS)
