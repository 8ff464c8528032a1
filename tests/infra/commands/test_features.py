"""`upbeat features`: the export on the command line, and its file in a replay."""

import json
from datetime import UTC, datetime

import pytest

from tests.support import analysts
from tests.support.bigtable import EmulatedTable

analysts.required("duckdb", "sqlglot")

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
ROWS = {"anna": (NOON, 120.5, "gold", True), "ben": (NOON, -3.0, None, False)}
TABLE = "projects/p/instances/upbeat/tables/user_features"


@pytest.fixture
def filled(tmp_path):
    from tests.support.feature_models import build  # noqa: PLC0415 - needs the analysts' requirements

    build(str(tmp_path / "warehouse.duckdb"), ROWS)
    return str(tmp_path / "warehouse.duckdb")


@pytest.mark.emulator
def test_an_export_says_what_it_wrote_and_the_next_one_that_nothing_changed(
    run, filled, bigtable, project, monkeypatch
):
    table = EmulatedTable(bigtable, project, monkeypatch)
    words = ("features", "export", "--warehouse", filled, "--table", table.name)
    planned = run(*words, "--dry-run", "--json")
    assert json.loads(planned.stdout) == {
        "rows": 2,
        "written": 2,
        "unchanged": 0,
        "deleted": 0,
        "features": ["value", "segment", "vip"],
        "dry_run": True,
    }
    assert table.cells == {}
    assert run(*words).stdout == "2 rows of 3 features: 2 written, 0 unchanged, 0 deleted\n"
    assert table.cells.keys() == {"anna", "ben"}
    assert run(*words).stdout == "2 rows of 3 features: 0 written, 2 unchanged, 0 deleted\n"
    assert "2 would be written" in run(*words, "--dry-run", "--only", "vip").stdout


@pytest.mark.emulator
def test_a_table_that_does_not_exist_is_an_error_in_one_line(run, filled, bigtable, monkeypatch):
    monkeypatch.setenv("BIGTABLE_EMULATOR_HOST", bigtable.host)
    done = run("features", "export", "--warehouse", filled, "--table", TABLE)
    assert done.exit_code == 1
    assert done.stderr.startswith("error: Bigtable: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_file_has_every_row_and_a_replay_reads_it(run, filled, tmp_path):
    file = tmp_path / "features.jsonl"
    assert run("features", "export", "--warehouse", filled, "--file", str(file)).exit_code == 0
    assert [json.loads(line) for line in file.read_text().splitlines()] == [
        {"user_id": "anna", "as_of": "2026-01-10T12:00:00Z", "value": 120.5, "segment": "gold", "vip": True},
        {"user_id": "ben", "as_of": "2026-01-10T12:00:00Z", "value": -3.0, "segment": None, "vip": False},
    ]
    events, out = tmp_path / "events.jsonl", tmp_path / "out"
    events.write_text("")
    done = run("replay", str(events), "--out", str(out), "--features", str(file))
    assert done.exit_code == 0
    refused = run("replay", str(events), "--out", str(out), "--features", str(tmp_path / "none"))
    assert (refused.exit_code, "expected a file of features" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "expected either --table or --file, found neither"),
        (("--table", TABLE, "--file", "x"), "expected either --table or --file, found both"),
        (("--file", "x", "--dry-run"), "--dry-run: expected it with --table"),
        (("--table", "user_features"), "--table: expected projects/PROJECT/instances/INSTANCE/tables/TABLE"),
        (
            ("--file", "x", "--only", "y"),
            "--only: expected features of user_features (value, segment, vip), found y",
        ),
    ],
)
def test_wrong_options_are_told(run, filled, words, expected):
    done = run("features", "export", "--warehouse", filled, *words)
    assert (done.exit_code, done.stderr[: len(f"error: {expected}")]) == (2, f"error: {expected}")


def test_the_statement_is_printed(run, filled):
    done = run("features", "statement", "--warehouse", filled, "--table", TABLE, "--only", "value")
    assert done.exit_code == 0
    assert "STRUCT(IFNULL(TO_JSON_STRING(value), 'null') AS value) AS features" in done.stdout
