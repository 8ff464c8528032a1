"""Model files: what a header and a query must be, and the line of each mistake."""

import pytest

from tests.support import analysts

analysts.required("duckdb", "sqlglot")

from infra.analytics.warehouse.docs_page import page
from infra.analytics.warehouse.header import InvalidModel, read_header
from infra.analytics.warehouse.models import read_models, stored_inputs
from tests.support.warehouses import DAILY, SEEN, STAGED, TOTAL, models

GOOD = """\
-- description: One row.
-- materialized: table
-- columns:
--   a: A number.
SELECT 1 AS a
"""
BAD_HEADERS = {
    "SELECT 1 AS a": "line 1: expected a header",
    GOOD.replace("One row.", "One row"): "line 1: description: expected a sentence that ends with a full stop",
    GOOD.replace("table", "tabel"): "line 2: materialized: Input should be 'view', 'table' or 'incremental'",
    GOOD.replace("-- materialized: table\n", ""): "line 1: materialized: expected it, found none",
    GOOD.replace("columns", "colums"): "line 3: colums: expected a known key, found another",
    GOOD.replace("a: A number.", "a: A number"): "line 4: columns: a: expected a sentence",
    GOOD.replace("-- materialized", "-- materialized: view\n-- materialized"): "expected each key once",
    GOOD.replace("-- columns", "-- - columns"): "line 3",
    GOOD.replace(
        "-- columns", "-- unique: [b]\n-- columns"
    ): "expected columns that the header describes, found b",
    GOOD.replace("-- columns", "-- lookback: 3\n-- columns"): "expected a lookback for incremental models",
    GOOD.replace("table", "incremental"): "expected a lookback for incremental models",
    GOOD.replace("-- columns", "-- lookback: -1\n-- columns"): "line 3: lookback",
    GOOD.replace(
        "-- columns", "-- require_partition_filter: true\n-- columns"
    ): "expected a partition where its filter",
    GOOD.replace("-- columns", "-- tests: {not_null: [b]}\n-- columns"): "found b",
    GOOD.replace(
        "-- columns", "-- tests: {fresh: {column: a, hours: 0}}\n-- columns"
    ): "line 3: tests: fresh: hours",
}


@pytest.mark.parametrize(("text", "said"), BAD_HEADERS.items())
def test_a_mistake_in_a_header_is_told_with_file_and_line(text, said):
    with pytest.raises(InvalidModel) as refusal:
        read_header(text, "a.sql")
    assert said in str(refusal.value)
    assert str(refusal.value).startswith("a.sql: ")


BAD_QUERIES = {
    "total": {
        TOTAL.replace("FROM seen", "FROM sen"): "total.sql: line 6: expected a model or a landed table, found sen",
        TOTAL.replace("SUM(amount) AS amount, COUNT(*) AS days", "*"): "line 6: expected the columns by name",
        TOTAL.replace("AS days", "AS number"): "line 6: expected a sentence for number under columns, found none",
        TOTAL.replace(" AS days", ""): "line 6: expected a name for each column, found COUNT(*)",
        TOTAL.replace("--   days: Days with a payment.\n", ""): "expected a sentence for days",
        TOTAL.replace(
            ", COUNT(*) AS days", ""
        ): "line 1: expected the described columns in the result, found no days",
        TOTAL.replace(
            "FROM seen", "FROM stg_payment"
        ): "line 6: expected a filter of stg_payment that compares its publish_date",
        TOTAL.replace(
            "FROM seen", "FROM raw_payment"
        ): "expected a filter of raw_payment that compares its publish_time",
        TOTAL.replace(
            "FROM seen", "FROM seen WHERE day > @since"
        ): "line 1: expected @since, the first day to compute",
        TOTAL.replace("FROM seen", "FROM seen WHERE day > @then"): "expected no parameter but @since, found @then",
        TOTAL.replace(
            "SELECT", "WITH daily AS (SELECT 1 AS x) SELECT"
        ): "expected WITH to define a name that no model has",
        TOTAL.replace("SUM(amount)", "ANY_VALUE(amount)"): "line 6: expected MIN or MAX",
    },
    "daily": {
        DAILY.replace(">= @since", "> occurred_at"): "expected a filter of stg_payment",
        DAILY.replace("publish_date >= @since", "DATE_ADD(publish_date, INTERVAL 1 DAY) >= @since"): (
            "line 12: expected publish_date by itself in a filter of stg_payment, found DATE_ADD"
        ),
        DAILY.replace("publish_date >= @since", "publish_date >= @since OR amount > 3"): "expected a filter",
        DAILY.replace("WHERE publish_date >= @since", ""): "line 1: expected @since",
    },
    "seen": {SEEN.replace("FROM daily", "FROM total AS daily"): "expected models without a cycle, found"},
}
CASES = [(name, text, said) for name, texts in BAD_QUERIES.items() for text, said in texts.items()]


