"""The catalogs that a page about a user needs: the one in force, and those by which was decided."""

from datetime import datetime
from typing import TYPE_CHECKING

from infra.commands.raw_log import RawLog

if TYPE_CHECKING:
    from google.cloud.firestore import Client

    from shared.decisioning.catalog import Catalog


class KnownCatalogs:
    """The catalogs of a file, of a raw log, and of Firestore, in this order."""

    def __init__(self, given: "Catalog | None", log: RawLog, client: "Client | None") -> None:
        from infra.raw.catalogs import published_catalogs

        self._given = given
        self._client = client
        self._published = published_catalogs(log.folder) if log.folder else []

    def in_force(self, now: datetime, *, is_past: bool) -> "Catalog | None":
        """The catalog in force at an instant (UTC), with its scores; None if none is known."""
        from infra.catalog.load import with_shipped_scores
        from infra.remote.stored_catalog import catalog_with_scores

        if self._given:
            return self._given
        if self._client and not is_past:
            return catalog_with_scores(self._client)
        known = [one.version for one in self._published if one.at <= now]
        catalog = self.of(known[-1]) if known else None
        return with_shipped_scores(catalog) if catalog else None

    def of(self, version: str) -> "Catalog | None":
        """The catalog of a version, without its scores; None if nothing tells of it."""
        from infra.errors import UsageError
        from infra.remote.stored_catalog import readable_catalog
        from shared.decisioning.compile import compile_catalog
        from shared.domain.errors import InvalidCatalog

        if self._given and self._given.version == version:
            return self._given
        content = next((one.content for one in self._published if one.version == version), None)
        try:
            if content is not None:
                return compile_catalog(content)
            return readable_catalog(self._client, version) if self._client else None
        except (InvalidCatalog, UsageError):
            return None
