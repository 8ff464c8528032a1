"""A user's messages from the raw tables are those of the raw log, on DuckDB and on BigQuery."""

from base64 import b64encode

import orjson
import pytest

from tests.support import analysts

analysts.required("bqemulator", "duckdb", "google.cloud.bigquery", "sqlglot")

import duckdb

from infra.analytics.warehouse import bigquery_engine
from infra.analytics.warehouse.bigquery_engine import BigQueryEngine
from infra.analytics.warehouse.duckdb_engine import DuckDBEngine
from infra.analytics.warehouse.engine import Engine
from infra.analytics.warehouse.landed_tables import LandedTables
from infra.analytics.warehouse.load import table_of
from infra.analytics.warehouse.user_messages import TOPICS, UserMessages
from infra.commands.raw_log import DATASET, read_raw_log
from infra.errors import UsageError
from infra.raw.folder import RAW, RawLogWriter
from infra.raw.line import Landed, from_line
from infra.raw.reader import messages_about, messages_of
from infra.topology import ROOT
from tests.support import bigquery, replays
from tests.support.replays import GARBAGE, START, event, payment, trial

HELD = orjson.dumps({"user_id": "u", "event_id": "in-cloud-event"})
pytestmark = pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result")
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


def test_a_copy_of_the_tables_is_the_raw_log(engine, folder, tmp_path):
    LandedTables(engine).copy(tmp_path)
    assert messages_of(tmp_path, TOPICS) == messages_of(folder, TOPICS)


@pytest.mark.slow
def test_a_project_is_told_from_bigquery_where_its_tables_are_there(folder, monkeypatch, capsys):
    with bigquery.running() as address:
        client = bigquery.client_of(address)
        monkeypatch.setattr(bigquery_engine, "Client", lambda project: client)  # noqa: ARG005
        client.create_dataset("upbeat")
        empty = read_raw_log("u", None, None, bigquery.PROJECT)
        with BigQueryEngine(client, "upbeat", "upbeat") as engine:
            filled(engine, folder)
            told = read_raw_log("u", None, None, bigquery.PROJECT)
    assert empty.messages is None
    assert empty.gap.startswith("BigQuery was not read: expected a warehouse with raw tables")
    assert len(told.messages) == len(messages_about(folder, "u").messages) - 1  # see above
    assert told.place == f"bigquery:{bigquery.PROJECT}.upbeat"
    assert "GB of bigquery:test-project.upbeat (--raw none leaves it out)" in capsys.readouterr().err


def test_a_project_without_credentials_for_bigquery_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    told = read_raw_log("u", None, None, "some-project")
    assert told.messages is None
    assert told.gap.startswith("BigQuery was not read: BigQuery: File")


def test_the_raw_tables_of_a_file_are_a_raw_log(folder, tmp_path):
    file = str(tmp_path / "w.duckdb")
    with DuckDBEngine.at(file) as engine:
        filled(engine, folder)
    told = read_raw_log("u", file, None, None)
    assert told.messages == messages_about(folder, "u").messages
    with pytest.raises(UsageError, match=r"gone\.duckdb: expected a warehouse, found none"):
        read_raw_log("u", str(tmp_path / "gone.duckdb"), None, None)


def test_the_dataset_is_the_one_that_terraform_lays():
    terraform = (ROOT / "infra" / "terraform" / "warehouse.tf").read_text()
    assert f'dataset_id  = "{DATASET}"' in terraform


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
