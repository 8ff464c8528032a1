"""A replay with one of the two catalogs of a what-if study."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from infra.replay.replay import Summary
from infra.replay.stores import STORE
from shared.adapters.sqlite import SqliteStore
from shared.decisioning.catalog import Catalog
from shared.domain.assignments import Assignment
from shared.record.codec import unpack


class Unit(NamedTuple):
    """A user, or one of a user's subscriptions, in one experiment."""

    experiment_id: str
    user_id: str
    unit: str
    """The subscription's id; empty for the user."""


@dataclass(frozen=True)
class CatalogReplay:
    """A replay, kept with its store, and the catalog that is in force at its end."""

    folder: Path
    summary: Summary
    catalog: Catalog

    @property
    def campaigns(self) -> frozenset[str]:
        """The ids of the catalog's campaigns, fallbacks included."""
        return frozenset(self.catalog.campaigns)

    @cached_property
    def assignments(self) -> Mapping[Unit, Assignment]:
        """Every assignment that users have at the end."""
        return dict(_assignments(self.folder / STORE))


def _assignments(store: Path) -> Iterator[tuple[Unit, Assignment]]:
    with closing(SqliteStore(store, durable=False)) as opened:
        for user_id, blob in opened.blobs():
            for one in unpack(blob).assignments:
                yield Unit(one.experiment_id, user_id, one.unit), one
