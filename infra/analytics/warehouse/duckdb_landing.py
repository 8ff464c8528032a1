"""Adds messages to the raw tables of a DuckDB warehouse, each once."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

import orjson
import pyarrow as pa

from infra.raw.line import COLUMNS, Landed

TYPES = {
    "subscription_name": "VARCHAR",
    "message_id": "VARCHAR",
    "publish_time": "TIMESTAMPTZ",
    "attributes": "JSON",
}
"""The types of a raw table's columns; `data` is BLOB."""
BATCH = 20_000
"""Messages that are in memory at a time."""
ARROW = pa.schema(
    {
        "subscription_name": pa.string(),
        "message_id": pa.string(),
        "publish_time": pa.timestamp("us", tz="UTC"),
        "attributes": pa.string(),
        "data": pa.binary(),
    }
)


def land(connection: Any, table: str, landed: Iterable[Landed]) -> int:
    """Add the messages of which no column tells that the table has them already; the number that it had not."""
    columns = ", ".join(f"{name} {TYPES.get(name, 'BLOB')}" for name in COLUMNS)
    connection.execute(f'CREATE TABLE IF NOT EXISTS "{table}" ({columns})')
    connection.execute(f"CREATE OR REPLACE TEMP TABLE _landing ({columns})")
    messages = iter(landed)
    while batch := list(islice(messages, BATCH)):
        connection.register("_batch", _arrow(batch))
        connection.execute("INSERT INTO _landing SELECT * FROM _batch")
        connection.unregister("_batch")
    same = " AND ".join(f"old.{name} = new.{name}" for name in COLUMNS)
    (added,) = connection.execute(
        f'INSERT INTO "{table}" SELECT DISTINCT * FROM _landing AS new'
        f' WHERE NOT EXISTS (SELECT 1 FROM "{table}" AS old WHERE {same}) ORDER BY publish_time'
    ).fetchone()
    connection.execute("DROP TABLE _landing")
    return int(added)


def _arrow(batch: list[Landed]) -> Any:
    columns = list(zip(*batch, strict=True))
    columns[3] = tuple(orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS).decode() for attributes in columns[3])
    return pa.table(dict(zip(COLUMNS, columns, strict=True)), schema=ARROW)
