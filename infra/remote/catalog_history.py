"""The publications of catalogs, and the catalogs that were published."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import zip_longest
from typing import Any

from google.cloud.firestore import Client, DocumentSnapshot

from infra.catalog.change_line import change_line
from infra.errors import UsageError
from infra.remote.firestore import client_errors
from infra.remote.instants import standard
from shared.adapters.gcp.catalog_publisher import recorded_publications
from shared.adapters.gcp.paths import (
    CATALOGS,
    CURRENT_CATALOG,
    PUBLICATIONS,
    CatalogPointer,
    is_version,
    publication_id,
)
from shared.adapters.gcp.rpc import RPC_SECONDS
from shared.domain.events import MAX_CATALOG_NUMBER

Json = Mapping[str, Any]
LIMIT = 20
"""The publications that are read where no other number is asked for."""
MOST = 1000
"""The newest publications among which a rollback looks for another catalog."""


@dataclass(frozen=True, slots=True)
class PublishedVersion:
    """One publication of a catalog."""

    number: int | None
    """Its number, which grows; None for a catalog from before publications were recorded."""
    version: str
    published_at: datetime | None
    """UTC; None if the record has no instant."""
    by: str | None
    """The person or process that put it in force, as said; None if that was not said."""
    in_force: bool
    note: str = ""
    """The changes against the publication before it, in one line."""
    approved_by: str | None = None
    """The second person, who approved it; None if it awaited no approval."""
    emergency: str | None = None
    """The reason for which it went in force without a second person; None if there was none."""


def history(client: Client, limit: int = LIMIT) -> list[PublishedVersion]:
    """The newest publications, the newest first, each with its note. Raises `InfraError` if Firestore fails."""
    known = publications(client, limit + 1)
    with client_errors("read catalogs"):
        documents = _documents(client, {each.version for each in known})
    noted = (replace(each, note=_note(each, older, documents)) for each, older in zip_longest(known, known[1:]))
    return [*noted][:limit]


def publications(client: Client, limit: int) -> list[PublishedVersion]:
    """The newest publications, the newest first, without notes. Raises `InfraError` if Firestore fails.

    Catalogs from before publications were recorded come last, each version once.
    """
    with client_errors("read the publications of catalogs"):
        current = _current(client)
        records = recorded_publications(client).limit(limit).get(retry=None, timeout=RPC_SECONDS)
        known = _marked([*map(_recorded, records)], current)
        if len(known) < limit:
            known += _unrecorded(client, {each.version for each in known})
    return known[:limit]


def stored(client: Client, version: str) -> dict[str, Any]:
    """A catalog as it is stored. Raises `UsageError` if this version is not there, and `InfraError`."""
    with client_errors("read the catalog"):
        documents = _documents(client, {version})
    if version not in documents:
        raise UsageError(f"{CATALOGS}/{version}: expected a catalog, found none")
    return documents[version]


def version_of(client: Client, name: str) -> str:
    """The version of the publication with a number, or a version as it is.

    Raises `UsageError` if no catalog of that version is stored, and `InfraError` if Firestore fails.
    """
    with client_errors("read the publication"):
        version = _version_of_number(client, name) or name
        if version in _documents(client, {version}):
            return version
    raise UsageError(f"expected the number or the version of a published catalog, found {name!r}")


def current_publication(client: Client) -> PublishedVersion | None:
    """The publication in force; None if there is none. Raises `InfraError` if Firestore fails."""
    with client_errors("read the catalog"):
        return _current(client)


def version_before(client: Client) -> str:
    """The version that was in force before another one replaced it. Raises `UsageError` if there was none."""
    known = publications(client, MOST)
    current = next((each.version for each in known if each.in_force), None)
    before = next((each.version for each in known if each.version != current), None)
    if current is None or before is None:
        raise UsageError("expected a catalog that was in force before, found none")
    return before


def approver_of(client: Client, version: str) -> str | None:
    """The approver of a version at one of the newest publications; None if there is none. Raises `InfraError`."""
    known = (each.approved_by for each in publications(client, MOST) if each.version == version)
    return next(filter(None, known), None)


def _recorded(snapshot: DocumentSnapshot[Any]) -> PublishedVersion:
    fields = snapshot.to_dict() or {}
    at = fields.get("published_at")
    return _published(CatalogPointer.of(fields), standard(at) if isinstance(at, datetime) else None)


def _published(pointer: CatalogPointer, at: datetime | None) -> PublishedVersion:
    return PublishedVersion(
        *(pointer.number, str(pointer.version), at, _text(pointer.published_by)),
        in_force=False,
        approved_by=_text(pointer.approved_by),
        emergency=_text(pointer.emergency),
    )


def _text(said: object) -> str | None:
    return None if said is None else str(said)


def _current(client: Client) -> PublishedVersion | None:
    snapshot = client.collection(CATALOGS).document(CURRENT_CATALOG).get(retry=None, timeout=RPC_SECONDS)
    pointer = CatalogPointer.of(snapshot.to_dict())
    if pointer.version is None:
        return None
    return replace(_published(pointer, standard(snapshot.update_time)), in_force=True)


def _marked(records: list[PublishedVersion], current: PublishedVersion | None) -> list[PublishedVersion]:
    """The records with the one in force marked. It is added if it was published by a version that records none."""
    if current is None:
        return records
    is_current = [(each.number, each.version) == (current.number, current.version) for each in records]
    if any(is_current):
        return [replace(each, in_force=marked) for each, marked in zip(records, is_current, strict=True)]
    return sorted([*records, current], key=lambda each: each.number or 0, reverse=True)


def _unrecorded(client: Client, known: set[str]) -> list[PublishedVersion]:
    """The stored catalogs of other versions, the one that was stored last first."""
    found = client.collection(CATALOGS).select([]).get(retry=None, timeout=RPC_SECONDS)
    others = (each for each in found if each.id != CURRENT_CATALOG and each.id not in known)
    versions = [PublishedVersion(None, each.id, standard(each.update_time), None, False) for each in others]
    return sorted(versions, key=lambda each: str(each.published_at), reverse=True)


def _version_of_number(client: Client, name: str) -> str | None:
    """The version that was published under a number; None if the name is no number, or none is known."""
    if not (name.isascii() and name.isdecimal() and len(name) <= len(str(MAX_CATALOG_NUMBER))):
        return None
    pointer = client.collection(CATALOGS).document(CURRENT_CATALOG)
    for document in (client.collection(PUBLICATIONS).document(publication_id(int(name))), pointer):
        content = CatalogPointer.of(document.get(retry=None, timeout=RPC_SECONDS).to_dict())
        if content.version is not None and content.number == int(name):
            return str(content.version)
    return None


def _documents(client: Client, versions: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The stored catalogs of these versions, as far as there are any."""
    wanted = [client.collection(CATALOGS).document(each) for each in sorted(versions) if is_version(each)]
    if not wanted:
        return {}
    found = client.get_all(wanted, ["catalog"], retry=None, timeout=RPC_SECONDS)
    contents = {each.id: (each.to_dict() or {}).get("catalog") for each in found}
    return {version: content for version, content in contents.items() if isinstance(content, dict)}


def _note(published: PublishedVersion, older: PublishedVersion | None, documents: Mapping[str, Json]) -> str:
    if published.version not in documents:
        return "the catalog is gone: nothing is stored under its version"
    if published.number is None:
        return "from before publications were recorded"
    if older is None or older.number is None:
        return "the first publication on record"
    if older.version not in documents:
        return "the catalog before it is gone"
    return change_line(documents[older.version], documents[published.version])
