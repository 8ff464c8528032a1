"""The statements take of the raw tables what is taken of the files of a raw log, on DuckDB and on BigQuery."""

import shlex
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from tests.support import analysts

analysts.required("bqemulator", "duckdb", "google.cloud.bigquery", "sqlglot")

import duckdb
from google.api_core.exceptions import BadRequest

from infra.analytics.warehouse.bigquery_engine import BigQueryEngine
from infra.analytics.warehouse.duckdb_engine import DuckDBEngine
from infra.analytics.warehouse.erasure import UserRemoval, script_for
from infra.analytics.warehouse.errors import WarehouseError
from infra.analytics.warehouse.load import table_of
from infra.errors import UsageError
from infra.raw.erased import Erased
from infra.raw.line import Landed
from shared.contracts.outbound.dead_letter import SOURCE_SUBSCRIPTION
from tests.support import bigquery

pytestmark = pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result")
AT = datetime(2026, 3, 1, tzinfo=UTC)
BEFORE, AFTER = "2026-02-28T23:59:59Z", "2026-03-01T00:00:01Z"
ADA = Erased.whole("ada", AT)
ODD = 'it\'s "odd"\\'


def base64(data):
    return b64encode(data).decode()


def letter(held, attributes=None):
    return {"topic": "payment", "reason": "invalid", "data_base64": base64(held), "attributes": attributes or {}}


def said(user, occurred_at=BEFORE, **more):
    return {"user_id": user, "occurred_at": occurred_at} | more


def messages(user):
    """Messages that name a user in every way, and some of which the user is only a part; by topic."""
    cloud_event = {"specversion": "1.0", "id": "1"}
    return {
        "payment": [
            said(user),
            said(user, AFTER),
            said(user, "2026-03-01T00:00:00.000001Z"),
            said(user, "2026-03-01T01:00:00+02:00"),
            said(user, "yesterday"),
            said(user, "2036-03-01T00:00:00Z"),
            said(user, AFTER, decided_at=BEFORE),
            said(user, None),
            said(user + "2"),
            said(user[:-1]),
            said("eve", note=user, friend={"user_id": user}),
            said("eve", data={"user_id": user}),
            said(None, note=user),
            said({"id": user}),
            {"note": user},
            {"note": f"{user}2"},
            cloud_event | {"data": said(user)},
            cloud_event | {"data": said(user, AFTER)},
            cloud_event | {"data": said("eve", note=user)},
            cloud_event | {"data": {"user_id": user}, "time": AFTER},
            cloud_event | {"user_id": user, "data": said("eve")},
            cloud_event | {"data_base64": base64(orjson.dumps(said(user)))},
            cloud_event | {"data_base64": base64(orjson.dumps(said(user, AFTER)))},
            cloud_event | {"data_base64": base64(orjson.dumps(said("eve", note=user)))},
            b'{"user_id": ' + orjson.dumps(user),
            f"about {user}".encode(),
            b"[]",
            b"",
        ],
        "decision": [
            said(user, AFTER, decided_at=BEFORE),
            said(user, BEFORE, decided_at=AFTER),
            said(user, decided_at="2026-03-01T00:00:05Z"),
            said(user, decided_at="2026-03-01T00:00:05.000001Z"),
            said(user),
            said(user, decided_at="then"),
            said("eve", decided_at=BEFORE, note=user),
        ],
        "dead-letter": [
            letter(orjson.dumps(said(user))),
            letter(orjson.dumps(said(user, AFTER))),
            letter(orjson.dumps(said(user, "2036-03-01T00:00:00Z"))),
            letter(orjson.dumps(said("eve", note=user))),
            letter(b'{"user_id": ' + orjson.dumps(user)),
            letter(orjson.dumps(cloud_event | {"data": said(user)})),
            letter(b"", {"note": user}),
            letter(b"garbage", {"user_id": user}),
            letter(b"garbage", {"user_id": user + "2"}),
            letter(orjson.dumps(said("eve")), {"user_id": user}),
            said(user),
            said(user, AFTER),
        ],
    }


def landed(user):
    """The messages by topic, each published before the instant and again after it."""
    return {
        topic: [
            Landed("s", f"{number}-{hours}", AT + timedelta(hours=hours), attributes_of(body), data_of(body))
            for number, body in enumerate(bodies)
            for hours in (-1, 1)
        ]
        for topic, bodies in messages(user).items()
    }


def data_of(body):
    return body if isinstance(body, bytes) else orjson.dumps(body)


def attributes_of(body):
    forwarded = isinstance(body, dict) and "data_base64" not in body and "decided_at" not in body
    return {SOURCE_SUBSCRIPTION: "payment"} if forwarded else {}


