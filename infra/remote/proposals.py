"""Catalogs that await an approval, in Firestore."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.cloud.firestore import Client

from infra.errors import UsageError
from infra.remote.firestore import client_errors
from shared.adapters.gcp import publication
from shared.adapters.gcp.catalog_publisher import ArtifactChange, artifact_change, publish_artifact
from shared.adapters.gcp.paths import CATALOG_SETTINGS, PROPOSALS, SETTINGS, PublishedArtifact, is_version
from shared.adapters.gcp.rpc import RPC_SECONDS
from shared.decisioning.catalog import Catalog
from shared.decisioning.document.approvals import is_same_person
from shared.settings import InvalidSettings, read_flag


@dataclass(frozen=True, slots=True)
class Proposal:
    """A catalog that is valid, and that somebody else than its authors may put in force."""

    version: str
    catalog: dict[str, Any]
    authors: tuple[str, ...]
    approved_by: str | None
    """The person who has approved it; None while it waits."""

    def is_by(self, name: str) -> bool:
        """True for one of its authors, however the name is written."""
        return any(is_same_person(name, author) for author in self.authors)


def proposal(client: Client, version: str) -> Proposal:
    """The proposal of a version. Raises `UsageError` if there is none, and `InfraError` if Firestore fails."""
    fields = None
    if is_version(version):
        fields = _fields(client, version)
    if not fields:
        raise UsageError(f"{PROPOSALS}/{version}: expected a catalog that awaits an approval, found none")
    authors = tuple(map(str, fields.get("authors", ())))
    return Proposal(version, fields["catalog"], authors, fields.get("approved_by"))


def needs_approval(client: Client) -> bool:
    """True where two persons must agree on a catalog: `UPBEAT_CATALOG_APPROVAL` says so, or the project itself.

    Raises `UsageError` if the variable is neither true nor false, and `InfraError` if Firestore fails.
    """
    try:
        if read_flag(os.environ, "UPBEAT_CATALOG_APPROVAL"):
            return True
    except InvalidSettings as error:
        raise UsageError(str(error)) from error
    with client_errors("read the settings of the catalog"):
        document = client.collection(SETTINGS).document(CATALOG_SETTINGS)
        fields = document.get(retry=None, timeout=RPC_SECONDS).to_dict() or {}
    return bool(fields.get("needs_approval", False))


def propose(client: Client, catalog: Catalog, artifacts: Iterable[PublishedArtifact], author: str) -> None:
    """Keep a catalog until somebody else than its authors approves it, with the scores that it names.

    Raises `UsageError` for a policy other than the one that is published, since that would take effect at once, or
    for another score of a published version; and `InfraError` if Firestore fails.
    """
    brought = [*artifacts]
    with client_errors("publish the scores of the catalog"):
        for artifact in brought:
            if artifact_change(client, artifact) in {ArtifactChange.REPLACED, ArtifactChange.REFUSED}:
                expected = "expected the content that is published, which no approval could hold back"
                raise UsageError(f"{artifact.location.path}: {expected}, found another")
        for artifact in brought:
            publish_artifact(client, artifact)
    before = _fields(client, catalog.version) or {}
    earlier = before.get("authors", ()) if before.get("approved_by") is None else ()
    fields = publication.proposal(catalog, [*earlier, author], datetime.now(UTC))
    with client_errors("propose the catalog"):
        client.collection(PROPOSALS).document(catalog.version).set(fields, retry=None, timeout=RPC_SECONDS)


def mark_approved(client: Client, version: str, by: str) -> None:
    """Note who has approved a proposal. Raises `InfraError` if Firestore fails."""
    with client_errors("note the approval"):
        document = client.collection(PROPOSALS).document(version)
        document.update({"approved_by": by}, retry=None, timeout=RPC_SECONDS)


def _fields(client: Client, version: str) -> dict[str, Any] | None:
    with client_errors("read the proposal"):
        document = client.collection(PROPOSALS).document(version)
        return document.get(retry=None, timeout=RPC_SECONDS).to_dict()
