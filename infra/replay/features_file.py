"""Features of a replay: the rows of a file, of which a decision knows those that tell of an instant before it."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from infra.errors import UsageError
from shared.contracts.inbound.fields import utc
from shared.contracts.strict_json import kind_of
from shared.domain.features import Feature, KnownFeatures

USER_ID, AS_OF = "user_id", "as_of"
Rows = list[tuple[datetime, dict[str, Any]]]
"""The rows of one user, in the order of the instants of which they tell; of one instant in that of the file."""


class RecordedFeatures:
    """Implements `Features`. A later row of a user replaces the values that it has, as in Bigtable."""

    def __init__(self, rows: dict[str, Rows]) -> None:
        self._rows = rows

    async def load(self, user_id: str, now: datetime) -> KnownFeatures:
        """See `Features.load`."""
        return self.known(user_id, now)

    def known(self, user_id: str, now: datetime) -> KnownFeatures:
        """The newest value of each feature of a user that tells of an instant up to `now` (UTC)."""
        rows = self._rows.get(user_id, [])
        known: dict[str, Feature] = {}
        for as_of, values in rows[: bisect_right(rows, now, key=_as_of)]:
            known |= {name: Feature(value, as_of) for name, value in values.items()}
        return KnownFeatures(known)


def read_features(path: Path, includes: Callable[[str], bool] = lambda _: True) -> RecordedFeatures:
    """The features in a file of JSON lines, of the users that `includes` takes. Raises `UsageError` and `OSError`.

    A line is a row of the warehouse: `user_id`, `as_of` (RFC 3339), and each feature by its name.
    """
    rows: dict[str, Rows] = {}
    for user_id, as_of, values in _lines(path):
        if includes(user_id):
            rows.setdefault(user_id, []).append((as_of, values))
    for each in rows.values():
        each.sort(key=_as_of)
    return RecordedFeatures(rows)


def _as_of(row: tuple[datetime, dict[str, Any]]) -> datetime:
    return row[0]


def _lines(path: Path) -> Iterator[tuple[str, datetime, dict[str, Any]]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                try:
                    yield _row(line)
                except ValueError as problem:
                    raise UsageError(f"{path}: line {number}: {problem}") from None


def _row(line: bytes) -> tuple[str, datetime, dict[str, Any]]:
    """Raises `ValueError` with what was expected and found."""
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise ValueError("expected a row as JSON, found something else") from None
    if not isinstance(row, dict):
        raise ValueError(f"expected an object, found {kind_of(row)}")  # noqa: TRY004 - a fault of the file
    user_id, as_of = row.pop(USER_ID, None), row.pop(AS_OF, None)
    if not isinstance(user_id, str):
        raise ValueError(f"{USER_ID}: expected text, found {kind_of(user_id)}")  # noqa: TRY004
    try:
        return user_id, utc(str(as_of)), row
    except ValueError:
        raise ValueError(f"{AS_OF}: expected a time such as 2026-01-31T09:00:00Z, found {as_of!r}") from None
