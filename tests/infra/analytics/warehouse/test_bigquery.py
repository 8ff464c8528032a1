"""BigQuery: the same models, rows and answers through the real client, asked of the emulator."""

import pytest

from tests.support import analysts

analysts.required("bqemulator", "duckdb", "google.cloud.bigquery", "sqlglot")

import duckdb

from infra.analytics.warehouse import engine as engines
from infra.analytics.warehouse.bigquery_engine import BigQueryEngine
from infra.analytics.warehouse.checks import check, read_assertions
from infra.analytics.warehouse.duckdb_engine import DuckDBEngine
from infra.analytics.warehouse.engine import State
from infra.errors import UsageError
from tests.support import bigquery
from tests.support.vectors import answer, vectors
from tests.support.warehouses import START, UNCHANGED, built, models, payment

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result"),
]
TABLES = {
    "stg_payment": "message_id, user_id, occurred_at, amount, publish_date",
    "daily": "day, payments, amount",
    "seen": "day, amount",
    "total": "amount, days",
}


@pytest.fixture(scope="module")
def address():
    with bigquery.running() as address:
        yield address


@pytest.fixture(scope="module")
def plain(address):
    """An engine for queries of no table."""
    with BigQueryEngine(bigquery.client_of(address), "nothing", "nothing") as engine:
        yield engine


@pytest.fixture
def engine(address, request):
    """An engine with datasets of its own, one for models and one for landed messages."""
    client = bigquery.client_of(address)
    name = "".join(letter for letter in request.node.name if letter.isalnum())[-40:]
    client.create_dataset(f"raw_{name}")
    client.create_dataset(f"models_{name}")
    with BigQueryEngine(client, f"models_{name}", f"raw_{name}") as engine:
        yield engine


def rows_of(engine):
    return {
        name: sorted(engine.rows(f"SELECT {columns} FROM {name}"), key=_first)  # noqa: S608 - our own names
        for name, columns in TABLES.items()
    }


def _first(row):
    return str(next(iter(row.values())))


def both(engine, folder, *batches):
    """What runs after each batch of messages did and left on BigQuery, and on DuckDB."""
    known = models(folder)
    with DuckDBEngine.of(duckdb.connect()) as other:
        for warehouse in (engine, other):
            done = []
            for batch in batches:
                warehouse.land("raw_payment", batch)
                done.append(built(warehouse, known))
            yield done, rows_of(warehouse)


FIRST = [payment(number, number / 2) for number in range(20)]
LATE = [payment(99, 9), payment(98, 9.5, occurred=0), payment(97, 3)._replace(data=b"garbage")]


def test_runs_change_the_same_partitions_and_leave_the_same_rows(engine, tmp_path):
    (done, rows), (done_on_duckdb, rows_on_duckdb) = both(engine, tmp_path, FIRST, [], LATE, LATE)
    assert done == done_on_duckdb
    assert rows == rows_on_duckdb
    assert done[1] == done[3] == UNCHANGED
    assert done[2]["daily"] == ("replaced", [0, 9])


def test_messages_land_once(engine):
    odd = payment(1, 1)._replace(data=b"\xff\x00", attributes={"a": "it's"})
    assert engine.land("raw_payment", [*FIRST, odd, odd]) == 21
    assert engine.land("raw_payment", [odd, *FIRST]) == 0
    (row,) = engine.rows(
        "SELECT * FROM raw_payment WHERE message_id = '1' AND publish_time = @at", at=odd.publish_time
    )
    assert row == odd._asdict()


def test_columns_are_described_and_the_partition_is_the_models(engine, tmp_path):
    engine.land("raw_payment", FIRST)
    built(engine, models(tmp_path))
    table = engine._client.get_table(engine._address("stg_payment"))
    assert table.description == "Payments, each once."
    assert {field.name: field.description for field in table.schema}["amount"] == "Minor units."


