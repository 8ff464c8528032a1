"""Portable BigQuery SQL on DuckDB, over rows that a test gives."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from infra.analytics.warehouse.duckdb_engine import DuckDBEngine


def scores(sql: str, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> list[float | None]:
    """The column `score` of a query on a table with these columns and their types, in the order of `n`."""
    connection = duckdb.connect()
    named = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    connection.execute(f'create table "{table}" (n bigint, {named})')
    given = dict(zip(("n", *columns), zip(*((n, *row) for n, row in enumerate(rows)), strict=True), strict=True))
    connection.register("given", pa.table(given))
    connection.execute(f'insert into "{table}" select * from given')  # noqa: S608 - names of a test
    found = DuckDBEngine.of(connection).rows(sql)
    return [row["score"] for row in sorted(found, key=lambda row: row["n"])]
