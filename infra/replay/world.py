"""The world of a life, all but the user's own events: the catalogs, the business terms, and features."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from infra.replay.features_file import RecordedFeatures
from shared.decisioning.catalog import Catalog
from shared.domain.features import NO_FEATURES, UNCONFIGURED, KnownFeatures
from shared.domain.terms import Terms


class CatalogHistory:
    """The catalogs of a history: one from the beginning, and each later one from an instant (UTC) on."""

    def __init__(self, first: Catalog, later: Sequence[tuple[datetime, Catalog]] = ()) -> None:
        """`later` is in the order of its instants."""
        self._since = [since for since, _ in later]
        self._catalogs = [first, *(catalog for _, catalog in later)]

    def at(self, instant: datetime) -> Catalog:
        """The catalog in force at an instant (UTC)."""
        return self._catalogs[bisect_right(self._since, instant)]


@dataclass(frozen=True, slots=True)
class World:
    """All that a life needs and no user owns. Every process of a replay makes its own, from files."""

    catalogs: CatalogHistory
    terms: Terms
    features: RecordedFeatures | None = None
    """None where no source of features is configured: then they are all unknown."""

    def features_of(self, user_id: str, catalog: Catalog, now: datetime) -> KnownFeatures:
        """The features of a user for a decision by this catalog at `now` (UTC); none if it asks for none."""
        if not catalog.asks_features:
            return NO_FEATURES
        return UNCONFIGURED if self.features is None else self.features.known(user_id, now)
