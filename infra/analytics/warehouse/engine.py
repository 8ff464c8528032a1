"""The door to the SQL engines: portable BigQuery SQL in, rows out."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import date
from typing import Any, NamedTuple, Protocol

from infra.analytics import require
from infra.analytics.warehouse.header import Header
from infra.errors import UsageError
from infra.raw.line import Landed

Day = date | None
"""A partition; None stands for the whole of a table without partitions."""


class State(NamedTuple):
    """The record of a build, written in the same transaction as its rows."""

    table: str
    key: str
    """The digest of the model, empty for a landed table."""
    seen: int
    """The number of the run whose inputs it has taken in."""
    partitions: Mapping[Day, tuple[str, int]]
    """The fingerprints of the partitions that changed, each with the number of the run in which it did."""


class Engine(AbstractContextManager["Engine"], Protocol):
    """A warehouse on DuckDB or BigQuery. Everything raises `WarehouseError` for what the engine refuses."""

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a query in portable SQL; `@name` stands for a parameter. JSON comes as Python values.

        Raises `InvalidModel` for a query that is not portable.
        """

    def relations(self) -> frozenset[str]:
        """The names of the tables and views that exist."""

    def land(self, table: str, landed: Iterable[Landed]) -> int:
        """Add messages that a raw table does not have yet; the number that it had not. All or none."""

    def delete(self, table: str, message_ids: str, **parameters: Any) -> int:
        """Delete the messages of a raw table whose ids a query in portable SQL gives, and return their number."""

    def remember(self, states: Iterable[State]) -> None:
        """Write what is known of tables that no model builds."""

    def recall(self) -> list[State]:
        """The state that `remember` and `replace` have written."""

    def create_view(self, name: str, sql: str, header: Header, state: State) -> None:
        """Create or replace a view."""

    def stage(self, name: str, sql: str, header: Header, **parameters: Any) -> None:
        """Run a model's query and keep its rows aside, until the next `stage` of it."""

    def fingerprints(self, name: str, partition: str | None) -> dict[Day, str]:
        """For each partition of the rows set aside, a digest that is the same for the same rows in any order."""

    def replace(self, name: str, header: Header, days: Iterable[Day] | None, state: State) -> None:
        """Put the rows set aside in the place of these partitions, None for all, in one transaction."""

    def forget(self, name: str) -> None:
        """Drop the rows set aside."""

    def scanned(self, sql: str, inputs: Iterable[str], **parameters: Any) -> int:
        """The bytes that a query would read, before compression on BigQuery, as stored on DuckDB."""


def open_engine(where: str) -> Engine:
    """The warehouse at `FILE.duckdb`, or at `bigquery:PROJECT.DATASET`; a context manager that closes it.

    `bigquery:PROJECT.DATASET?raw=OTHER` reads the landed tables of another dataset. Raises `UsageError`.
    """
    kind, _, place = where.partition(":")
    if kind == "bigquery":
        require("google.cloud.bigquery", "sqlglot")
        from infra.analytics.warehouse.bigquery_engine import BigQueryEngine  # noqa: PLC0415 - needs its client

        engine: Engine = BigQueryEngine.at(place)
        return engine
    if not where.endswith(".duckdb"):
        raise UsageError(f"--warehouse: expected FILE.duckdb or bigquery:PROJECT.DATASET, found {where!r}")
    require("duckdb", "sqlglot")
    from infra.analytics.warehouse.duckdb_engine import DuckDBEngine  # noqa: PLC0415 - needs DuckDB

    return DuckDBEngine.at(where)
