"""Batch scoring on this machine: finds a score artifact, and evaluates it for every row of a file."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.catalog.load import SHIPPED_SCORES
from infra.errors import UsageError
from shared.contracts.strict_json import read_object
from shared.decisioning.scoring.load import InvalidScore, load_score
from shared.decisioning.scoring.score import Score, Scored
from shared.domain.errors import Rejected

Row = Mapping[str, object] | str
"""The facts of one row; or, as text, the reason that the row cannot be read."""

_is_name_at_version = re.compile(r"([\w-]+)@(\d{1,7})", re.ASCII).fullmatch
_is_number = re.compile(r"-?(?:0|[1-9]\d{0,17})(\.\d+)?([eE][-+]?\d{1,3})?", re.ASCII).fullmatch
_WORDS: Mapping[str, object] = {"": None, "true": True, "false": False}


@dataclass(slots=True)
class RowCounts:
    """Running counts over the rows read so far."""

    unseen: set[str]
    """The features that no row has had yet."""
    rows: int = 0
    failed: int = 0
    """Rows without a score."""


def shipped_artifact(name: str, version: int) -> bytes | None:
    """The bytes of the shipped artifact with this name and version; None if it does not exist."""
    path = SHIPPED_SCORES / f"{name}.{version}.json"
    return path.read_bytes() if path in SHIPPED_SCORES.iterdir() else None


def find_score(model: str) -> Score:
    """Load a score by NAME@VERSION from the shipped artifacts, else from a path.

    Raises `UsageError` if the artifact does not exist or is invalid.
    """
    try:
        return load_score(_artifact(model))
    except InvalidScore as error:
        raise UsageError(f"{model}: {error}") from error


def rows(file: Path) -> Iterator[Row]:
    """The rows of a CSV or JSONL file, read lazily, without blank lines.

    Raises `UsageError` for any other file type, and for CSV that cannot be parsed.
    """
    readers = {".csv": _rows_of_csv, ".jsonl": _rows_of_jsonl}
    if file.suffix.lower() not in readers:
        raise UsageError(f"expected a file that ends in {' or '.join(readers)}, found {file.name!r}")
    return _readable(readers[file.suffix.lower()](file), file)


def score_rows(score: Score, rows_read: Iterable[Row], counts: RowCounts) -> Iterator[Scored]:
    """Evaluate the score for each row, and update `counts`."""
    for row in rows_read:
        if isinstance(row, str):
            scored = Scored.failed(score.name, score.version, row)
        else:
            scored = score.evaluate(row)
            counts.unseen.difference_update(row)
        counts.rows += 1
        counts.failed += scored.value is None
        yield scored


def parse_cell(cell: str) -> object:
    """The value of a CSV cell: None if empty, a boolean, a number, else the text itself.

    A number with a leading zero stays text, because it is a code.
    """
    if cell.lower() in _WORDS:
        return _WORDS[cell.lower()]
    if number := _is_number(cell):
        return float(cell) if number[1] or number[2] else int(cell)
    return cell


def _artifact(model: str) -> bytes:
    if match := _is_name_at_version(model):
        data = shipped_artifact(match[1], int(match[2]))
        known = ", ".join(sorted(path.stem.replace(".", "@") for path in SHIPPED_SCORES.iterdir()))
        if data is None:
            raise UsageError(f"unknown score {model!r}; known are: {known}")
        return data
    try:
        return Path(model).read_bytes()
    except OSError as error:
        expected = "NAME@VERSION or the path of an artifact"
        raise UsageError(f"--model: expected {expected}, found {model!r} ({error.strerror})") from error


def _readable(rows: Iterator[Row], file: Path) -> Iterator[Row]:
    try:
        yield from rows
    except (csv.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: expected CSV in UTF-8, found something else ({error})") from error


def _rows_of_csv(file: Path) -> Iterator[Row]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        names = next(reader, [])
        if not names or len(set(names)) < len(names):
            raise UsageError(f"{file}: expected a first line that names each column once, found {names}")
        for cells in filter(None, reader):
            if len(cells) == len(names):
                yield dict(zip(names, map(parse_cell, cells), strict=True))
            else:
                yield f"expected {len(names)} cells, found {len(cells)}"


def _rows_of_jsonl(file: Path) -> Iterator[Row]:
    with file.open("rb") as lines:
        for line in filter(bytes.strip, lines):
            try:
                yield dict(_flat(read_object(line)))
            except Rejected as rejected:
                yield rejected.detail


def _flat(facts: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Flatten nested objects: `{"subscription": {"plan": "p"}}` becomes `{"subscription.plan": "p"}`."""
    for name, value in facts.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
