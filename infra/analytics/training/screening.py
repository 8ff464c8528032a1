"""Screening: which columns a model may learn from, and the reason for every one that is left out."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from infra.analytics.training.columns import Column, Note
from infra.analytics.training.dataset import Dataset
from infra.analytics.training.measures import auc
from infra.errors import UsageError

MAX_CATEGORIES = 1000
"""The most categories of a term."""
ROWS_A_CATEGORY = 5
"""The fewest rows that a column of text must have for each of its values, on average."""
MANY = 10
"""A column with fewer values is no identifier, however few its rows are."""
LEAK = 0.985
"""The AUC from which a single column foretells the label too well to have been known before it."""
SUSPECT = 0.9
"""The AUC from which a single column is suspected of that, if the others do not come near it."""
FEW = 256
"""The most values of columns that are compared value by value."""
FOLDS, QUANTILES, WEIGHT = 5, 20, 5
_is_named_id = re.compile(
    r"(?i:(?:^|[._])(?:id|uuid|guid)$|^(?:user|customer|account|member|client|subscriber)_?id$)|(?<=[a-z])I[Dd]$"
).search
_is_named_number = re.compile(r"(?i)(?:^|[._])(?:key|index|number|no|nr|code)$").search


class Screened(NamedTuple):
    """The columns that are left, and what was noticed."""

    dataset: Dataset
    notes: tuple[Note, ...]
    alone: Mapping[str, float]
    """The AUC of each column that is left: how well it foretells the label by itself, out of fold."""


def screen(dataset: Dataset, seed: int, kept: Iterable[str] = ()) -> Screened:
    """Leave out columns of which nothing general can be learned, and those that know the label.

    A column in `kept` stays, whatever speaks against it. Raises `UsageError` if no column is left.
    """
    keep, notes, left = frozenset(kept), [*dataset.unfit], list[Column]()
    seen: dict[bytes, Column] = {}
    alone: dict[str, float] = {}
    for column in dataset.columns:
        reason = _useless(column) or _same_as_another(column, seen)
        if not reason:
            alone[column.name] = auc_alone(column, dataset.label, seed)
            reason = None if dataset.is_replayed else _foreknowledge(alone[column.name])
        if reason and column.name not in keep:
            notes.append(Note(column.name, f"{reason}: left out"))
        else:
            notes += [Note(column.name, f"{reason}, but kept as was asked")] if reason else []
            left.append(column)
    if not left:
        reasons = "; ".join(f"{note.column} {note.text}" for note in notes) or "it has none"
        raise UsageError(f"the rows: expected a column to learn from, found none ({reasons})")
    return Screened(dataset.with_columns(left), tuple(notes), {column.name: alone[column.name] for column in left})


def suspects(alone: Mapping[str, float], area: float) -> list[Note]:
    """The columns that foretell the label far better than all those that foretell it as usual.

    `area` is the AUC of the model with all columns.
    """
    usual = max((found for found in alone.values() if found < SUSPECT), default=0.5)
    return [
        Note(
            name,
            f"alone has an AUC of {found:.3f}, next to {area:.3f} of the model: was it known before the label?",
        )
        for name, found in alone.items()
        if found >= SUSPECT and found >= usual + 0.1
    ]


def auc_alone(column: Column, label: Any, seed: int) -> float:
    """The AUC of a column by itself, out of fold: the share of positives by value, or by twentieth of a number."""
    groups = _groups(column)
    parts = np.random.default_rng(seed).permutation(len(label)) % FOLDS
    share, predicted, size = label.mean(), np.zeros(len(label)), groups.max() + 1
    for part in range(FOLDS):
        others = parts != part
        rows = np.bincount(groups[others], minlength=size)
        positives = np.bincount(groups[others], weights=label[others], minlength=size)
        means = (positives + WEIGHT * share) / (rows + WEIGHT)
        predicted[~others] = means[groups[~others]]
    return auc(predicted, label)


def _groups(column: Column) -> Any:
    if not column.is_number:
        return column.codes()
    known = column.values[~column.missing]
    values = np.unique(known)
    edges = values if len(values) <= QUANTILES else np.unique(np.quantile(known, np.linspace(0, 1, QUANTILES + 1)))
    return np.where(column.missing, len(edges) + 1, np.searchsorted(edges, column.values))


def _useless(column: Column) -> str | None:
    known = column.values[~column.missing]
    distinct = len(set(known.tolist()))
    if distinct == 1 and not column.missing.any():
        return f"has the same value in every row ({str(known[0])[:40]})"
    whole = not column.is_number or np.equal(known, np.floor(known)).all()
    if _is_named_id(column.name) and distinct > MANY and whole:
        return f"has {distinct:,} different values and an identifier's name (--user keeps a user's rows together)"
    if column.is_number:
        return _number_as_id(column, known, distinct) if whole else None
    if distinct > MANY and (distinct > len(known) / ROWS_A_CATEGORY or distinct > MAX_CATEGORIES):
        return f"has {distinct:,} different texts in {len(known):,} rows: an identifier or free text"
    return None


def _number_as_id(column: Column, known: Any, distinct: int) -> str | None:
    """The reason to take whole numbers for identifiers: most differ, and they are numbered or named like that."""
    if distinct <= MANY or distinct < 0.9 * len(known):
        return None
    numbered = distinct == len(known) and known.max() - known.min() < 1.2 * len(known)
    if numbered or _is_named_number(column.name):
        return f"has {distinct:,} different whole numbers in {len(known):,} rows: an identifier"
    return None


def _same_as_another(column: Column, seen: dict[bytes, Column]) -> str | None:
    """The reason if an earlier column says the same in every row, perhaps in other words."""
    codes = column.codes()
    is_measure = column.is_number and codes.max() >= FEW
    signature = (column.values if is_measure else codes).tobytes()
    other = seen.setdefault(signature, column)
    if other is column:
        return None
    return f"says the same as {other.name} in every row"


def _foreknowledge(area: float) -> str | None:
    if area < LEAK:
        return None
    return (
        f"foretells the label almost perfectly (alone its AUC is {area:.3f}): it is the label, or comes after it"
    )
