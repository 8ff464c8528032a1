"""The shipped models on BigQuery, as its emulator answers: equal to DuckDB's to the row."""

import pytest

from tests.support import analysts

analysts.required("bqemulator", "duckdb", "google.cloud.bigquery", "sqlglot", "pyarrow")

from infra.analytics.warehouse.bigquery_engine import BigQueryEngine
from infra.raw.line import from_line
from tests.support import bigquery, experiment_history
from tests.support.raw_rows import MODELS, Warehouse, landed, letter, paid, tick, verdict

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result")]
USERS = 6
WRONG = paid("u0", 1, "wrong", amount=-5)
ODD = [
    landed("payment", b"\xff", 1),
    landed("payment", b"{", 2),
    landed("decision", b"[]", 2),
    landed("trigger-feedback", {"specversion": "1.0", "id": "a", "data": {"user_id": "u", "kind": "clicked"}}, 2),
    landed("user-erasure", {"event_id": "e", "user_id": "gone", "occurred_at": "2026-01-02T00:00:00Z"}, 2),
    WRONG,
    letter(WRONG),
    paid("u0", 1, "wrong", amount=5, published=3),
    verdict("u0", 4, "back", "refunded", payment_id="nobody knows"),
    tick(130, b""),
]


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    out = experiment_history.replayed(tmp_path_factory.mktemp("history"), USERS)
    files = sorted((out / "raw").glob("*.jsonl"))
    lines = [(file.stem, line) for file in files for line in file.read_bytes().splitlines(keepends=True)]
    return [(topic, from_line(line)) for topic, line in lines] + ODD


@pytest.fixture(scope="module")
def both(rows):
    """DuckDB and BigQuery, each with all but the last rows, and then with all of them."""
    with bigquery.running() as address:
        client = bigquery.client_of(address)
        client.create_dataset("models")
        client.create_dataset("raw")
        in_time = sorted(rows, key=lambda row: row[1].publish_time)
        with BigQueryEngine(client, "models", "raw") as engine:
            warehouses = Warehouse(), Warehouse(engine=engine)
            for warehouse in warehouses:
                for part in (in_time[: len(in_time) // 2], in_time[len(in_time) // 2 :]):
                    warehouse.land(*part)
                    warehouse.run()
            yield warehouses


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if not model.is_view])
def test_a_model_has_the_same_rows_on_both(both, name):
    here, there = (warehouse.table(name) for warehouse in both)
    assert there == here
    assert here or name == "stg_trial_start"


def test_what_cannot_be_parsed_is_the_same_on_both(both):
    here, there = (sorted(warehouse.read("stg_unparsed", "topic, reason")) for warehouse in both)
    assert there == here
    assert len(here) == 4
