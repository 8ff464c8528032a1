"""The catalog of a replay: one throughout, or a switch to another at one instant."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from infra.catalog.load import load_catalog
from infra.replay.world import CatalogHistory


@dataclass(frozen=True, slots=True)
class Switch:
    """The files of two catalogs, and the first instant (UTC) at which the second one is in force."""

    before: Path
    after: Path
    at: datetime


def load_catalogs(files: Path | Switch) -> CatalogHistory:
    """The catalog of a file, or both of a switch: the later one has the higher number. Raises `InvalidCatalog`."""
    if isinstance(files, Path):
        return CatalogHistory(load_catalog(files))
    before, after = load_catalog(files.before), load_catalog(files.after)
    return CatalogHistory(before, [(files.at, replace(after, number=before.number + 1))])