@pytest.mark.parametrize(("name", "text", "said"), CASES)
def test_a_mistake_in_a_query_is_told_with_file_and_line(tmp_path, name, text, said):
    with pytest.raises(InvalidModel) as refusal:
        models(tmp_path, **{name: text})
    assert said in str(refusal.value)


def test_a_cycle_is_told_by_name(tmp_path):
    with pytest.raises(InvalidModel, match=r"found (seen -> total -> seen|total -> seen -> total)"):
        models(
            tmp_path, seen=SEEN.replace("FROM daily", "FROM (SELECT DATE '2026-03-01' AS day, amount FROM total)")
        )


def test_filters_that_let_bigquery_skip_partitions_are_enough(tmp_path):
    for condition in (
        "publish_date BETWEEN DATE '2026-01-01' AND DATE '2026-02-01'",
        "(amount > 1 OR amount < 0) AND stg_payment.publish_date = DATE '2026-01-01'",
        "publish_date IN (DATE '2026-01-01')",
        "DATE '2026-01-01' <= publish_date",
    ):
        models(tmp_path, total=TOTAL.replace("FROM seen", f"FROM stg_payment WHERE {condition}"))


def test_a_view_over_a_large_table_hands_the_filter_on(tmp_path):
    view = SEEN.replace("-- columns", "-- partition: day\n-- require_partition_filter: true\n-- columns")
    view = view.replace("FROM daily", "FROM stg_payment").replace("SELECT day", "SELECT publish_date AS day")
    with pytest.raises(InvalidModel, match=r"total\.sql: line 6: expected a filter of seen that compares its day"):
        models(tmp_path, seen=view)
    models(tmp_path, seen=view, total=TOTAL.replace("FROM seen", "FROM seen WHERE day >= DATE '2026-03-01'"))


def test_all_files_are_checked_before_any_is_refused(tmp_path):
    with pytest.raises(InvalidModel) as refusal:
        models(tmp_path, total=TOTAL.replace("SUM", "RAND"), daily=DAILY.replace("SUM", "RAND"))
    assert [line.split(":")[0].rpartition("/")[2] for line in str(refusal.value).splitlines()] == [
        "daily.sql",
        "total.sql",
    ]


def test_a_name_is_given_once(tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "total.sql").write_text(TOTAL)
    with pytest.raises(InvalidModel, match="expected each model once, found it also in"):
        models(tmp_path)


def test_inputs_are_seen_through_views(tmp_path):
    assert stored_inputs("total", models(tmp_path)) == {"daily"}


def test_the_page_has_every_model_column_and_link(tmp_path):
    text = page(models(tmp_path))
    assert "| [total](#total) | [seen](#seen) |" in text
    assert "| `payments` | How many. |" in text
    assert "- Read by [daily](#daily)." in text
    assert "- A user_id in each row." in text
    assert "A query must compare `publish_date` with a constant." in text


def test_the_shipped_models_pass():
    read_models()
    assert STAGED
