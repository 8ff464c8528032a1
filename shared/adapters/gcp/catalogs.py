"""The catalog in Firestore, which can be changed without a deploy."""

import asyncio
import logging
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from shared.adapters.gcp.connection import FIRESTORE
from shared.adapters.gcp.documents import Documents
from shared.adapters.gcp.library import FirestoreLibrary
from shared.adapters.gcp.paths import CATALOGS, CURRENT_CATALOG, CatalogPointer, is_version
from shared.adapters.gcp.rpc import rpc
from shared.adapters.gcp.values import from_values
from shared.decisioning.catalog import Catalog, empty_catalog
from shared.decisioning.compile import compile_catalog
from shared.domain.errors import InvalidCatalog, Transient
from shared.ports import Clock

log = logging.getLogger(__name__)

LOOK_AGAIN_AFTER = timedelta(seconds=1)
"""The age from which a catalog whose number is too low is read again, so that not every event causes a read."""


class FirestoreCatalogs:
    """The catalog whose version and number are in `catalog/current`, refreshed when it is older than `max_age`.

    The content is the map `catalog` in the document `catalog/{version}`. A catalog that is missing, invalid or
    unreadable never replaces a valid one: it is logged and read again later, and the last valid one stays in use.
    Before the first publication the catalog is empty, so that subscriptions are correct from the start.
    """

    def __init__(self, documents: Documents, clock: Clock, max_age: timedelta) -> None:
        self.documents = documents
        self.library = FirestoreLibrary(documents)
        self.clock = clock
        self.max_age = max_age
        self.version: object = None
        """The version in Firestore of the catalog in use. None for the empty one."""
        self.invalid_version: object = None
        """The version last found invalid, kept so that it is logged only once."""
        self.refreshed_at: datetime | None = None
        """The instant of the last attempt to refresh. None before the first successful one."""
        self.reported_number: int | None = None
        """The number of the catalog last found to be too low, kept so that it is logged only once."""
        self.refresh_lock = asyncio.Lock()

    @cached_property
    def catalog(self) -> Catalog:
        """The catalog in use: the empty one until another is set."""
        return empty_catalog()

    async def current(self, at_least: int = 0) -> Catalog:
        """See `Catalogs.current`. Raises `Transient` if the very first read fails within the time for one call."""
        if self._is_stale(at_least):
            await self._refresh(at_least)
        if self.catalog.number < at_least and self.catalog.number != self.reported_number:
            self.reported_number = self.catalog.number
            text = "catalog %s has the number %d, but one with the number %d was in use"
            log.warning(text, self.catalog.version, self.catalog.number, at_least)
        return self.catalog

    def _is_stale(self, at_least: int) -> bool:
        """True if the catalog is too old, or if its number is too low and it was not just read."""
        if self.refreshed_at is None:
            return True
        longest = min(LOOK_AGAIN_AFTER, self.max_age) if self.catalog.number < at_least else self.max_age
        return self.clock.now() - self.refreshed_at >= longest

    async def _refresh(self, at_least: int) -> None:
        """Read the catalog once, however many events wait for it."""
        try:
            async with rpc(FIRESTORE, self.documents.seconds), self.refresh_lock:
                if self._is_stale(at_least):
                    pointer, content = await self._read_newest()
                    catalog = self._compiled_or_current(pointer.version, content)
                    library = await self.library.load(catalog.document)
                    if catalog is not self.catalog:
                        self.version = pointer.version
                    is_newest = pointer.version == self.version
                    number = pointer.number if is_newest else self.catalog.number
                    self.catalog = replace(catalog, library=library, number=number)
                    self.refreshed_at = self.clock.now()
        except Transient as error:
            if self.refreshed_at is None:
                raise
            self.refreshed_at = self.clock.now()
            log.warning("the catalog cannot be read; %s stays in use: %s", self.catalog.version, error)

    async def _read_newest(self) -> tuple[CatalogPointer, Any]:
        """The pointer and the content. The content is None if it is already in use or cannot be found."""
        pointer = CatalogPointer.of(await self._read_fields(CURRENT_CATALOG, *CatalogPointer._fields))
        if pointer.version == self.version or not is_version(str(pointer.version)):
            return pointer, None
        content = await self._read_fields(str(pointer.version), "catalog")
        return pointer, content.get("catalog")

    async def _read_fields(self, document: str, *names: str) -> dict[str, Any]:
        found = await self.documents.read(self.documents.path(CATALOGS, document), names)
        return from_values(found.fields) if found else {}

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
