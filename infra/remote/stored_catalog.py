"""Catalogs in Firestore, compiled, with the scores and policies that are published."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from google.cloud.firestore import Client

from infra.catalog.load import with_library, with_scores
from infra.errors import UsageError
from infra.remote.catalog_history import PublishedVersion, current_publication, stored, version_of
from infra.remote.firestore import client_errors
from shared.adapters.gcp.paths import CATALOGS, ArtifactLocation
from shared.adapters.gcp.rpc import RPC_SECONDS
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.domain.errors import InvalidCatalog

CURRENT = "current"
"""The name of the catalog in force."""
is_name = re.compile(rf"{CURRENT}|[0-9]{{1,13}}|[0-9a-f]{{16}}").fullmatch
"""True for the number or the version of a publication, and for `current`."""


@dataclass(frozen=True, slots=True)
class CurrentCatalog:
    """The catalog in force."""

    publication: PublishedVersion
    catalog: Catalog | None
    """With its number, and without scores and policies; None if it is missing or this version refuses it."""


def current_catalog(client: Client) -> CurrentCatalog | None:
    """The catalog in force; None if there is none. Raises `InfraError` if Firestore fails."""
    publication = current_publication(client)
    if publication is None:
        return None
    try:
        catalog = readable_catalog(client, publication.version)
    except UsageError:
        return CurrentCatalog(publication, None)
    return CurrentCatalog(publication, replace(catalog, number=publication.number or 0))


def named_catalog(client: Client, name: str) -> Catalog:
    """The published catalog of a name, without the scores and policies that it names.

    Raises `UsageError` if there is none, or none that this version can read, and `InfraError` if Firestore fails.
    """
    if name != CURRENT:
        return readable_catalog(client, version_of(client, name))
    current = current_publication(client)
    if current is None:
        raise UsageError("expected a catalog in force, found none; publish one with: upbeat catalog publish")
    return readable_catalog(client, current.version)


def readable_catalog(client: Client, version: str) -> Catalog:
    """The stored catalog of a version. Raises what `named_catalog` raises."""
    try:
        return compile_catalog(stored(client, version))
    except InvalidCatalog as error:
        raise UsageError(f"{CATALOGS}/{version}: {error}") from error


def usable_catalog(client: Client, version: str) -> Catalog:
    """The stored catalog of a version, with the scores and policies that are published now.

    Raises what `named_catalog` raises, and `UsageError` if a score or a policy is missing or does not fit.
    """
    return with_published_library(client, stored(client, version), f"{CATALOGS}/{version}")


def with_published_library(client: Client, content: Mapping[str, object], path: str) -> Catalog:
    """The catalog of a stored document at a path. Raises what `usable_catalog` raises."""
    try:
        return with_library(compile_catalog(content), partial(published_artifact, client), " in Firestore")
    except InvalidCatalog as error:
        raise UsageError(f"{path}: {error}") from error


def catalog_with_scores(client: Client) -> Catalog | None:
    """The catalog in force, with those of its scores that are published; None if none is valid."""
    current = current_catalog(client)
    if current is None or current.catalog is None:
        return None
    return with_scores(current.catalog, partial(published_artifact, client))


def published_artifact(client: Client, location: ArtifactLocation) -> bytes | None:
    """The score or the policy at a location; None if there is none. Raises `InfraError` if Firestore fails."""
    document = client.collection(location.collection).document(location.id)
    with client_errors(f"read {location.path}"):
        fields = document.get([location.field], retry=None, timeout=RPC_SECONDS).to_dict() or {}
    text = fields.get(location.field)
    return text.encode() if isinstance(text, str) else None