@pytest.fixture
def on_duckdb():
    with DuckDBEngine.of(duckdb.connect()) as engine:
        yield engine


@pytest.fixture(scope="module")
def on_bigquery():
    with bigquery.running() as address:
        client = bigquery.client_of(address)
        client.create_dataset("upbeat")
        with BigQueryEngine(client, "upbeat", "upbeat") as engine:
            yield engine


def left(engine, topic):
    sql = "SELECT message_id FROM {} WHERE publish_time >= TIMESTAMP '1990-01-01 00:00:00+00'"
    return {row["message_id"] for row in engine.rows(sql.format(table_of(topic)))}


def check(engine, user):
    erased, log = Erased(user, AT, AT + timedelta(seconds=5)), landed(user)
    for topic, each in log.items():
        engine.land(table_of(topic), each)
    kept = {
        topic: {one.message_id for one in each if not erased.covers_landed(topic, one)}
        for topic, each in log.items()
    }
    expected = {table_of(topic): len(each) - len(kept[topic]) for topic, each in log.items()}
    removal = UserRemoval(engine)
    assert {done.table: done.rows for done in removal.count(erased)} == expected
    assert {done.table: done.rows for done in removal.remove(erased)} == expected
    assert {topic: left(engine, topic) for topic in log} == kept
    assert not any(done.rows for done in removal.remove(erased))


@pytest.mark.parametrize("user", ["ada", ODD, "123", "%_"])
def test_the_statements_take_of_duckdb_what_is_taken_of_the_files(on_duckdb, user):
    check(on_duckdb, user)


@pytest.mark.slow
def test_the_statements_take_of_bigquery_what_is_taken_of_the_files(on_bigquery):
    check(on_bigquery, ODD)


class Refusing:
    """A client whose jobs fail for one table."""

    project = "some-project"

    def __init__(self, words):
        self.words, self.asked = words, []

    def list_tables(self, _dataset):
        class Table:
            def __init__(self, topic):
                self.table_id, self.table_type = table_of(topic), "TABLE"

        return [Table(topic) for topic in ("payment", "decision")]

    def query(self, sql, job_config):
        self.asked.append((sql, job_config))
        if "raw_payment" in sql:
            raise BadRequest(self.words)
        return self

    def result(self):
        return []

    num_dml_affected_rows = 2


BUFFER = (
    "UPDATE or DELETE statement over table t would affect rows in the streaming buffer, which is not supported"
)


def test_a_table_with_rows_that_have_just_come_is_told_and_the_others_are_done():
    client = Refusing(BUFFER)
    removal = UserRemoval(BigQueryEngine(client, "upbeat", "upbeat"))
    assert {done.table: (done.rows, done.is_too_fresh) for done in removal.remove(ADA)} == {
        "raw_payment": (0, True),
        "raw_decision": (2, False),
    }


def test_any_other_refusal_is_an_error():
    removal = UserRemoval(BigQueryEngine(Refusing("no permission"), "upbeat", "upbeat"))
    with pytest.raises(WarehouseError, match="no permission"):
        removal.remove(ADA)


def test_no_statement_holds_a_users_id_which_goes_by_parameters():
    client = Refusing(BUFFER)
    UserRemoval(BigQueryEngine(client, "upbeat", "upbeat")).remove(Erased.whole(ODD, AT))
    for sql, config in client.asked:
        assert "odd" not in sql
        assert {each.name: each.value for each in config.query_parameters}["user"] == ODD


def test_the_script_has_a_statement_for_each_table_and_the_id_in_its_command_alone():
    command, *lines = script_for(Erased.whole(ODD, AT), ["payment", "dead-letter"], "p.upbeat").split("\n")
    words = shlex.split(command.removeprefix("-- "))
    assert f"--parameter=user:STRING:{ODD}" in words
    assert "--parameter=until:TIMESTAMP:2026-03-01T00:00:00Z" in words
    assert "--parameter=decided_until:TIMESTAMP:2026-03-01T00:00:00Z" in words
    text = "\n".join(lines)
    assert "odd" not in text
    statements = text.removesuffix(";").split(";\n")
    assert len(statements) == 2
    for statement, table in zip(statements, ("raw_payment", "raw_dead_letter"), strict=True):
        first, second, *_ = statement.split("\n")
        assert first.endswith(f" `p.upbeat.{table}`")
        assert second.startswith("WHERE publish_time >= ")
        assert f"FROM `p.upbeat.{table}` AS {table}" in statement


def test_a_warehouse_without_raw_tables_is_refused(on_duckdb):
    with pytest.raises(UsageError, match="expected a warehouse with raw tables"):
        UserRemoval(on_duckdb)
