"""The catalog of a replay: one throughout, or a switch to another at one instant."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from infra.catalog.load import load_catalog
from infra.replay.world import CatalogHistory
from shared.decisioning.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Switch:
    """The files of two catalogs, and the first instant (UTC) at which the second one is in force."""

    before: Path
    after: Path
    at: datetime


def load_catalogs(files: Path | Switch) -> CatalogHistory:
    """The catalog of a file, or both of a switch. Raises `InvalidCatalog`."""
    if isinstance(files, Path):
        return CatalogHistory(load_catalog(files))
    return switched(load_catalog(files.before), load_catalog(files.after), files.at)


def switched(before: Catalog, after: Catalog, at: datetime) -> CatalogHistory:
    """One catalog until an instant (UTC), and another from then on, which has the higher number."""
    return CatalogHistory(before, [(at, replace(after, number=before.number + 1))])
