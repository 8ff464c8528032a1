"""Tables in files: the rows of a CSV or JSONL file as facts, each under a name that an artifact can use."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from infra.errors import UsageError
from shared.contracts.strict_json import read_object
from shared.domain.errors import Rejected

Row = Mapping[str, object] | str
"""The facts of one row; or, as text, the reason that the row cannot be read."""
MAX_NAME = 128
"""The most characters in the name of a fact."""

_is_number = re.compile(r"-?(?:0|[1-9]\d{0,17})(\.\d+)?([eE][-+]?\d{1,3})?", re.ASCII).fullmatch
_WORDS: Mapping[str, object] = {"": None, "true": True, "false": False}
_DELIMITERS = ",;\t"


def rows(file: Path, *, repeated_names: bool = False) -> Iterator[Row]:
    """The rows of a CSV or JSONL file, read lazily, without blank lines.

    CSV may be separated by commas, semicolons or tabs. With `repeated_names`, the second column of a name gets a
    name of its own (`x_2`). Raises `UsageError` for any other file type, and for CSV that cannot be parsed.
    """
    readers: Mapping[str, Callable[[Path], Iterator[Row]]] = {
        ".csv": lambda path: _rows_of_csv(path, repeated_names=repeated_names),
        ".jsonl": _rows_of_jsonl,
    }
    if file.suffix.lower() not in readers:
        raise UsageError(f"expected a file that ends in {' or '.join(readers)}, found {file.name!r}")
    return _readable(readers[file.suffix.lower()](file), file)


def parse_cell(cell: str) -> object:
    """The value of a CSV cell: None if blank, a boolean, a number, else the text itself.

    A number with a leading zero stays text, because it is a code.
    """
    if cell.isspace() or cell.lower() in _WORDS:
        return _WORDS.get(cell.lower())
    if number := _is_number(cell):
        return float(cell) if number[1] or number[2] else int(cell)
    return cell


@lru_cache(maxsize=10_000)
def fact_name(text: str) -> str:
    """A column's name as the name of a fact: what is no letter, digit, dot or `_` becomes `_`.

    A name that is one already stays as it is: `Monthly Charges` becomes `Monthly_Charges`.
    """
    parts = [re.sub(r"\W+", "_", part, flags=re.ASCII).strip("_") for part in text.split(".")]
    name = ".".join(filter(None, parts))
    if text == name or re.fullmatch(r"[A-Za-z]\w*(?:\.\w+)*", text, re.ASCII):
        name = text
    return (name if re.match("[A-Za-z]", name) else f"column_{name}".rstrip("_"))[:MAX_NAME].rstrip(".")


def fact_names(header: Sequence[str]) -> list[str]:
    """The names of the facts of these columns, each once: the second `x` becomes `x_2`."""
    taken = Counter(header)
    names: list[str] = []
    for text in header:
        base, name, number = fact_name(text), fact_name(text), 1
        while name in names or (name != text and name in taken):
            number += 1
            name = f"{base[: MAX_NAME - 8]}_{number}"
        names.append(name)
    return names


def _readable(rows: Iterator[Row], file: Path) -> Iterator[Row]:
    try:
        yield from rows
    except (csv.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: expected CSV in UTF-8, found something else ({error})") from error


def _rows_of_csv(file: Path, *, repeated_names: bool) -> Iterator[Row]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        first = lines.readline()
        lines.seek(0)
        delimiter = max(_DELIMITERS, key=lambda one: (first.count(one), one == ","))
        reader = csv.reader(lines, strict=True, delimiter=delimiter)
        header = next(reader, [])
        if not header or (len(set(header)) < len(header) and not repeated_names):
            raise UsageError(f"{file}: expected a first line that names each column once, found {header}")
        names = fact_names(header)
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
            yield fact_name(f"{prefix}{name}"), value
