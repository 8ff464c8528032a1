"""A replay with one of the two catalogs of a what-if study."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.replay import outputs
from infra.replay.replay import Summary
from infra.replay.stores import STORE
from infra.whatif.side import Unit
from shared.adapters.sqlite import SqliteStore
from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.domain.assignments import Assignment
from shared.record.codec import unpack


@dataclass(frozen=True)
class CatalogReplay:
    """Implements `Side`: a replay, kept with its store, and the catalog that is in force at its end."""

    folder: Path
    summary: Summary
    catalog: Catalog

    @property
    def events_read(self) -> int:
        """See `Side.events_read`."""
        return self.summary.events_read

    @property
    def dead_lettered(self) -> int:
        """See `Side.dead_lettered`."""
        return self.summary.dead_lettered

    @cached_property
    def assignments(self) -> Mapping[Unit, Assignment]:
        """See `Side.assignments`."""
        return dict(_assignments(self.folder / STORE))

    def messages(self, topic: Topic) -> Iterator[dict[str, Any]]:
        """See `Side.messages`."""
        return outputs.messages(self.folder, topic)


def _assignments(store: Path) -> Iterator[tuple[Unit, Assignment]]:
    with closing(SqliteStore(store, durable=False)) as opened:
        for user_id, blob in opened.blobs():
            for one in unpack(blob).assignments:
                yield Unit(one.experiment_id, user_id, one.unit), one
