"""The export's writes and deletions, by comparison of the warehouse with what was exported before.

`features_exported` is a table beside the models: each row as it was written last, with the instant of which it
told then. The queries are portable, so that DuckDB and BigQuery find the same rows.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from infra.analytics.features.rows import Exported, FeatureRow
from infra.analytics.warehouse.engine import Engine, State
from infra.analytics.warehouse.header import Header, Materialized
from infra.errors import InfraError, UsageError

MODEL, EXPORTED = "user_features", "features_exported"
USER_ID, AS_OF = "user_id", "as_of"
_COLUMN = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


class Changes:
    """The rows that differ from what was exported.

    A row is written if a feature of it changed, or to confirm it: if it was not written for `confirm_after`, so
    that functions do not take what is still true for stale. With `everything`, all rows are written. Raises
    `InfraError` if there is nothing to export, and `UsageError` for a feature that the model does not have.
    """

    def __init__(
        self, engine: Engine, confirm_after: timedelta, only: Sequence[str] = (), *, everything: bool = False
    ) -> None:
        self._engine = engine
        existing = engine.relations()
        if MODEL not in existing:
            raise InfraError(f"expected the model {MODEL} in the warehouse, found none: upbeat warehouse run")
        known = _features_of(engine, MODEL)
        if not known:
            raise InfraError(f"{MODEL}: expected rows, found none; nothing is written, and nothing deleted")
        if unknown := sorted({*only} - {*known}):
            raise UsageError(
                f"--only: expected features of {MODEL} ({', '.join(known)}), found {', '.join(unknown)}"
            )
        self.features = tuple(dict.fromkeys(only)) or known
        self.queries = Queries(self.features, confirm_after)
        self.exported = _features_of(engine, EXPORTED) if EXPORTED in existing else ()
        """The features that the last export wrote; none before the first one."""
        self.retired = tuple(name for name in self.exported if name not in self.features)
        """Those of them that are exported no more."""
        self._is_comparable = {*self.exported} == {*self.features} and not everything

    def rows(self) -> Iterator[FeatureRow]:
        """The rows to write."""
        yield from self._rows(self.queries.changed if self._is_comparable else self.queries.all)

    def every_row(self) -> list[FeatureRow]:
        """All rows of the warehouse, whether they changed or not."""
        return [*self._rows(self.queries.all)]

    def gone(self) -> list[Exported]:
        """The rows of users whom the warehouse does not have any more."""
        if not self.exported:
            return []
        return [Exported(row[USER_ID], row[AS_OF]) for row in self._engine.rows(self.queries.gone)]

    def _rows(self, query: str) -> Iterator[FeatureRow]:
        for row in self._engine.rows(query):
            yield FeatureRow(row[USER_ID], row[AS_OF], {name: row[name] for name in self.features})

    def count(self) -> int:
        """The number of rows in the warehouse."""
        (row,) = self._engine.rows(f"SELECT COUNT(*) AS number FROM {MODEL}")  # noqa: S608 - a constant
        return int(row["number"])

    def remember(self) -> None:
        """Note that all is exported, after it was written and deleted."""
        query = self.queries.now_exported if self._is_comparable else self.queries.all
        described = {USER_ID: "The user.", AS_OF: "The instant of which the row told when it was written."}
        header = Header(
            description="Each row of user_features as the export wrote it last.",
            materialized=Materialized.TABLE,
            unique=(USER_ID,),
            columns=described | dict.fromkeys(self.features, "The feature, as it was written."),
        )
        self._engine.stage(EXPORTED, query, header)
        self._engine.replace(EXPORTED, header, None, State(EXPORTED, "", 0, {}))
        self._engine.forget(EXPORTED)


class Queries:
    """The portable SQL of an export of these features. Raises `UsageError` for a name that is no column's."""

    def __init__(self, features: Sequence[str], confirm_after: timedelta) -> None:
        if bad := [name for name in features if not _COLUMN.fullmatch(name)]:
            raise UsageError(f"expected the names of features, found {', '.join(map(repr, bad))}")
        listed = "".join(f", new.{name}" for name in features)
        seconds = int(confirm_after.total_seconds())
        differs = " OR ".join(
            [
                f"old.{USER_ID} IS NULL",
                f"new.{AS_OF} >= TIMESTAMP_ADD(old.{AS_OF}, INTERVAL {seconds} SECOND)",
                *(f"new.{name} IS DISTINCT FROM old.{name}" for name in features),
            ]
        )
        both = f"FROM {MODEL} AS new LEFT JOIN {EXPORTED} AS old ON old.{USER_ID} = new.{USER_ID}"
        self.all = f"SELECT new.{USER_ID}, new.{AS_OF}{listed} FROM {MODEL} AS new"  # noqa: S608 - checked names
        self.changed = f"SELECT new.{USER_ID}, new.{AS_OF}{listed} {both} WHERE {differs}"
        """The rows of which a feature changed, or that are to be confirmed."""
        as_of = f"IF({differs}, new.{AS_OF}, old.{AS_OF}) AS {AS_OF}"
        self.now_exported = f"SELECT new.{USER_ID}, {as_of}{listed} {both}"
        """Every row as it is in Bigtable once the changed ones are written."""
        self.gone = (
            f"SELECT old.{USER_ID}, old.{AS_OF} FROM {EXPORTED} AS old"  # noqa: S608 - checked names
            f" LEFT JOIN {MODEL} AS new ON new.{USER_ID} = old.{USER_ID} WHERE new.{USER_ID} IS NULL"
        )


class Outcome(NamedTuple):
    """The work that an export did, or would do."""

    rows: int
    """The rows in the warehouse."""
    written: int
    unchanged: int
    deleted: int
    features: tuple[str, ...]


def check_time(row: FeatureRow, now: datetime) -> FeatureRow:
    """The row. Raises `InfraError` for one of the future, which would hide later ones until its time comes."""
    if row.as_of > now:
        expected = f"{MODEL}: expected {AS_OF} up to now"
        raise InfraError(f"{expected} ({now.isoformat()}), found {row.as_of.isoformat()} for a user")
    return row


def _features_of(engine: Engine, table: str) -> tuple[str, ...]:
    """The columns of a table beside the user and the time. None if it has no rows."""
    rows: list[dict[str, Any]] = engine.rows(f"SELECT * FROM {table} ORDER BY {USER_ID} LIMIT 1")  # noqa: S608 - a constant
    return tuple(name for row in rows for name in row if name not in {USER_ID, AS_OF})
