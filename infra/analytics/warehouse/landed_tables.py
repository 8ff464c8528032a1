"""Copies the raw tables of a warehouse into a folder, as the raw log that they were loaded from."""

from datetime import date, timedelta
from pathlib import Path

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
MESSAGES = """
SELECT subscription_name, message_id, publish_time, attributes, data FROM {table}
WHERE publish_time >= TIMESTAMP '{day} 00:00:00+00' AND publish_time < TIMESTAMP '{end} 00:00:00+00'
"""
"""One day, since memory holds all rows of a query: a partition is a day."""


def copy_tables(engine: Engine, folder: Path) -> None:
    """Write every message of the raw tables that exist. Raises `UsageError` if there are none."""
    there = engine.relations()
    topics = [topic.value for topic in Topic if table_of(topic) in there]
    if not topics:
        raise UsageError(f"expected a warehouse with raw tables ({table_of(Topic.PAYMENT)} and so on), found none")
    with RawLogWriter(folder, topics) as writer:
        for topic in topics:
            table = table_of(topic)
            for day in [row["day"] for row in engine.rows(DAYS.format(table=table))]:
                writer.append(topic, _landed(engine, table, day))


def _landed(engine: Engine, table: str, day: date) -> list[Landed]:
    rows = engine.rows(MESSAGES.format(table=table, day=day, end=day + timedelta(days=1)))
    return [Landed(**row | {"attributes": row["attributes"] or {}, "data": row["data"] or b""}) for row in rows]
