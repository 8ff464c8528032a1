"""The portable subset: BigQuery's documented answers on DuckDB, and what is refused."""

import pytest

from tests.support import analysts

analysts.required("duckdb", "sqlglot")

import duckdb

from infra.analytics.warehouse.duckdb_engine import DuckDBEngine
from infra.analytics.warehouse.header import InvalidModel
from infra.analytics.warehouse.portable import INSTEAD, MENDED, SAME
from tests.support.vectors import VECTORS, Vector, answer, vectors


@pytest.fixture(scope="module")
def engine():
    with DuckDBEngine.of(duckdb.connect()) as engine:
        yield engine


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: vector.expression)
def test_duckdb_answers_as_bigquery_documents(engine, vector: Vector):
    assert answer(engine, vector.sql) == vector.answer


def test_every_function_of_the_subset_has_vectors_and_is_either_mended_or_not():
    functions = SAME | MENDED
    assert {name for name in VECTORS if name.upper() == name} == functions
    assert not SAME & MENDED
    assert not functions & set(INSTEAD)
    for name in functions:
        assert all(f"{name.removeprefix('SAFE.')}(" in " ".join(filter(None, row)) for row in VECTORS[name])


REFUSED = {
    "SELECT\n  CURRENT_TIMESTAMP() AS now": "line 2: expected a parameter",
    "SELECT FARM_FINGERPRINT('a') AS a": "found FARM_FINGERPRINT",
    "SELECT SAFE.SUBSTR('a', 1) AS a": "found SAFE.SUBSTR",
    "SELECT ['a'][OFFSET(0)] AS a": "expected SAFE_OFFSET",
    "SELECT ARRAY_AGG(x) AS a FROM UNNEST([1]) AS x": "expected ARRAY_AGG(... IGNORE NULLS ORDER BY ...)",
    "SELECT STRING_AGG(x, ',') AS a FROM UNNEST(['a']) AS x": "expected STRING_AGG(... ORDER BY ...)",
    "SELECT ROW_NUMBER() OVER () AS a FROM UNNEST([1]) AS x": "expected ORDER BY in the window",
    "SELECT x FROM UNNEST([1]) AS x LIMIT 1": "expected ORDER BY before LIMIT",
    "SELECT CAST('1' AS NUMERIC) AS a": "found NUMERIC",
    "SELECT CAST('1' AS DATETIME) AS a": "found DATETIME",
    "SELECT TIMESTAMP_DIFF(a, b, WEEK) AS a FROM t": "found WEEK",
    "SELECT EXTRACT(WEEK FROM a) AS a FROM t": "found WEEK",
    "SELECT FORMAT_TIMESTAMP('%A', a) AS a FROM t": "found %A",
    "SELECT TIMESTAMP('2026-03-01', 'Europe/Paris') AS a": "found a zone",
    "SELECT MD5('a') AS a": "found MD5",
    "SELECT SHA256('a') AS a": "expected TO_HEX(SHA256(...))",
    "SELECT JSON_KEYS(a) AS a FROM t": "expected JSON_KEYS(..., 1)",
    "WITH RECURSIVE a AS (SELECT 1 AS x) SELECT x FROM a": "found WITH RECURSIVE",
    "SELECT a FROM t PIVOT(SUM(b) FOR c IN ('x'))": "found Pivot",
    "SELECT a FROM t TABLESAMPLE SYSTEM (1 PERCENT)": "found TableSample",
    "SELECT a, SUM(b) AS b FROM t GROUP BY ROLLUP (a)": "found",
    "SELECT a FROM t FOR SYSTEM_TIME AS OF TIMESTAMP '2026-01-01'": "found",
    "CREATE TABLE a AS SELECT 1 AS x": "expected one SELECT",
    "SELECT 1 AS a; SELECT 2 AS a": "expected one SELECT, found 2 statements",
    "SELECT\n1 AS a,\nFROM FROM": "expected a query in BigQuery's SQL",
    "SELECT 'a": "expected BigQuery's SQL",
    "": "expected one SELECT, found 0",
    "SELECT @since AS a": "expected a value for @since",
}


@pytest.mark.parametrize(("sql", "said"), REFUSED.items())
def test_what_is_not_portable_is_refused_with_its_line(engine, sql, said):
    with pytest.raises(InvalidModel) as refusal:
        engine.rows(sql)
    assert said in str(refusal.value)
    assert "query: " in str(refusal.value)


def test_all_problems_are_told_at_once_by_line(engine):
    with pytest.raises(InvalidModel) as refusal:
        engine.rows("SELECT\n  RAND() AS a,\n  CAST('1' AS NUMERIC) AS b")
    assert [line.split(":")[1] for line in str(refusal.value).splitlines()] == [" line 2", " line 3"]


def test_parameters_have_the_type_of_their_value(engine):
    found = engine.rows("SELECT x FROM UNNEST(['a', 'b']) AS x WHERE x IN UNNEST(@some)", some=["b"])
    assert found == [{"x": "b"}]
    assert engine.rows("SELECT @text AS a, @flag AS b, @none IS NULL AS c", text="x'", flag=True, none=None) == [
        {"a": "x'", "b": True, "c": True}
    ]
    assert engine.rows("SELECT x FROM UNNEST(['a']) AS x WHERE x IN UNNEST(@some)", some=[], unused=1) == []


def test_an_offset_that_is_used_in_a_condition_and_an_order_counts_from_zero(engine):
    sql = """
      SELECT x, position FROM UNNEST(['a', 'b', 'c']) AS x WITH OFFSET AS position
      WHERE position > 0 QUALIFY ROW_NUMBER() OVER (ORDER BY position DESC) < 3 ORDER BY position
    """
    assert engine.rows(sql) == [{"x": "b", "position": 1}, {"x": "c", "position": 2}]
