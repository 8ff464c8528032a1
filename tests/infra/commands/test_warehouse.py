"""`upbeat warehouse`: from a raw log to models, checks, costs and a page."""

import json

import pytest

from tests.support import analysts

analysts.required("duckdb", "sqlglot")

from infra.analytics.warehouse import models as model_files  # noqa: E402 - after the check that it is there
from infra.raw.line import to_line  # noqa: E402
from tests.support.warehouses import FILES, payment  # noqa: E402


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a raw log, in which small models stand in for the shipped ones."""
    sql = tmp_path / "sql"
    (sql / "assertions").mkdir(parents=True)
    for name, text in FILES.items():
        (sql / f"{name}.sql").write_text(text)
    (sql / "assertions" / "small.sql").write_text(
        "-- description: A sum below 20.\nSELECT amount FROM total WHERE amount > 19"
    )
    monkeypatch.setattr(model_files.read_models, "__defaults__", (sql,))
    monkeypatch.setattr("infra.analytics.warehouse.checks.read_assertions.__defaults__", (sql,))
    (tmp_path / "raw").mkdir()
    lines = [to_line(payment(number, number)) for number in range(3)]
    (tmp_path / "raw" / "payment.jsonl").write_bytes(b"".join([*lines, b"garbage\n", b"{"]))
    return tmp_path


@pytest.fixture
def warehouse(run, place):
    return lambda command, *words: run("warehouse", command, *words, "--warehouse", str(place / "w.duckdb"))


def test_a_log_is_loaded_built_and_checked(warehouse, place):
    done = warehouse("load", str(place))
    assert (done.exit_code, done.stdout) == (0, "raw_payment: 3 added, 0 known, 1 unreadable\n")
    assert "payment.jsonl: line 4: expected a JSON object" in done.stderr
    assert "payment.jsonl: line 5: not finished" in done.stderr
    assert warehouse("run").stdout.splitlines() == [
        "stg_payment: rebuilt, 3 days from 2026-03-01 to 2026-03-03",
        "daily: rebuilt, 3 days from 2026-03-01 to 2026-03-03",
        "seen: view",
        "total: rebuilt",
    ]
    again = [json.loads(line) for line in warehouse("run", "--json").stdout.splitlines()]
    assert again[0] == {"name": "stg_payment", "action": "unchanged", "since": None, "days": []}
    checked = warehouse("check")
    assert (checked.exit_code, checked.stdout) == (0, "")
    assert checked.stderr == "4 assertions: 0 failed\n"


def test_a_failure_is_shown_and_exits_with_one(warehouse, place):
    file = place / "raw" / "payment.jsonl"
    file.write_bytes(b"".join(to_line(payment(number, number, amount=9)) for number in range(3)))
    warehouse("load", str(place))
    warehouse("run")
    done = warehouse("check", "--now", "2026-03-02T00:00:00Z", "--days", "1")
    assert done.exit_code == 1
    assert done.stdout == "small: expected: A sum below 20. Found:\n    amount=27\n"
    told = [json.loads(line) for line in warehouse("check", "--json").stdout.splitlines()]
    assert {"name": "small", "holds": False, "expected": "A sum below 20.", "failures": [{"amount": 27}]} in told


def test_what_models_read_is_told(warehouse, place):
    warehouse("load", str(place))
    warehouse("run", "--select", "+total")
    told = [json.loads(line) for line in warehouse("cost", "--json", "--select", "daily").stdout.splitlines()]
    assert [each["model"] for each in told] == ["daily"]
    assert told[0]["bytes"] > 0
    assert warehouse("cost").stdout.splitlines()[-1].endswith("in all")


def test_a_page_is_written(run, place):
    done = run("warehouse", "docs", "--out", str(place / "models.md"))
    assert done.exit_code == 0
    assert "## stg_payment" in (place / "models.md").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("run", "--warehouse", "w.db"),
            "--warehouse: expected FILE.duckdb or bigquery:PROJECT.DATASET, found 'w.db'",
        ),
        (("run", "--warehouse", "bigquery:x"), "expected bigquery:PROJECT.DATASET?raw=DATASET, found bigquery:x"),
        (("check", "--now", "yesterday"), "--now: expected an RFC 3339 time"),
    ],
)
def test_arguments_that_make_no_sense_exit_with_two(run, words, said):
    done = run("warehouse", *words)
    assert done.exit_code == 2
    assert said in done.stderr


def test_missing_requirements_are_told_in_one_line(run, monkeypatch):
    monkeypatch.setattr("infra.analytics._is_installed", lambda name: name != "duckdb")
    done = run("warehouse", "run")
    assert done.exit_code == 2
    assert done.stderr == (
        "error: expected duckdb, found none installed: needs the analysts' requirements: make .venv/.analytics\n"
    )


def test_a_warehouse_without_landed_tables_says_what_to_run(warehouse):
    done = warehouse("run")
    assert done.exit_code == 1
    assert "found no raw_payment: upbeat warehouse load DIR" in done.stderr
