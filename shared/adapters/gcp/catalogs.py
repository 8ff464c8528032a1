"""The catalog in Firestore, which people change without a deploy."""

import asyncio
import logging
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from google.cloud.firestore import AsyncClient

from shared.adapters.gcp.library import FirestoreLibrary
from shared.adapters.gcp.paths import CATALOGS, CURRENT_CATALOG
from shared.adapters.gcp.rpc import RECONNECT, RPC_SECONDS, rpc
from shared.decisioning.catalog import EMPTY, Catalog
from shared.decisioning.compile import compile_catalog
from shared.domain.errors import InvalidCatalog, Transient
from shared.ports import Clock

log = logging.getLogger(__name__)

_is_version = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}").fullmatch
"""What may be a document's id in Firestore, and no path to another."""


class FirestoreCatalogs:
    """The catalog that `catalog/current` names in `version`, read again when it is older than `refresh`.

    It is the map `catalog` in `catalog/{version}`. One that cannot be read, is missing or invalid never replaces
    a good one: it is logged, looked at again, and the last good one stays in use. Where none was ever published
    there is the empty catalog, so that states are right from the start.
    """

    def __init__(
        self, client: AsyncClient, clock: Clock, refresh: timedelta, seconds: float = RPC_SECONDS
    ) -> None:
        self.collection = client.collection(CATALOGS)
        self.library = FirestoreLibrary(client)
        self.clock = clock
        self.refresh = refresh
        self.seconds = seconds
        self.catalog = EMPTY
        self.version: object = None
        self.refused: object = None
        self.looked_at: datetime | None = None
        self.looking = asyncio.Lock()

    async def current(self) -> Catalog:
        """See `Catalogs.current`. Raises `Transient` if not even a first look was possible within `seconds`."""
        if self._is_old():
            await self._renew()
        return self.catalog

    def _is_old(self) -> bool:
        return self.looked_at is None or self.clock.now() - self.looked_at >= self.refresh

    async def _renew(self) -> None:
        """Look once, however many events wait for it."""
        try:
            async with rpc("Firestore", self.seconds), self.looking:
                if self._is_old():
                    version, content = await self._newest()
                    catalog = self._valid(version, content)
                    library = await self.library.of(catalog.document)
                    if catalog is not self.catalog:
                        self.version = version
                    self.catalog = replace(catalog, library=library)
                    self.looked_at = self.clock.now()
        except Transient as error:
            if self.looked_at is None:
                raise
            self.looked_at = self.clock.now()
            log.warning("no catalog could be read; %s stays in use: %s", self.catalog.version, error)

    async def _newest(self) -> tuple[object, Any]:
        """The version in force and its content; no content where it is in use already, or not to be found."""
        version = await self._field(CURRENT_CATALOG, "version")
        if version == self.version or not _is_version(str(version)):
            return version, None
        return version, await self._field(str(version), "catalog")

    async def _field(self, document: str, name: str) -> Any:
        snapshot = await self.collection.document(document).get([name], retry=RECONNECT)
        return (snapshot.to_dict() or {}).get(name)

    def _valid(self, version: object, content: Any) -> Catalog:
        """The catalog with that content; the one in use where it is that already, or the content is invalid."""
        if version is None or version == self.version:
            return self.catalog
        try:
            catalog = compile_catalog(content)
        except InvalidCatalog as error:
            if version != self.refused:
                log.error("catalog %s is refused; %s stays in use: %s", version, self.catalog.version, error)  # noqa: TRY400 - no bug of ours, so no trace
            self.refused = version
            return self.catalog
        self.refused = None
        return catalog
