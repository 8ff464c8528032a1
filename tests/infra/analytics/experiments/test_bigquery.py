"""The report on BigQuery, as the emulator answers through the real client: the same numbers as on DuckDB."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import analysts

analysts.required("bqemulator", "duckdb", "google.cloud.bigquery", "numpy", "pyarrow", "scipy", "tea_tasting")

from infra.analytics.experiments.guard import guarded
from infra.analytics.experiments.report import report
from infra.analytics.warehouse.bigquery_engine import BigQueryEngine
from infra.analytics.warehouse.duckdb_engine import DuckDBEngine
from tests.support import bigquery
from tests.support.experiment_rows import COLUMNS, Plan, duckdb_of, history

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result")]
PLAN = Plan(users=150, duplicated=0.1, held_out=0.2, terms={"auto_stop": True}, windows=(7,))
TYPES = {
    "VARCHAR": "STRING",
    "DOUBLE": "FLOAT64",
    "BIGINT": "INT64",
    "BOOLEAN": "BOOL",
    "TIMESTAMPTZ": "TIMESTAMP",
}
CREATED, INSERTED = "CREATE TABLE models.{} ({})", "INSERT INTO models.{} ({}) VALUES {}"


@pytest.fixture(scope="module")
def engines() -> Iterator[tuple[Any, Any]]:
    """The same history in BigQuery and in DuckDB."""
    tables = history(PLAN, 1)
    with bigquery.running() as address:
        client = bigquery.client_of(address)
        for dataset in ("models", "raw"):
            client.create_dataset(dataset)
        for name in COLUMNS:
            for statement in statements(name, tables.get(name)):
                client.query(statement).result()
        with (
            BigQueryEngine(client, "models", "raw") as in_bigquery,
            DuckDBEngine.of(duckdb_of(tables)) as in_duckdb,
        ):
            yield in_bigquery, in_duckdb


def statements(name: str, table: Any) -> Iterator[str]:
    kinds = dict(column.strip().split(" ") for column in COLUMNS[name].split(","))
    yield CREATED.format(name, ", ".join(f"{column} {TYPES.get(kind, kind)}" for column, kind in kinds.items()))
    if table is not None:
        rows = (", ".join(literal(row[column], kinds[column]) for column in row) for row in table.to_pylist())
        yield INSERTED.format(name, ", ".join(table.column_names), ", ".join(f"({row})" for row in rows))


def literal(value: Any, kind: str) -> str:
    if value is None:
        return "NULL"
    if kind == "TIMESTAMPTZ":
        return f"TIMESTAMP '{value:%Y-%m-%d %H:%M:%S}+00'"
    if kind in {"DATE", "JSON"}:
        return f"{kind} '{value}'"
    return repr(value).upper() if kind == "BOOLEAN" else repr(value)


def alike(one: Any, other: Any) -> bool:
    """True for the same values, floats to nine digits."""
    if isinstance(one, float):
        return one == pytest.approx(other, rel=1e-9, abs=1e-12)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    if hasattr(one, "__slots__"):
        return all(alike(getattr(one, name), getattr(other, name)) for name in one.__slots__)
    return bool(one == other)


@pytest.mark.parametrize("id_", ["gift", "holdout/everything"])
def test_both_engines_give_one_report(engines, id_: str) -> None:
    in_bigquery, in_duckdb = (report(engine, id_) for engine in engines)
    assert any(one.best for one in in_duckdb.comparisons)
    assert alike(in_bigquery, in_duckdb)


def test_both_engines_give_one_verdict(engines) -> None:
    in_bigquery, in_duckdb = (list(guarded(engine)) for engine in engines)
    assert alike(in_bigquery, in_duckdb)
    assert in_duckdb[0].tested
