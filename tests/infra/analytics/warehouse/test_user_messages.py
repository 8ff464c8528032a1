"""A user's messages from the raw tables are those of the raw log, on DuckDB and on BigQuery."""

from base64 import b64encode

import orjson
import pytest

from tests.support import analysts

analysts.required("bqemulator", "duckdb", "google.cloud.bigquery", "sqlglot")

import duckdb

from infra.analytics.warehouse.bigquery_engine import BigQueryEngine
from infra.analytics.warehouse.duckdb_engine import DuckDBEngine
from infra.analytics.warehouse.engine import Engine
from infra.analytics.warehouse.load import table_of
from infra.analytics.warehouse.user_messages import TOPICS, UserMessages
from infra.errors import UsageError
from infra.raw.folder import RAW, RawLogWriter
from infra.raw.line import Landed, from_line
from infra.raw.reader import messages_about
from tests.support import bigquery, replays
from tests.support.replays import GARBAGE, START, event, payment, trial

HELD = orjson.dumps({"user_id": "u", "event_id": "in-cloud-event"})
ODD = [
    b'{"specversion": "1.0", "data": {"user_id": "u"}}',
    orjson.dumps({"specversion": "1.0", "data_base64": b64encode(HELD).decode()}),
    b'{"user_id": "\\u0075"}',
    b'\xff"u"',
    b"",
]
"""Events that name the user in other ways."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    bad = event("payment", "u", 20, "bad", outcome="succeeded")
    lines = [trial(), payment(), payment("other"), bad, *GARBAGE]
    kept = replays.run(tmp_path_factory.mktemp("kept"), *lines, keep_store=True).folder / RAW
    with RawLogWriter(kept, ["payment"]) as log:
        log.append("payment", [Landed("s", f"odd-{number}", START, {}, data) for number, data in enumerate(ODD)])
    return kept


@pytest.fixture(scope="module", params=["DuckDB", pytest.param("BigQuery", marks=pytest.mark.slow)])
def engine(request, folder):
    if request.param == "DuckDB":
        with DuckDBEngine.of(duckdb.connect()) as engine:
            yield filled(engine, folder)
        return
    with bigquery.running() as address:
        client = bigquery.client_of(address)
        client.create_dataset("upbeat")
        with BigQueryEngine(client, "upbeat", "upbeat") as engine:
            yield filled(engine, folder)


def filled(engine: Engine, folder):
    for topic in TOPICS:
        lines = (folder / f"{topic}.jsonl").read_bytes().splitlines()
        engine.land(table_of(topic), map(from_line, lines))
    return engine


@pytest.mark.parametrize("user", ["u", "other", "nobody", "it's \" odd\\"])
def test_the_tables_tell_of_a_user_what_the_files_tell(engine, folder, user):
    """Of events whose user may be hidden behind an escape, the tables tell the user's own alone.

    The emulator makes NULL of bytes that are no UTF-8, and BigQuery text.
    """
    told = UserMessages(engine).read(user)
    hidden = {"odd-1", "odd-2"} if user != "u" else set()
    hidden |= {"odd-3"} if isinstance(engine, BigQueryEngine) else set()
    expected = [one for one in messages_about(folder, user).messages if one.delivery.message_id not in hidden]
    assert told == expected
    assert bool(told) == (user in {"u", "other"})


def test_the_bytes_that_are_read_are_told_before(engine):
    assert UserMessages(engine).size("u") >= 0


def test_topics_without_a_table_are_left_out_and_a_warehouse_without_any_is_refused():
    with DuckDBEngine.of(duckdb.connect()) as engine:
        with pytest.raises(UsageError, match="expected a warehouse with raw tables"):
            UserMessages(engine)
        message = Landed("s", "1", START, {}, HELD)
        engine.land("raw_payment", [message])
        (told,) = UserMessages(engine).read("u")
        assert (told.topic, told.delivery.data) == ("payment", HELD)