def test_assertions_are_answered(engine, tmp_path):
    known = models(tmp_path)
    engine.land("raw_payment", [payment(1, 1), payment(1, 2)])
    built(engine, known)
    found = {each.name: each.failures for each in check(engine, read_assertions(known, tmp_path), START)}
    assert found["stg_payment.unique"] == [{"message_id": "1", "number_of_rows": 2}]
    assert found["stg_payment.not_null.user_id"] == []


def test_states_with_odd_names_are_remembered(engine):
    state = State("file:/tmp/it's \\ odd", "key", 3, {None: ("1:2", 3), START.date(): ("a", 1)})
    engine.remember([state])
    engine.remember([state])
    assert engine.recall() == [state]


def test_parameters_have_the_type_of_their_value(plain):
    sql = "SELECT @text AS a, @flag AS b, @number AS c, @share AS d, @at AS e, DATE(@at) = @day AS f"
    values = {"text": "it's", "flag": True, "number": 3, "share": 0.5, "at": START, "day": START.date()}
    assert plain.rows(sql, **values) == [{"a": "it's", "b": True, "c": 3, "d": 0.5, "e": START, "f": True}]
    chosen = "SELECT x FROM UNNEST(['a', 'b']) AS x WHERE x IN UNNEST(@some)"
    assert plain.rows(chosen, some=["b"]) == [{"x": "b"}]
    assert plain.rows(chosen, some=[]) == []


@pytest.mark.parametrize("place", ["p", "p.d", "my-project", "my-project.d?raw=", "my-project.a.b", "My.d"])
def test_an_address_that_makes_no_sense_is_refused(place):
    with pytest.raises(UsageError, match="expected bigquery:PROJECT"):
        engines.open_engine(f"bigquery:{place}")


# The emulator translates with sqlglot to DuckDB, and errs in these as either does.
EMULATOR_ERRS = (
    "ARRAY_AGG(x IGNORE NULLS ORDER BY x LIMIT 2)",
    "CAST(2.5 AS INT64)",
    "CAST(-2.5 AS INT64)",
    "CAST(1.0 AS STRING)",
    "CAST(TIMESTAMP '2026-03-01 09:00:00.5+00' AS STRING)",
    'JSON_KEYS(PARSE_JSON(\'{"b": {"c": 1}, "a": 2}\'), 1)',
    "JSON_QUERY(PARSE_JSON('{\"a\": {\"b\": [1, 2]}}'), '$.a.b')",
    "JSON_QUERY_ARRAY(PARSE_JSON('{\"a\": 1}'), '$.a')",
    "JSON_TYPE(",
    "JSON_VALUE_ARRAY(PARSE_JSON('{\"a\": [{}]}'), '$.a')",
    "JSON_VALUE_ARRAY(PARSE_JSON('{\"a\": 1}'), '$.a')",
    "SAFE.PARSE_JSON('NaN')",
    "SAFE.PARSE_JSON('[1,]')",
    "SAFE_CAST('1.5' AS INT64)",
    "SAFE_CAST('1_000' AS INT64)",
    "SAFE_CAST('1' AS BOOL)",
    "SAFE_CAST('infinity' AS TIMESTAMP)",
    "SAFE_CONVERT_BYTES_TO_STRING(FROM_BASE64('wg=='))",
    "SUBSTR('apple', 0, 2)",
    "SUBSTR('apple', -9, 2)",
    "TIMESTAMP_DIFF(",
    "TRIM('\\ta\\n')",
    "UNIX_MILLIS(",
    "UNIX_SECONDS(",
)


def test_the_emulator_gives_a_second_opinion_of_the_vectors(plain):
    asked = [
        each for each in vectors() if each.answer != "error" and not each.expression.startswith(EMULATOR_ERRS)
    ]
    answers = {vector.expression: answer(plain, vector.sql) for vector in asked}
    assert len(asked) > 150
    assert answers == {vector.expression: vector.answer for vector in asked}
