"""Copies the raw tables of a warehouse into a folder, as the raw log that they were loaded from."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from infra.analytics.warehouse.engine import Engine
from infra.analytics.warehouse.load import table_of
from infra.errors import UsageError
from infra.raw.folder import RawLogWriter
from infra.raw.line import Landed
from shared.contracts.topics import Topic

DAYS = """
SELECT DISTINCT DATE(publish_time) AS day FROM {table}
WHERE publish_time >= TIMESTAMP '1990-01-01 00:00:00+00' ORDER BY day
"""
ALL = """
SELECT subscription_name, message_id, publish_time, attributes, data FROM {table}
WHERE publish_time >= TIMESTAMP '1990-01-01 00:00:00+00'
"""
MESSAGES = """
SELECT subscription_name, message_id, publish_time, attributes, data FROM {table}
WHERE publish_time >= TIMESTAMP '{day} 00:00:00+00' AND publish_time < TIMESTAMP '{end} 00:00:00+00'
"""
"""One day, since memory holds all rows of a query: a partition is a day."""


class LandedTables:
    """The raw tables of an engine that exist."""

    def __init__(self, engine: Engine) -> None:
        """Raises `UsageError` if the warehouse has no raw tables."""
        self._engine = engine
        there = engine.relations()
        self._topics = [topic.value for topic in Topic if table_of(topic) in there]
        if not self._topics:
            expected = f"a warehouse with raw tables ({table_of(Topic.PAYMENT)} and so on)"
            raise UsageError(f"expected {expected}, found none")

    @property
    def size(self) -> int:
        """The bytes that `copy` scans, without the search for the days."""
        tables = [*map(table_of, self._topics)]
        return sum(self._engine.scanned(ALL.format(table=table), [table]) for table in tables)

    def copy(self, folder: Path) -> None:
        """Write every message."""
        with RawLogWriter(folder, self._topics) as writer:
            for topic in self._topics:
                for landed in self._days(table_of(topic)):
                    writer.append(topic, landed)

    def _days(self, table: str) -> Iterator[list[Landed]]:
        """The messages of a table, day by day."""
        for found in self._engine.rows(DAYS.format(table=table)):
            day, end = found["day"], found["day"] + timedelta(days=1)
            rows = self._engine.rows(MESSAGES.format(table=table, day=day, end=end))
            yield [_landed(row) for row in rows]


def _landed(row: dict[str, Any]) -> Landed:
    return Landed(**row | {"attributes": row["attributes"] or {}, "data": row["data"] or b""})
