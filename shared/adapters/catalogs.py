"""Catalogs: fixed ones for the local runtimes, and the one in Firestore that people change without a deploy."""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any

from google.api_core import exceptions
from google.cloud.firestore import AsyncClient

from shared.decisioning.catalog import EMPTY, Catalog
from shared.decisioning.compile import compile_catalog
from shared.domain.errors import InvalidCatalog, Transient
from shared.ports import Clock

log = logging.getLogger(__name__)
RPC_SECONDS = 10.0


class FirestoreCatalogs:
    """The catalog that `catalog/current` names, read again when it is older than `refresh`.

    A catalog that cannot be read or is invalid never replaces a good one: it is logged, and the last good one
    stays in use. Where none was ever published there is the empty catalog, so that states are right from the start.
    """

    def __init__(self, client: AsyncClient, clock: Clock, refresh: timedelta) -> None:
        self.collection = client.collection("catalog")
        self.clock = clock
        self.refresh = refresh
        self.catalog = EMPTY
        self.refused: str | None = None
        self.read_at: datetime | None = None
        self.reading = asyncio.Lock()

    async def current(self) -> Catalog:
        """See `Catalogs.current`. Raises `Transient` if not even a first look was possible."""
        async with self.reading:
            now = self.clock.now()
            if self.read_at is None or now - self.read_at >= self.refresh:
                await self._refresh()
                self.read_at = now
        return self.catalog

    async def _refresh(self) -> None:
        try:
            version, content = await self._newest()
        except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
            if self.read_at is None:
                raise Transient(f"Firestore: no catalog could be read: {type(error).__name__}") from error
            log.warning("no catalog could be read; %s stays in use", self.catalog.version)
        else:
            self._take(version, content)

    async def _newest(self) -> tuple[str | None, Any]:
        """The version in force and its content; no content where it is known already."""
        pointer = await self.collection.document("current").get(timeout=RPC_SECONDS)
        version = (pointer.to_dict() or {}).get("version")
        if version is None or version in {self.catalog.version, self.refused}:
            return version, None
        document = await self.collection.document(str(version)).get(timeout=RPC_SECONDS)
        return version, (document.to_dict() or {}).get("catalog", {})

    def _take(self, version: str | None, content: Any) -> None:
        if content is None:
            return
        try:
            self.catalog = compile_catalog(content)
        except InvalidCatalog as error:
            self.refused = version
            log.error("catalog %s is refused; %s stays in use: %s", version, self.catalog.version, error)  # noqa: TRY400


class FixedCatalogs:
    """One catalog for ever."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    async def current(self) -> Catalog:
        """See `Catalogs.current`."""
        return self.catalog
