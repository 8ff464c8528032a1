"""The warehouse in a DuckDB file."""

import json
from collections.abc import Iterable
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import duckdb

from infra.analytics.warehouse.duckdb_landing import land
from infra.analytics.warehouse.duckdb_sql import to_duckdb
from infra.analytics.warehouse.engine import Day, Engine, State
from infra.analytics.warehouse.errors import WarehouseError
from infra.analytics.warehouse.header import Header
from infra.analytics.warehouse.queries import checked, used
from infra.errors import UsageError
from infra.raw.line import Landed

FUNCTIONS = (Path(__file__).parent / "bigquery_functions.sql").read_text(encoding="utf-8")
STATE = """
CREATE TABLE IF NOT EXISTS _builds (name VARCHAR, key VARCHAR, seen BIGINT);
CREATE TABLE IF NOT EXISTS _partitions (name VARCHAR, day DATE, fingerprint VARCHAR, changed BIGINT);
"""
MEMORY = "2GB"
"""The memory that DuckDB may use; what needs more goes to files beside the warehouse."""
AS_IN_BIGQUERY = {
    "TINYINT": "BIGINT",
    "SMALLINT": "BIGINT",
    "INTEGER": "BIGINT",
    "UINTEGER": "BIGINT",
    "UBIGINT": "BIGINT",
    "HUGEINT": "BIGINT",
    "FLOAT": "DOUBLE",
    "TIMESTAMP": "TIMESTAMPTZ",
}
"""The types of BigQuery's columns for those that DuckDB's functions give."""


