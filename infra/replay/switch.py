"""The catalog of a replay: one throughout, or a switch to another at one instant."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from infra.catalog.load import load_catalog
from shared.decisioning.catalog import Catalog
from shared.ports import Catalogs, Clock


@dataclass(frozen=True, slots=True)
class Switch:
    """The files of two catalogs, and the first instant (UTC) at which the second one is in force."""

    before: Path
    after: Path
    at: datetime


class SwitchedCatalogs:
    """One catalog until an instant, another from then on."""

    def __init__(self, before: Catalog, after: Catalog, at: datetime, clock: Clock) -> None:
        self.before = before
        self.after = replace(after, number=before.number + 1)
        self.at = at
        self.clock = clock

    async def current(self, at_least: int = 0) -> Catalog:  # noqa: ARG002 - the clock alone decides
        """See `Catalogs.current`."""
        return self.after if self.clock.now() >= self.at else self.before


def load_catalogs(files: Path | Switch, clock: Clock) -> Catalog | Catalogs:
    """The catalog of a file, or both of a switch in turn. Raises `InvalidCatalog`."""
    if isinstance(files, Path):
        return load_catalog(files)
    return SwitchedCatalogs(load_catalog(files.before), load_catalog(files.after), files.at, clock)
