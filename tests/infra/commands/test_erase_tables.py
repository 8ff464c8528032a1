"""`erase` with raw tables: opened before anything is erased, emptied of the user, and refused rows are told."""

import json
import shlex

import pytest

from infra.raw.folder import RAW
from infra.replay.stores import STORE, read_document
from tests.support import analysts
from tests.support.replays import payment
from tests.support.replays import run as replayed

analysts.required("duckdb", "google.cloud.bigquery", "sqlglot")

from infra.analytics.warehouse.duckdb_engine import DuckDBEngine  # noqa: E402 - after the check that it is there
from infra.analytics.warehouse.erasure import Removed, UserRemoval  # noqa: E402
from infra.analytics.warehouse.errors import WarehouseError  # noqa: E402

ADA = "ada"


@pytest.fixture
def folder(tmp_path):
    return replayed(tmp_path, payment(ADA), payment("ada2"), keep_store=True).folder


@pytest.fixture
def warehouse(run, folder):
    file = folder.parent / "w.duckdb"
    loaded = run("warehouse", "load", str(folder), "--warehouse", str(file))
    assert loaded.exit_code == 0, loaded.output
    return file


def users(warehouse):
    with DuckDBEngine.at(str(warehouse)) as engine:
        rows = engine.rows(
            "SELECT JSON_VALUE(SAFE.PARSE_JSON(SAFE_CONVERT_BYTES_TO_STRING(data)), '$.user_id') AS user"
            " FROM raw_payment WHERE publish_time >= TIMESTAMP '1990-01-01 00:00:00+00'"
        )
    return {row["user"] for row in rows}


def test_rows_of_the_user_go_and_those_of_others_stay(run, folder, warehouse):
    where = ("--store", str(folder), "--raw", str(warehouse), "--yes")
    counted = json.loads(run("erase", ADA, *where, "--dry-run", "--json").stdout)["rows"]
    assert counted["raw_payment"] == 1
    done = run("erase", ADA, *where)
    assert done.exit_code == 0, done.output
    assert "rows of raw_payment: 1 removed" in done.output
    assert f"erase ada --store {folder} --raw {warehouse} --again" in done.output
    assert users(warehouse) == {"ada2"}
    assert not any(json.loads(run("erase", ADA, *where, "--json").stdout)["rows"].values())


def test_tables_that_are_not_there_are_told_before_anything_is_erased(run, folder, tmp_path):
    empty = tmp_path / "empty.duckdb"
    with DuckDBEngine.at(str(empty)) as engine:
        engine.rows("SELECT 1 AS one")
    for place, code in ((empty, 2), (tmp_path / "gone.duckdb", 2)):
        refused = run("erase", ADA, "--store", str(folder), "--raw", str(place), "--yes")
        assert refused.exit_code == code, refused.output
        assert "nothing was erased; --raw none leaves the tables out" in refused.output
    assert read_document(folder / STORE, ADA).blob
    assert any(ADA in line for line in (folder / "subscriptions.jsonl").read_text().splitlines())


def test_rows_that_have_just_come_are_told_by_an_exit_code_and_the_rest_is_done(
    run, folder, warehouse, monkeypatch
):
    def remove(_self, _erased):
        return [Removed("raw_payment", 0, is_too_fresh=True), Removed("raw_decision", 2)]

    monkeypatch.setattr(UserRemoval, "remove", remove)
    where = ("--store", str(folder), "--raw", str(warehouse), "--yes")
    done = run("erase", ADA, *where)
    assert done.exit_code == 3
    assert "BigQuery refuses to remove rows that have just come of raw_payment" in done.output
    assert read_document(folder / STORE, ADA).erased_at
    assert not (folder / RAW / "payment.jsonl").read_bytes().count(b"YWRhIi")
    told = run("erase", ADA, *where, "--json")
    assert told.exit_code == 3
    facts = json.loads(told.stdout)
    assert (facts["too_fresh"], facts["rows"]) == (["raw_payment"], {"raw_decision": 2})


def test_a_refusal_in_the_midst_says_what_is_done(run, folder, warehouse, monkeypatch):
    def remove(_self, _erased):
        raise WarehouseError("BigQuery: 403 no permission")

    monkeypatch.setattr(UserRemoval, "remove", remove)
    refused = run("erase", ADA, "--store", str(folder), "--raw", str(warehouse), "--yes")
    assert refused.exit_code == 1
    assert "403 no permission (the user is erased, but rows are left: run it again with --again)" in refused.output
    assert read_document(folder / STORE, ADA).erased_at


def test_the_statements_are_printed_for_whoever_runs_them(run, folder):
    odd = 'it\'s-"odd"'
    printed = run("erase", odd, "--store", str(folder), "--raw", "bigquery:some-project.upbeat", "--print-sql")
    assert printed.exit_code == 0, printed.output
    command, *lines = printed.stdout.splitlines()
    assert f"--parameter=user:STRING:{odd}" in shlex.split(command.removeprefix("-- "))
    assert sum(line.startswith("DELETE FROM `some-project.upbeat.raw_") for line in lines) == 11
    assert "odd" not in "".join(lines)
    assert read_document(folder / STORE, odd) is None


def test_bigquery_that_cannot_be_reached_is_told_before_anything_is_erased(run, folder, monkeypatch, tmp_path):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    refused = run("erase", ADA, "--store", str(folder), "--raw", "bigquery:some-project.upbeat", "--yes")
    assert refused.exit_code == 1
    assert "bigquery:some-project.upbeat: BigQuery: File" in refused.output
    assert "nothing was erased" in refused.output
    assert read_document(folder / STORE, ADA).blob
