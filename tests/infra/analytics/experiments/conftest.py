"""Warehouses with a history of an experiment."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest


@pytest.fixture
def warehouse() -> Iterator[Callable[..., Any]]:
    """Makes engines on a history: `warehouse(plan, seed, "UPDATE ...", ...)` runs statements on its rows first."""
    from infra.analytics.warehouse.duckdb_engine import DuckDBEngine  # noqa: PLC0415 - needs analysts' requirements
    from tests.support.experiment_rows import duckdb_of, history  # noqa: PLC0415

    with ExitStack() as stack:

        def made(plan: Any = None, seed: int = 1, *statements: str) -> Any:
            connection = duckdb_of(history(plan, seed) if plan else {})
            for statement in statements:
                connection.execute(statement)
            return stack.enter_context(DuckDBEngine.of(connection))

        yield made
