"""The data that a model is trained on: columns, a label for each row, and whose and from when each row is."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from typing import Any, NamedTuple

import numpy as np

from infra.analytics.tables import Row
from infra.analytics.training.columns import Column, Note, Unfit, column_of, instant_of
from infra.analytics.training.labels import find_column, read_labels
from infra.errors import UsageError

MAX_ROWS = 5_000_000
"""The most rows of a table, all of which are in memory."""


class Dataset(NamedTuple):
    """Rows to learn from."""

    about: str
    """A sentence that says what the rows are."""
    columns: tuple[Column, ...]
    facts: Mapping[str, Sequence[object]]
    """The facts of every row as a score is given them, by their names; also of columns that are left out."""
    label: Any
    """An array of booleans."""
    label_text: str
    """A few words that say when the label is true."""
    users: Any = None
    """An array with a number for each row, equal for rows of one user; None if every row is another user."""
    times: Any = None
    """An array of the rows' instants in seconds since 1970; None if they are unknown."""
    horizon: float = 0
    """The seconds after a row's instant in which its label is decided."""
    is_replayed: bool = False
    """True if every fact is known to be older than the label, since a replay computed it."""
    notes: tuple[str, ...] = ()
    """Sentences about the rows and the label."""
    unfit: tuple[Note, ...] = ()
    """Columns that could not be read as features, with the reason; and what was noticed about others."""

    def with_columns(self, columns: Sequence[Column]) -> "Dataset":
        """The same rows with these columns only."""
        return self._replace(columns=tuple(columns))


class Roles(NamedTuple):
    """The columns of a table that are no features, as the person names them."""

    label: str
    positive: str | None = None
    user: str | None = None
    time: str | None = None
    left_out: tuple[str, ...] = ()


def dataset_of_table(rows: Iterable[Row], roles: Roles, about: str, prefix: str = "") -> Dataset:
    """The dataset in the rows of a table. Features are named after their columns, behind `prefix`.

    Raises `UsageError` if the label, or another column that is named, does not exist or cannot be used.
    """
    facts, unreadable = _facts_by_column(rows)
    repeated = _repeated(facts)
    label_column = find_column(roles.label, facts, "--label")
    labels = read_labels(label_column, facts.pop(label_column), roles.positive)
    users, times = _users(facts, roles.user), _times(facts, roles.time)
    left_out = {find_column(name, facts, "--leave-out") for name in roles.left_out}
    keep = np.array([value is not None for value in labels.values]) & ~repeated
    columns, unfit = _columns({name: facts[name] for name in facts if name not in left_out}, prefix)
    notes = [f"{unreadable} rows could not be read, and were left out"] if unreadable else []
    if repeated.any():
        notes.append(f"{repeated.sum()} rows repeat an earlier one, its identifier included, and were left out")
    return Dataset(
        about,
        tuple(column._replace(values=column.values[keep]) for column in columns),
        {prefix + name: list(compress(values, keep)) for name, values in facts.items()},
        np.array([*compress(labels.values, keep)], dtype=bool),
        f"{labels.column} is {labels.positive}",
        None if users is None else users[keep],
        None if times is None else times[keep],
        notes=(*notes, *labels.notes),
        unfit=tuple(unfit),
    )


def dataset_of_facts(
    facts: Mapping[str, Sequence[object]], label: Sequence[bool], users: Sequence[str], times: Sequence[float]
) -> Dataset:
    """The dataset of snapshots: the facts of each under their names, their labels, users and instants.

    Raises `UsageError` if either label has too few rows.
    """
    read_labels("label", label, None)
    columns, unfit = _columns(facts, "")
    codes: dict[str, int] = {}
    numbers = np.array([codes.setdefault(user, len(codes)) for user in users], dtype=int)
    return Dataset(
        "", tuple(columns), facts, np.array(label, dtype=bool), "", numbers, np.array(times), unfit=tuple(unfit)
    )


def _facts_by_column(rows: Iterable[Row]) -> tuple[dict[str, list[object]], int]:
    """The facts of every column, None where a row has none; and the number of rows that cannot be read."""
    facts: dict[str, list[object]] = {}
    count = unreadable = 0
    for row in rows:
        if isinstance(row, str):
            unreadable += 1
            continue
        if count == MAX_ROWS:
            raise UsageError(f"--rows: expected at most {MAX_ROWS:,} rows, found more")
        for name in row:
            if name not in facts:
                facts[name] = [None] * count
        for name, values in facts.items():
            values.append(row.get(name))
        count += 1
    if not count:
        raise UsageError(f"--rows: expected rows, found none ({unreadable} could not be read)")
    return facts, unreadable


def _repeated(facts: Mapping[str, Sequence[object]]) -> Any:
    """True for each row that says in every column what an earlier row says, if that cannot be chance.

    It cannot if one column tells all the others apart: an identifier.
    """
    columns = [
        [repr(value) if isinstance(value, list) else value for value in values] for values in facts.values()
    ]
    repeated, seen = [], set()
    for row in zip(*columns, strict=True):
        repeated.append(row in seen)
        seen.add(row)
    has_identifier = any(len({*values}) == len(seen) for values in columns)
    return np.array(repeated) & has_identifier


def _columns(facts: Mapping[str, Sequence[object]], prefix: str) -> tuple[list[Column], list[Note]]:
    columns, notes = [], []
    for name, values in facts.items():
        try:
            column, note = column_of(prefix + name, values)
        except Unfit as reason:
            notes.append(Note(prefix + name, f"{reason}: left out"))
            continue
        columns.append(column)
        notes += [note] if note else []
    return columns, notes


def _users(facts: dict[str, list[object]], name: str | None) -> Any:
    if name is None:
        return None
    values = facts.pop(find_column(name, facts, "--user"))
    codes: dict[object, int] = {}
    # A row without a user is a user of its own.
    return np.array([codes.setdefault(("row", n) if v is None else v, len(codes)) for n, v in enumerate(values)])


def _times(facts: dict[str, list[object]], name: str | None) -> Any:
    if name is None:
        return None
    column = find_column(name, facts, "--time")
    instants = [instant_of(value) for value in facts.pop(column)]
    if None in instants:
        row = instants.index(None) + 1
        raise UsageError(
            f"--time: expected an ISO 8601 date or time in each row of {column}, found another in row {row}"
        )
    return np.array(instants, dtype=float)
