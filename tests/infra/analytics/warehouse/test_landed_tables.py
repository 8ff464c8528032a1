"""Documents are made again from the raw tables of a warehouse."""

import pytest

from tests.support import analysts

analysts.required("duckdb", "sqlglot")

import duckdb
from typer.testing import CliRunner

from infra.__main__ import app
from infra.analytics.warehouse.duckdb_engine import DuckDBEngine
from infra.analytics.warehouse.landed_tables import LandedTables
from infra.analytics.warehouse.load import load
from infra.errors import UsageError
from infra.topology import load as load_topology
from tests.support import replays
from tests.support.replays import payment, trial


def test_a_warehouse_without_raw_tables_is_refused():
    with DuckDBEngine.of(duckdb.connect()) as engine, pytest.raises(UsageError, match="raw tables"):
        LandedTables(engine)


def test_documents_are_made_again_from_a_warehouse(tmp_path):
    lines = trial(), payment(), payment(days=40)
    folder = replays.run(tmp_path, *lines, keep_store=True).folder
    file, store = str(tmp_path / "w.duckdb"), tmp_path / "new.sqlite"
    with DuckDBEngine.at(file) as engine:
        load(engine, folder, tuple(load_topology().topics))
    assert CliRunner().invoke(app, ["rebuild", file, "--store", str(store)]).exit_code == 0
    done = CliRunner().invoke(app, ["rebuild", str(folder), "--store", str(store), "--check"])
    assert done.stdout.splitlines()[0] == "1 user: 1 equal"
