"""The script for BigQuery writes the rows that the client writes, and remembers them alike."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support import analysts

analysts.required("duckdb", "sqlglot")

import duckdb
import sqlglot

from infra.analytics.features.changes import Changes, Queries
from infra.analytics.features.rows import as_json
from infra.analytics.features.statement import export_script, rows_of
from infra.analytics.warehouse.engine import open_engine
from infra.errors import UsageError
from shared.adapters.gcp.feature_rows import decode, encode, row_key

TABLE = "projects/p/instances/upbeat/tables/user_features"
NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
FEATURES = ("value", "segment", "vip")
QUERIES = Queries(FEATURES, timedelta(hours=24))
ROWS = {
    "anna": (NOON, 120.5, "gold", True),
    "ben": (NOON, -3.0, None, False),
    "émile#1": (NOON, None, 'a "b" \\ ✓', None),
}


def in_duckdb(warehouse: str, sql: str) -> list[tuple[Any, ...]]:
    """What a statement of BigQuery gives there, as far as sqlglot translates it."""
    (translated,) = sqlglot.transpile(sql, read="bigquery", write="duckdb")
    with duckdb.connect(warehouse) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(translated).fetchall()


def statements() -> list[str]:
    return [one.strip() for one in export_script(QUERIES, FEATURES, TABLE).split(";\n") if one.strip()]


def test_it_names_the_table_its_profile_and_the_columns() -> None:
    make, export, remember = statements()
    assert "CREATE TABLE IF NOT EXISTS features_exported AS SELECT user_id, as_of, value, segment, vip" in make
    assert (
        "uri = 'https://bigtable.googleapis.com/projects/p/instances/upbeat/appProfiles/export/tables/" in export
    )
    assert "format = 'CLOUD_BIGTABLE'" in export
    assert remember.startswith("CREATE OR REPLACE TABLE features_exported AS")
    assert [sqlglot.parse_one(one, read="bigquery") for one in (make, remember)]


def test_its_rows_are_those_of_the_client(warehouse, put) -> None:
    put(ROWS)
    make, _, remember = statements()
    in_duckdb(warehouse, make)
    found = in_duckdb(warehouse, rows_of(QUERIES.changed, FEATURES))
    assert {row[0].encode(): {name: decode(cell.encode()) for name, cell in row[1].items()} for row in found} == {
        row_key(user): {
            name: decode(encode(as_json(name, value))) for name, value in zip(FEATURES, values, strict=True)
        }
        for user, (_, *values) in ROWS.items()
    }
    assert {(row[2]["by"], row[3]) for row in found} == {("upbeat", NOON.replace(microsecond=123000))}
    in_duckdb(warehouse, remember)
    assert in_duckdb(warehouse, rows_of(QUERIES.changed, FEATURES)) == []


def test_what_disappeared_is_left_to_the_next_export_by_the_client(warehouse, put) -> None:
    put(ROWS)
    make, _, remember = statements()
    in_duckdb(warehouse, make)
    in_duckdb(warehouse, remember)
    put({"anna": (NOON, 1.0, None, None)})
    in_duckdb(warehouse, remember)
    with open_engine(warehouse) as engine:
        changes = Changes(engine, timedelta(hours=24))
        assert [*changes.rows()] == []
        assert sorted(row.user_id for row in changes.gone()) == ["ben", "émile#1"]


@pytest.mark.parametrize("table", ["user_features", "projects/p/instances/i/tables/t'; DROP TABLE x", ""])
def test_a_table_that_is_not_named_in_full_is_refused(table: str) -> None:
    with pytest.raises(
        UsageError, match="--table: expected projects/PROJECT/instances/INSTANCE/tables/TABLE, found"
    ):
        export_script(QUERIES, FEATURES, table)


@pytest.mark.parametrize("name", ["a b", "a;b", "1a", "a-b", "ä", ""])
def test_a_feature_that_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="expected the names of features, found"):
        Queries([name], timedelta(hours=1))
