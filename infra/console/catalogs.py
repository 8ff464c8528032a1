"""The catalogs that the console shows: those published in Firestore, or those that a replay's raw log tells."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from google.cloud.firestore import Client

from infra.catalog.change_line import change_line
from infra.catalog.load import Read, artifact_beside, load_catalog, with_library, with_scores
from infra.errors import InfraError, UsageError
from infra.raw.catalogs import PublishedCatalog, published_catalogs
from infra.remote import catalog_history, stored_catalog
from infra.remote.catalog_history import PublishedVersion
from infra.remote.stored_catalog import CurrentCatalog
from shared.adapters.gcp.paths import ArtifactLocation
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.domain.errors import InvalidCatalog


class PublishedCatalogs:
    """The catalogs in Firestore."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def current(self) -> CurrentCatalog | None:
        """See `Catalogs.current`."""
        current = stored_catalog.current_catalog(self._client)
        if current is None or current.catalog is None:
            return current
        return replace(current, catalog=_with_artifacts(current.catalog, self.artifact))

    def history(self) -> Sequence[PublishedVersion]:
        """See `Catalogs.history`."""
        return catalog_history.history(self._client)

    def catalog(self, version: str) -> Catalog:
        """See `Catalogs.catalog`."""
        return _with_artifacts(stored_catalog.readable_catalog(self._client, version), self.artifact)

    def artifact(self, location: ArtifactLocation) -> bytes | None:
        """See `Catalogs.artifact`."""
        return stored_catalog.published_artifact(self._client, location)


class LoggedCatalogs:
    """The catalogs that a raw log tells, or the one in a file, beside which scores and policies are."""

    def __init__(self, folder: Path | None, file: Path) -> None:
        self._folder, self._file = folder, file

    def current(self) -> CurrentCatalog | None:
        """See `Catalogs.current`."""
        newest, *_ = self.history()
        try:
            return CurrentCatalog(newest, replace(self.catalog(newest.version), number=newest.number or 0))
        except InfraError:
            return CurrentCatalog(newest, None)

    def history(self) -> Sequence[PublishedVersion]:
        """See `Catalogs.history`."""
        published = self._published()
        if not published:
            return [PublishedVersion(None, load_catalog(self._file).version, None, str(self._file), in_force=True)]
        notes = ["the first one in the log"]
        notes += [change_line(before.content, after.content) for before, after in pairwise(published)]
        versions = [
            PublishedVersion(one.number, one.version, one.at, one.by, in_force=False, note=note)
            for one, note in zip(published, notes, strict=True)
        ]
        return [replace(versions[-1], in_force=True), *versions[-2::-1]]

    def catalog(self, version: str) -> Catalog:
        """See `Catalogs.catalog`."""
        found = next((one for one in self._published() if one.version == version), None)
        try:
            if found:
                return _with_artifacts(compile_catalog(found.content), self.artifact)
            if (given := load_catalog(self._file)).version == version:
                return given
        except InvalidCatalog as error:
            raise UsageError(f"catalog {version}: {error}") from error
        raise UsageError(f"expected the version of a catalog in the raw log, found {version!r}")

    def artifact(self, location: ArtifactLocation) -> bytes | None:
        """See `Catalogs.artifact`."""
        return artifact_beside(self._file, location)

    def _published(self) -> list[PublishedCatalog]:
        """Every publication in the log, the oldest first, each once although it may be announced again."""
        if self._folder is None:
            return []
        try:
            found = published_catalogs(self._folder)
        except OSError as error:
            raise InfraError(f"{self._folder}: expected a raw log, found {error.strerror}") from error
        once: dict[tuple[int | None, str, datetime | None], PublishedCatalog] = {}
        for one in found:
            once.setdefault((one.number, one.version, None if one.number else one.at), one)
        return [*once.values()]


def _with_artifacts(catalog: Catalog, read: Read) -> Catalog:
    """The catalog with its scores and policies; if one is missing, with those scores that are there."""
    try:
        return with_library(catalog, read, "")
    except InvalidCatalog:
        return with_scores(catalog, read)
