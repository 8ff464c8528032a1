"""Rows in a file, as the pipelines of many machines write them: one JSON object a line."""

from collections.abc import Iterator
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Any

import orjson

from infra.analytics.training.replayed import Snapshot
from infra.analytics.training.user_rows import LabelledRow
from infra.errors import UsageError
from shared.contracts.inbound.fields import utc


def to_line(row: LabelledRow, label: str) -> bytes:
    """A row as a line, with its end; `label` is the outcome as it was asked for. Unknown facts are left out."""
    one = row.snapshot
    columns = {
        "user_id": one.user_id,
        "at": one.at,
        "cause": one.cause,
        "label": label,
        "is": row.label,
        "facts": {name: value for name, value in one.facts.items() if value is not None},
    }
    return orjson.dumps(columns, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)


def read_rows(file: Path, label: str, names: tuple[str, ...]) -> list[LabelledRow]:
    """The rows of a file in their order, each with facts of these names.

    Raises `UsageError` for a line that is no row, or one of another label, and `OSError`.
    """
    return sorted(_rows(file, label, names), key=attrgetter("order"))


def _rows(file: Path, label: str, names: tuple[str, ...]) -> Iterator[LabelledRow]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                columns = orjson.loads(line)
                snapshot = Snapshot(columns["user_id"], *_at_and_facts(columns, names), columns["cause"])
                row, of = LabelledRow(snapshot, columns["is"] is True), columns["label"]
            except (ValueError, TypeError, LookupError, AttributeError):
                expected = "a row that `python -m infra.beam rows` wrote"
                raise UsageError(f"{file}: line {number}: expected {expected}, found something else") from None
            if of != label:
                raise UsageError(f"{file}: line {number}: expected a row of --label {label}, found one of {of}")
            yield row


def _at_and_facts(columns: dict[str, Any], names: tuple[str, ...]) -> tuple[datetime, dict[str, object]]:
    facts = columns["facts"]
    return utc(columns["at"]), {name: facts.get(name) for name in names}
