"""The Bigtable table of users' features, as the export writes it: by Google's client, many rows at a time."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Self

from google.api_core.exceptions import GoogleAPICallError
from google.cloud.bigtable import Client
from google.cloud.bigtable.row_filters import (
    ColumnQualifierRegexFilter,
    ExactValueFilter,
    FamilyNameRegexFilter,
    RowFilterChain,
    TimestampRange,
)

from infra.analytics.features.rows import Exported, FeatureRow, as_json
from infra.errors import InfraError, UsageError
from shared.adapters.gcp.feature_rows import (
    BY,
    FAMILY,
    MARK,
    MARKS,
    MILLISECOND,
    cell_micros,
    decode,
    encode,
    row_key,
)
from shared.domain.instants import from_micros

_NAME = re.compile(r"projects/([^/]+)/instances/([^/]+)/tables/([^/]+)")
ROWS_AT_ONCE = 1000
"""The rows of one request. Bigtable takes 100,000 changes in one, of which a row has one for each feature."""


class FeatureTable:
    """A table of Bigtable, or of its emulator. Every method raises `InfraError` where Bigtable fails."""

    def __init__(self, client: Any, instance: str, table: str) -> None:
        self._table = client.instance(instance).table(table)

    @classmethod
    def at(cls, name: str) -> Self:
        """The table of a full name, in the emulator if BIGTABLE_EMULATOR_HOST names one. Raises `UsageError`."""
        if not (parts := _NAME.fullmatch(name)):
            expected = "projects/PROJECT/instances/INSTANCE/tables/TABLE"
            raise UsageError(f"--table: expected {expected}, found {name!r}")
        project, instance, table = parts.groups()
        return cls(Client(project=project), instance, table)

    def write(self, rows: Iterable[FeatureRow], retired: Sequence[str] = ()) -> Iterator[int]:
        """Write rows, and give the number of those that are written after each request.

        `retired` are features that earlier exports wrote, and that leave the rows.
        """
        for batch in _batches(rows):
            self._mutate([self._written(row, retired) for row in batch])
            yield len(batch)

    def delete(self, rows: Iterable[Exported], features: Sequence[str]) -> int:
        """Delete what an export wrote of these features, and nothing else; the number of rows with its mark.

        A row without the mark stays, and so does every cell that is newer than the export's.
        """
        return sum(self._delete(row, features) for row in rows)

    def read(self, user_id: str) -> dict[str, Any]:
        """A user's features as functions read them, by name; each with the instant (UTC) of which it tells."""
        try:
            row = self._table.read_row(row_key(user_id))
        except GoogleAPICallError as error:
            raise InfraError(f"Bigtable: {error.message}") from error
        cells = row.cells.get(FAMILY, {}) if row else {}
        return {name.decode(): _told(versions[0]) for name, versions in cells.items()}

    def forget(self, user_id: str) -> None:
        """Delete a user's row, whoever wrote it."""
        row = self._table.direct_row(row_key(user_id))
        row.delete()
        try:
            row.commit()
        except GoogleAPICallError as error:
            raise InfraError(f"Bigtable: {error.message}") from error

    def _written(self, row: FeatureRow, retired: Sequence[str]) -> Any:
        written = self._table.direct_row(row_key(row.user_id))
        at = from_micros(cell_micros(row.as_of))
        for name in retired:
            written.delete_cell(FAMILY, name.encode(), time_range=_up_to(row.as_of))
        for name, value in row.values.items():
            written.set_cell(FAMILY, name.encode(), encode(as_json(name, value)), timestamp=at)
        written.set_cell(MARKS, MARK.encode(), BY, timestamp=at)
        return written

    def _delete(self, row: Exported, features: Sequence[str]) -> bool:
        by_export = RowFilterChain(
            [FamilyNameRegexFilter(MARKS), ColumnQualifierRegexFilter(MARK.encode()), ExactValueFilter(BY)]
        )
        change = self._table.conditional_row(row_key(row.user_id), by_export)
        columns = [name.encode() for name in features]
        change.delete_cells(FAMILY, columns, time_range=_up_to(row.as_of), state=True)
        change.delete_cell(MARKS, MARK.encode(), state=True)
        try:
            return bool(change.commit())
        except GoogleAPICallError as error:
            raise InfraError(f"Bigtable: {error.message}") from error

    def _mutate(self, rows: list[Any]) -> None:
        try:
            statuses = self._table.mutate_rows(rows)
        except GoogleAPICallError as error:
            raise InfraError(f"Bigtable: {error.message}") from error
        if failed := [status for status in statuses if status.code]:
            raise InfraError(f"Bigtable: {len(failed)} of {len(rows)} rows were not written: {failed[0].message}")


def _told(cell: Any) -> dict[str, Any]:
    value = decode(cell.value)
    readable = value.decode(errors="backslashreplace") if isinstance(value, bytes) else value
    return {"value": readable, "as_of": cell.timestamp}


def _up_to(as_of: datetime) -> Any:
    """The cells that tell of an instant, and older ones."""
    return TimestampRange(end=from_micros(cell_micros(as_of)) + MILLISECOND)


def _batches(rows: Iterable[FeatureRow]) -> Iterator[list[FeatureRow]]:
    waiting = iter(rows)
    while batch := list(islice(waiting, ROWS_AT_ONCE)):
        yield batch