class DuckDBEngine(Engine):
    """A warehouse in one file, which one process at a time may open."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @classmethod
    def at(cls, file: str) -> Self:
        """The warehouse in a file, which is made if there is none. Raises `UsageError`."""
        try:
            return cls.of(duckdb.connect(file))
        except duckdb.Error as error:
            raise UsageError(
                f"{file}: expected a DuckDB warehouse that no other process has open: {error}"
            ) from None

    @classmethod
    def of(cls, connection: Any) -> Self:
        """The warehouse behind a connection."""
        for setting in ("TimeZone = 'UTC'", f"memory_limit = '{MEMORY}'", "preserve_insertion_order = false"):
            connection.execute(f"SET {setting}")
        connection.execute(FUNCTIONS.replace("OR REPLACE MACRO", "OR REPLACE TEMP MACRO"))
        return cls(connection)

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a portable query."""
        return self._rows(_translated(sql), used(checked(sql), parameters))

    def relations(self) -> frozenset[str]:
        """The names of the tables and views."""
        found = self._rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'main'")
        return frozenset(row["table_name"] for row in found)

    def land(self, table: str, landed: Iterable[Landed]) -> int:
        """Add messages that a raw table does not have yet."""
        with self._transaction():
            return land(self._connection, table, landed)

    def delete(self, table: str, message_ids: str, **parameters: Any) -> int:
        """Delete messages, in one statement."""
        tree = checked(message_ids)
        statement = f'DELETE FROM "{table}" WHERE message_id IN ({to_duckdb(tree)})'
        return int(self._do(statement, used(tree, parameters)).fetchone()[0])

    def remember(self, states: Iterable[State]) -> None:
        """Write what is known of tables that no model builds."""
        with self._transaction():
            for state in states:
                self._write(state)

    def recall(self) -> list[State]:
        """The state that was written of every table."""
        if "_builds" not in self.relations():
            return []
        days: dict[str, dict[Day, tuple[str, int]]] = {}
        for row in self._rows("SELECT * FROM _partitions"):
            days.setdefault(row["name"], {})[row["day"]] = (row["fingerprint"], row["changed"])
        builds = self._rows("SELECT * FROM _builds")
        return [State(row["name"], row["key"], row["seen"], days.get(row["name"], {})) for row in builds]

    def create_view(self, name: str, sql: str, header: Header, state: State) -> None:  # noqa: ARG002 - see docs
        """Create or replace a view, with the functions that it calls, so that any DuckDB client can read it."""
        with self._transaction():
            self._do(FUNCTIONS)
            self._drop(name)
            self._do(f'CREATE VIEW "{name}" AS {_translated(sql, name)}')
            self._write(state)

    def stage(self, name: str, sql: str, header: Header, **parameters: Any) -> None:
        """Run a model's query and keep its rows aside."""
        query, values = _translated(sql, name), used(checked(sql, name), parameters, name)
        self.forget(name)
        found = self._rows(f"DESCRIBE {query}", values)
        columns = ", ".join(_as_in_bigquery(row["column_name"], row["column_type"]) for row in found)
        self._do(f"CREATE TEMP TABLE {_staged(name)} AS SELECT {columns} FROM ({query})", values)
        if (partition := header.partition) is not None:
            without = self._rows(f'SELECT COUNT(*) AS n FROM {_staged(name)} WHERE "{partition}" IS NULL')[0]["n"]
            if without:
                raise WarehouseError(
                    f"{name}: expected a day in {partition} of each row, found {without} rows without"
                )

    def fingerprints(self, name: str, partition: str | None) -> dict[Day, str]:
        """For each partition of the rows set aside, its number of rows and the sum of their hashes."""
        day = f'"{partition}"' if partition else "CAST(NULL AS DATE)"
        found = self._rows(
            f"SELECT {day} AS day, COUNT(*) || ':' || SUM({self._hash(name)}) AS digest"
            f" FROM {_staged(name)} GROUP BY 1"
        )
        return {row["day"]: row["digest"] for row in found}

    def replace(self, name: str, header: Header, days: Iterable[Day] | None, state: State) -> None:
        """Put the rows set aside in the place of these partitions, None for all."""
        with self._transaction():
            if days is None:
                self._drop(name)
                order = f'ORDER BY "{header.partition}"' if header.partition else ""
                self._do(f'CREATE TABLE "{name}" AS SELECT * FROM {_staged(name)} {order}')
            elif days := list(days):
                chosen = {"days": days}
                self._do(f'DELETE FROM "{name}" WHERE list_contains($days, "{header.partition}")', chosen)
                self._do(
                    f'INSERT INTO "{name}" SELECT * FROM {_staged(name)}'
                    f' WHERE list_contains($days, "{header.partition}")',
                    chosen,
                )
            self._write(state)

    def forget(self, name: str) -> None:
        """Drop the rows set aside."""
        self._do(f"DROP TABLE IF EXISTS {_staged(name)}")

    def scanned(self, sql: str, inputs: Iterable[str], **parameters: Any) -> int:  # noqa: ARG002 - whole tables
        """The bytes of the tables that a query reads."""
        return sum(self._bytes(name) for name in inputs)

    def _bytes(self, table: str) -> int:
        query = f"SELECT COUNT(DISTINCT block_id) AS n FROM pragma_storage_info('{table}') WHERE persistent"
        (size,) = self._rows("SELECT block_size FROM pragma_database_size()")
        return int(self._rows(query)[0]["n"]) * int(size["block_size"])

    def _hash(self, name: str) -> str:
        """A hash of a row, in which a FLOAT64 counts with 12 digits, since the order of a sum decides the rest."""
        told = self._rows(f"DESCRIBE {_staged(name)}")
        columns = [(row["column_name"], row["column_type"]) for row in told]
        values = [_with_12_digits(name) if kind == "DOUBLE" else f'"{name}"' for name, kind in columns]
        return f"hash({', '.join(values)})"

    def _drop(self, name: str) -> None:
        kinds = self._rows(f"SELECT table_type FROM information_schema.tables WHERE table_name = '{name}'")
        for row in kinds:
            self._do(f'DROP {"VIEW" if row["table_type"] == "VIEW" else "TABLE"} "{name}"')

    def _write(self, state: State) -> None:
        self._do(STATE)
        self._do("DELETE FROM _builds WHERE name = $name", {"name": state.table})
        self._do("INSERT INTO _builds VALUES ($1, $2, $3)", [state.table, state.key, state.seen])
        if not state.partitions:
            return
        days, (prints, changed) = list(state.partitions), zip(*state.partitions.values(), strict=True)
        facts = {"name": state.table, "days": days, "prints": prints, "changed": changed}
        self._do(
            "DELETE FROM _partitions WHERE name = $name"
            " AND (list_contains(CAST($days AS DATE[]), day) OR day IS NULL AND $whole)",
            {"name": state.table, "days": days, "whole": None in days},
        )
        self._do(
            "INSERT INTO _partitions SELECT $name, UNNEST(CAST($days AS DATE[])),"
            " UNNEST(CAST($prints AS VARCHAR[])), UNNEST(CAST($changed AS BIGINT[]))",
            facts,
        )

    @contextmanager
    def _transaction(self) -> Any:
        self._do("BEGIN")
        try:
            yield
            self._do("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise

    def _do(self, sql: str, parameters: Any = None) -> Any:
        try:
            return self._connection.execute(sql, parameters)
        except duckdb.Error as error:
            raise WarehouseError(f"DuckDB: {' '.join(str(error).split())}") from error

    def _rows(self, sql: str, parameters: Any = None) -> list[dict[str, Any]]:
        result = self._do(sql, parameters)
        names = [column[0] for column in result.description]
        json_columns = [number for number, column in enumerate(result.description) if str(column[1]) == "JSON"]
        try:
            found = result.fetchall()
        except duckdb.Error as error:
            raise WarehouseError(f"DuckDB: {' '.join(str(error).split())}") from error
        if json_columns:
            found = [_with_json(row, json_columns) for row in found]
        return [dict(zip(names, row, strict=True)) for row in found]


@lru_cache(maxsize=1024)
def _translated(sql: str, file: str = "query") -> str:
    """A portable query in DuckDB's SQL. Raises `InvalidModel`."""
    return to_duckdb(checked(sql, file))


def _staged(name: str) -> str:
    return f'"_staged_{name}"'


def _as_in_bigquery(name: str, type_: str) -> str:
    wanted = "DOUBLE" if type_.startswith("DECIMAL") else AS_IN_BIGQUERY.get(type_)
    return f'CAST("{name}" AS {wanted}) AS "{name}"' if wanted else f'"{name}"'


def _with_json(row: tuple[Any, ...], numbers: list[int]) -> tuple[Any, ...]:
    values = list(row)
    for number in numbers:
        values[number] = None if values[number] is None else json.loads(values[number])
    return tuple(values)


def _with_12_digits(column: str) -> str:
    """A number rounded to 12 significant digits; a seventh of the time of `printf`."""
    digits = f'11 - CAST(floor(log10(abs("{column}"))) AS INTEGER)'
    return f'CASE WHEN "{column}" = trunc("{column}") THEN "{column}" ELSE round("{column}", {digits}) END'
