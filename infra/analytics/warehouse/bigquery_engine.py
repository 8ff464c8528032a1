"""The warehouse in a dataset of BigQuery."""

import re
from collections.abc import Iterable
from io import BytesIO
from itertools import islice
from typing import Any, Self

from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import GoogleAuthError
from google.cloud.bigquery import Client, QueryJobConfig, SchemaField

from infra.analytics.warehouse.bigquery_landing import ASIDE_SQL, COLUMNS_SQL, LOAD, MERGE
from infra.analytics.warehouse.bigquery_sql import (
    deletion,
    parameter,
    qualified,
    row_digest,
    state_script,
    tables_of_state,
)
from infra.analytics.warehouse.engine import Day, Engine, State
from infra.analytics.warehouse.errors import WarehouseError
from infra.analytics.warehouse.header import Header
from infra.analytics.warehouse.models import RAW_PREFIX
from infra.analytics.warehouse.queries import checked, used
from infra.errors import UsageError
from infra.raw.line import Landed, to_line

PLACE = re.compile(r"(?P<project>[a-z][a-z0-9-]{4,28}[a-z0-9])\.(?P<dataset>\w+)(\?raw=(?P<raw>\w+))?")
BATCH = 20_000
"""Messages of one load job."""


class BigQueryEngine(Engine):
    """A warehouse in a dataset; the landed tables may be in another one of the project."""

    def __init__(self, client: Any, dataset: str, raw: str) -> None:
        self._client = client
        self._dataset = dataset
        self._raw = raw
        self._has_state = False
        """True once this process has made the tables of the state, or found them."""

    @classmethod
    def at(cls, place: str) -> Self:
        """The warehouse at PROJECT.DATASET, or PROJECT.DATASET?raw=OTHER.

        Raises `UsageError`, and `WarehouseError` if there are no credentials.
        """
        found = PLACE.fullmatch(place)
        if not found:
            raise UsageError(f"--warehouse: expected bigquery:PROJECT.DATASET?raw=DATASET, found bigquery:{place}")
        try:
            client = Client(project=found["project"])
        except GoogleAuthError as error:
            raise WarehouseError(f"BigQuery: {error}") from error
        return cls(client, found["dataset"], found["raw"] or found["dataset"])

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a portable query."""
        tree = checked(sql)
        return self._rows(qualified(sql, tree, self._address), used(tree, parameters))

    def relations(self) -> frozenset[str]:
        """The names of the tables and views of both datasets."""
        return frozenset(self._kinds())

    def land(self, table: str, landed: Iterable[Landed]) -> int:
        """Add messages that a raw table does not have yet, in one statement."""
        there, aside = self._address(table), self._address(f"_landing_{table}")
        self._do(f"CREATE TABLE IF NOT EXISTS `{there}` ({COLUMNS_SQL}) PARTITION BY DATE(publish_time)")
        self._do(f"CREATE OR REPLACE TABLE `{aside}` ({ASIDE_SQL})")
        messages = iter(landed)
        while batch := list(islice(messages, BATCH)):
            lines = BytesIO(b"".join(map(to_line, batch)))  # without a size, the upload can be resumed
            self._done(self._client.load_table_from_file(lines, aside, job_config=LOAD))
        added = self._do(MERGE.format(there=f"`{there}`", aside=f"`{aside}`")).num_dml_affected_rows
        self._client.delete_table(aside, not_found_ok=True)
        return int(added or 0)

    def delete(self, table: str, message_ids: str, **parameters: Any) -> int:
        """Delete messages, in one statement."""
        statement = deletion(table, message_ids, self._address)
        return int(self._do(statement, used(checked(message_ids), parameters)).num_dml_affected_rows or 0)

    def remember(self, states: Iterable[State]) -> None:
        """Write what is known of tables that no model builds."""
        for state in states:
            self._write(state)

    def recall(self) -> list[State]:
        """The state that was written of every table."""
        if "_builds" not in self._kinds():
            return []
        days: dict[str, dict[Day, tuple[str, int]]] = {}
        for row in self._rows(f"SELECT * FROM `{self._address('_partitions')}`"):
            days.setdefault(row["name"], {})[row["day"]] = (row["fingerprint"], row["changed"])
        builds = self._rows(f"SELECT * FROM `{self._address('_builds')}`")
        return [State(row["name"], row["key"], row["seen"], days.get(row["name"], {})) for row in builds]

    def create_view(self, name: str, sql: str, header: Header, state: State) -> None:
        """Create or replace a view."""
        self._drop_other(name, "VIEW")
        query = qualified(sql, checked(sql, name), self._address)
        self._do(f"CREATE OR REPLACE VIEW `{self._address(name)}` AS {_without_header(query)}")
        self._describe(name, header)
        self._write(state)

    def stage(self, name: str, sql: str, header: Header, **parameters: Any) -> None:
        """Run a model's query into a table of its own."""
        tree = checked(sql, name)
        query, values = _without_header(qualified(sql, tree, self._address)), used(tree, parameters, name)
        options = "OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 DAY))"
        self._do(f"CREATE OR REPLACE TABLE `{self._staged(name)}` {options} AS {query}", values)
        if header.partition is not None:
            query = f"SELECT COUNT(*) AS n FROM `{self._staged(name)}` WHERE `{header.partition}` IS NULL"
            without = self._rows(query)[0]["n"]
            if without:
                expected = f"expected a day in {header.partition} of each row"
                raise WarehouseError(f"{name}: {expected}, found {without} rows without")

    def fingerprints(self, name: str, partition: str | None) -> dict[Day, str]:
        """For each partition of the rows set aside, its number of rows and two sums of their fingerprints."""
        day = f"`{partition}`" if partition else "CAST(NULL AS DATE)"
        found = self._rows(
            "SELECT day, CONCAT(CAST(COUNT(*) AS STRING), ':', CAST(BIT_XOR(digest) AS STRING), ':',"
            " CAST(SUM(MOD(digest, 1000000007)) AS STRING)) AS digest"
            f" FROM (SELECT {day} AS day, {self._digest(name)} AS digest FROM `{self._staged(name)}`) GROUP BY day"
        )
        return {row["day"]: row["digest"] for row in found}

    def replace(self, name: str, header: Header, days: Iterable[Day] | None, state: State) -> None:
        """Put the rows set aside in the place of these partitions: in one statement for all, else one transaction.

        After a statement for all, the state follows. A run that was killed between computes the model again.
        """
        there, aside = self._address(name), self._staged(name)
        if days is None:
            self._drop_other(name, "TABLE")
            partition = f"PARTITION BY `{header.partition}`" if header.partition else ""
            cluster = f"CLUSTER BY {', '.join(header.cluster)}" if header.cluster else ""
            options = f"OPTIONS (require_partition_filter = {str(header.require_partition_filter).upper()})"
            options = options if header.partition else ""
            self._do(
                f"CREATE OR REPLACE TABLE `{there}` {partition} {cluster} {options} AS SELECT * FROM `{aside}`"
            )
            self._describe(name, header)
            self._write(state)
            return
        chosen = ", ".join(f"DATE '{day}'" for day in days)
        in_days = f"WHERE `{header.partition}` IN ({chosen})"
        moved = f"DELETE FROM `{there}` {in_days}; INSERT INTO `{there}` SELECT * FROM `{aside}` {in_days};"
        self._write(state, moved if chosen else "")

    def forget(self, name: str) -> None:
        """Drop the rows set aside."""
        self._client.delete_table(self._staged(name), not_found_ok=True)

    def scanned(self, sql: str, inputs: Iterable[str], **parameters: Any) -> int:  # noqa: ARG002 - from the query
        """The bytes that a dry run says a query would read."""
        tree = checked(sql)
        config = self._config(used(tree, parameters))
        config.dry_run = True
        config.use_query_cache = False
        job = self._query(qualified(sql, tree, self._address), config, dry=True)
        return int(job.total_bytes_processed)

    def _write(self, state: State, before: str = "") -> None:
        """Write a state, after these statements and in one transaction with them."""
        if not self._has_state:
            for statement in tables_of_state(self._address):
                self._do(statement)
            self._has_state = True
        self._do(f"BEGIN TRANSACTION; {before} {state_script(state, self._address)} COMMIT TRANSACTION;")

    def _describe(self, name: str, header: Header) -> None:
        """Give a table or a view, and its columns, their descriptions."""
        table = self._client.get_table(self._address(name))
        table.description = header.description
        table.schema = [_described(field, header) for field in table.schema]
        self._client.update_table(table, ["description", "schema"])

    def _drop_other(self, name: str, kind: str) -> None:
        """Drop what has this name, if it is of another kind."""
        if self._kinds().get(name, kind) != kind:
            self._client.delete_table(self._address(name), not_found_ok=True)

    def _kinds(self) -> dict[str, str]:
        project = self._client.project
        datasets = {f"{project}.{self._dataset}", f"{project}.{self._raw}"}
        try:
            return {
                table.table_id: table.table_type for name in datasets for table in self._client.list_tables(name)
            }
        except GoogleAPIError as error:
            raise WarehouseError(f"BigQuery: {error}") from error

    def _digest(self, name: str) -> str:
        return row_digest(self._client.get_table(self._staged(name)).schema)

    def _address(self, table: str) -> str:
        dataset = self._raw if table.startswith(RAW_PREFIX) else self._dataset
        return f"{self._client.project}.{dataset}.{table}"

    def _staged(self, name: str) -> str:
        return self._address(f"_staged_{name}")

    def _config(self, parameters: dict[str, Any]) -> Any:
        return QueryJobConfig(query_parameters=[parameter(*pair) for pair in parameters.items()])

    def _rows(self, sql: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        return [dict(row.items()) for row in self._do(sql, parameters).result()]

    def _do(self, sql: str, parameters: dict[str, Any] | None = None) -> Any:
        return self._query(sql, self._config(parameters or {}))

    def _query(self, sql: str, config: Any, *, dry: bool = False) -> Any:
        try:
            job = self._client.query(sql, job_config=config)
        except GoogleAPIError as error:
            raise WarehouseError(f"BigQuery: {error}") from error
        return job if dry else self._done(job)

    def _done(self, job: Any) -> Any:
        """A job, once it is done."""
        try:
            job.result()
        except GoogleAPIError as error:
            raise WarehouseError(f"BigQuery: {error}") from error
        return job


def _described(field: Any, header: Header) -> Any:
    facts = field.to_api_repr() | {"description": header.columns[field.name]}
    return SchemaField.from_api_repr(facts)


def _without_header(sql: str) -> str:
    """A query without the comment at its top, which its description repeats."""
    lines = sql.splitlines()
    while lines and lines[0].startswith("--"):
        lines.pop(0)
    return "\n".join(lines)
