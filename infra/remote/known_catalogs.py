"""Catalogs in Firestore, compiled, with the scores that are published."""

from dataclasses import replace

from google.cloud.firestore import Client

from infra.remote.firestore import catalog_in_force, client_errors
from shared.adapters.gcp.paths import CATALOGS, is_version, score_location
from shared.adapters.gcp.rpc import RPC_SECONDS
from shared.decisioning.audiences.attributes import fact_names
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.decisioning.library import Library
from shared.decisioning.scoring.registry import Registry
from shared.domain.errors import InvalidCatalog


def catalog_with_scores(client: Client) -> Catalog | None:
    """The catalog in force, with its scores; None if there is none that is valid. Raises `InfraError`."""
    version = catalog_in_force(client)
    catalog = stored_catalog(client, version) if version else None
    if catalog is None:
        return None
    registry = Registry(lambda name, number: _score(client, name, number), fact_names(catalog.document.attributes))
    return replace(catalog, library=Library(registry.get))


def stored_catalog(client: Client, version: str) -> Catalog | None:
    """The catalog of a version, without its scores; None if there is none that is valid. Raises `InfraError`."""
    if not is_version(version):
        return None
    with client_errors("read the catalog"):
        stored = client.collection(CATALOGS).document(version).get(["catalog"], retry=None, timeout=RPC_SECONDS)
    try:
        return compile_catalog((stored.to_dict() or {}).get("catalog") or {}) if stored.exists else None
    except InvalidCatalog:
        return None


def _score(client: Client, name: str, version: int) -> bytes | None:
    location = score_location(name, version)
    document = client.collection(location.collection).document(location.id)
    with client_errors("read a score"):
        fields = document.get([location.field], retry=None, timeout=RPC_SECONDS).to_dict() or {}
    text = fields.get(location.field)
    return text.encode() if isinstance(text, str) else None
