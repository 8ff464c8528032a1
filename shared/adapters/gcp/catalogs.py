"""The catalog in Firestore, which can be changed without a deploy."""

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

# Versions that are valid document ids in Firestore, and never a path to another document.
_is_version = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}").fullmatch


class FirestoreCatalogs:
    """The catalog whose version is in `catalog/current`, refreshed when it is older than `max_age`.

    The content is the map `catalog` in the document `catalog/{version}`. A catalog that is missing, invalid or
    unreadable never replaces a valid one: it is logged and read again later, and the last valid one stays in use.
    Before the first publication the catalog is empty, so that subscriptions are correct from the start.
    """

    def __init__(
        self, client: AsyncClient, clock: Clock, max_age: timedelta, timeout_seconds: float = RPC_SECONDS
    ) -> None:
        self.collection = client.collection(CATALOGS)
        self.library = FirestoreLibrary(client)
        self.clock = clock
        self.max_age = max_age
        self.timeout_seconds = timeout_seconds
        self.catalog = EMPTY
        self.version: object = None
        """The version in Firestore of the catalog in use. None for the empty one."""
        self.invalid_version: object = None
        """The version last found invalid, kept so that it is logged only once."""
        self.refreshed_at: datetime | None = None
        """The instant of the last attempt to refresh. None before the first successful one."""
        self.refresh_lock = asyncio.Lock()

    async def current(self) -> Catalog:
        """See `Catalogs.current`. Raises `Transient` if the very first read fails within `timeout_seconds`."""
        if self._is_stale():
            await self._refresh()
        return self.catalog

    def _is_stale(self) -> bool:
        return self.refreshed_at is None or self.clock.now() - self.refreshed_at >= self.max_age

    async def _refresh(self) -> None:
        """Read the catalog once, however many events wait for it."""
        try:
            async with rpc("Firestore", self.timeout_seconds), self.refresh_lock:
                if self._is_stale():
                    version, content = await self._read_newest()
                    catalog = self._compiled_or_current(version, content)
                    library = await self.library.load(catalog.document)
                    if catalog is not self.catalog:
                        self.version = version
                    self.catalog = replace(catalog, library=library)
                    self.refreshed_at = self.clock.now()
        except Transient as error:
            if self.refreshed_at is None:
                raise
            self.refreshed_at = self.clock.now()
            log.warning("the catalog cannot be read; %s stays in use: %s", self.catalog.version, error)

    async def _read_newest(self) -> tuple[object, Any]:
        """The version in force and its content. The content is None if it is already in use or cannot be found."""
        version = await self._read_field(CURRENT_CATALOG, "version")
        if version == self.version or not _is_version(str(version)):
            return version, None
        return version, await self._read_field(str(version), "catalog")

    async def _read_field(self, document: str, name: str) -> Any:
        snapshot = await self.collection.document(document).get([name], retry=RECONNECT)
        return (snapshot.to_dict() or {}).get(name)

    def _compiled_or_current(self, version: object, content: Any) -> Catalog:
        """The catalog of `content`, or the catalog in use if its version is the same or `content` is invalid."""
        if version is None or version == self.version:
            return self.catalog
        try:
            catalog = compile_catalog(content)
        except InvalidCatalog as error:
            if version != self.invalid_version:
                log.error("catalog %s is invalid; %s stays in use: %s", version, self.catalog.version, error)  # noqa: TRY400 - not a bug, so no traceback
            self.invalid_version = version
            return self.catalog
        self.invalid_version = None
        return catalog
