"""Fixtures: a warehouse with a model of two features, and a table in Bigtable's emulator."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from tests.support import analysts
from tests.support.bigtable import EmulatedTable

Rows = dict[str, tuple[datetime, float | None, str | None, bool | None]]
"""Of each user the instant, a number, a text and a boolean."""


@pytest.fixture
def warehouse(tmp_path: Path) -> str:
    return str(tmp_path / "warehouse.duckdb")


@pytest.fixture
def put(warehouse: str) -> Callable[[Rows], None]:
    """A function that builds the model with these rows in place of all others."""
    analysts.required("duckdb", "sqlglot")
    import duckdb  # noqa: PLC0415 - the analysts' requirements

    def build(rows: Rows) -> None:
        with duckdb.connect(warehouse) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("DROP TABLE IF EXISTS user_features")
            columns = "user_id VARCHAR, as_of TIMESTAMPTZ, value DOUBLE, segment VARCHAR, vip BOOLEAN"
            connection.execute(f"CREATE TABLE user_features ({columns})")
            for user, (at, *values) in rows.items():
                connection.execute("INSERT INTO user_features VALUES (?, ?, ?, ?, ?)", [user, at, *values])

    return build


@pytest.fixture
def table(bigtable, project, monkeypatch) -> EmulatedTable:
    """An empty table in Bigtable's emulator."""
    return EmulatedTable(bigtable, project, monkeypatch)
