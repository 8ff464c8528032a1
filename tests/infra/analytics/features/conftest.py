"""Fixtures: a warehouse with a model of some features, and a table in Bigtable's emulator."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support import analysts
from tests.support.bigtable import EmulatedTable


@pytest.fixture
def warehouse(tmp_path: Path) -> str:
    return str(tmp_path / "warehouse.duckdb")


@pytest.fixture
def put(warehouse: str) -> Callable[[dict[str, tuple]], None]:
    """A function that builds the model with these rows in place of all others."""
    analysts.required("duckdb")
    from tests.support.feature_models import build  # noqa: PLC0415 - needs the analysts' requirements

    return partial(build, warehouse)


@pytest.fixture
def table(bigtable, project, monkeypatch) -> EmulatedTable:
    """An empty table in Bigtable's emulator."""
    return EmulatedTable(bigtable, project, monkeypatch)
