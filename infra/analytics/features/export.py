"""The export: what changed in the warehouse's `user_features` goes to Bigtable, and what disappeared leaves it."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

import orjson

from infra.analytics.features.changes import AS_OF, USER_ID, Changes, Outcome, check_time
from infra.analytics.features.rows import Exported, FeatureRow, as_json

Progress = Callable[[float], None]


class Target(Protocol):
    """A place to which rows are exported."""

    def write(self, rows: Iterable[FeatureRow], retired: Sequence[str] = ()) -> Iterable[int]:
        """Write rows without retired features; the numbers of those that are written, as it goes on."""
        ...

    def delete(self, rows: Iterable[Exported], features: Sequence[str]) -> int:
        """Delete what an export wrote of these features; the number of rows."""
        ...


def export(changes: Changes, target: Target, now: datetime, progress: Progress = lambda _: None) -> Outcome:
    """Write and delete what changed, and remember it.

    An export that fails remembers nothing: the next one does the same again, which changes nothing that is done.
    Raises `InfraError` before it writes anything if a row is of a time after `now` (UTC).
    """
    rows, gone = [check_time(row, now) for row in changes.rows()], changes.gone()
    written = 0
    for number in target.write(rows, changes.retired):
        written += number
        progress(written / len(rows))
    deleted = target.delete(gone, changes.exported)
    changes.remember()
    total = changes.count()
    return Outcome(total, written, total - written, deleted, changes.features)


def plan(changes: Changes, now: datetime) -> Outcome:
    """The work that an export would do. Raises `InfraError` as `export`."""
    written = sum(1 for row in changes.rows() if check_time(row, now))
    total = changes.count()
    return Outcome(total, written, total - written, len(changes.gone()), changes.features)


def write_file(changes: Changes, path: Path) -> Outcome:
    """Write every row, by user, into a file that `upbeat replay --features` reads; nothing is remembered."""
    rows = sorted(changes.every_row(), key=lambda row: row.user_id)
    with path.open("wb") as file:
        for row in rows:
            values = {name: as_json(name, value) for name, value in row.values.items()}
            file.write(
                orjson.dumps({USER_ID: row.user_id, AS_OF: row.as_of, **values}, option=orjson.OPT_UTC_Z) + b"\n"
            )
    return Outcome(len(rows), len(rows), 0, 0, changes.features)
