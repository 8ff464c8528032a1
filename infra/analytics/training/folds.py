"""Folds: which rows a model is tested on, and which rows it may have been trained on before."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from infra.analytics.training.dataset import Dataset
from infra.errors import UsageError

LATER_SHARES = (0.3, 0.4, 0.5, 0.2)
"""The shares of the rows, the newest, that may be tested where rows have instants: the first that is possible."""
FEWEST_LATER = 20
"""The fewest rows of either label before and after the cut for a split by time."""


class Fold(NamedTuple):
    """The rows of one test, by their numbers."""

    train: Any
    test: Any


class Folds(NamedTuple):
    """Every test, no row in two of them; and a sentence that says how the rows were split."""

    folds: tuple[Fold, ...]
    how: str

    @property
    def tested(self) -> Any:
        """The numbers of the rows that are tested."""
        return np.sort(np.concatenate([fold.test for fold in self.folds]))


def split(dataset: Dataset, count: int, seed: int) -> Folds:
    """Folds by user, and by time where instants are known.

    No user is in the training and the test of a fold. With instants, tests are about the newest rows only, and
    training ends where the outcome of its last row was known before the first of them. Raises `UsageError`.
    """
    units = np.arange(len(dataset.label)) if dataset.users is None else dataset.users
    possible = min(count, *(len(np.unique(units[dataset.label == value])) for value in (True, False)))
    if possible < 2:
        raise UsageError("the rows: expected users of both labels for two folds, found one user of a label")
    parts = [Fold(train, test) for train, test in _by_user(dataset, possible, seed)]
    how = f"{possible} stratified folds, seed {seed}"
    how += ", all rows of a user in one fold" if dataset.users is not None else ""
    how += f" ({count} were asked for: a label has too few users)" if possible < count else ""
    if dataset.times is None:
        return Folds(tuple(parts), how)
    cut = _cut(dataset)
    if cut is None:
        return Folds(tuple(parts), f"{how}; not by time, since too few rows lie before or after any cut")
    before, later = dataset.times + dataset.horizon <= cut, dataset.times >= cut
    folds = [Fold(train[before[train]], test[later[test]]) for train, test in parts]
    usable = [fold for fold in folds if len(fold.test) and len(set(dataset.label[fold.train])) == 2]
    at = np.datetime64(int(cut), "s")
    return Folds(tuple(usable), f"{how}; trained on what was known by {at} UTC, tested on rows from then on")


def inner(dataset: Dataset, rows: Any, count: int, seed: int, most: int) -> list[Fold]:
    """Stratified folds within some rows, or a sample of `most` of them, by user: for the choice of settings."""
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    part = dataset._replace(
        label=dataset.label[rows], users=None if dataset.users is None else dataset.users[rows], times=None
    )
    units = rows if part.users is None else part.users
    possible = min(count, *(len(np.unique(units[part.label == value])) for value in (True, False)))
    if possible < 2:
        return []
    return [Fold(rows[train], rows[test]) for train, test in _by_user(part, possible, seed)]


def _by_user(dataset: Dataset, count: int, seed: int) -> Iterator[tuple[Any, Any]]:
    if dataset.users is None:
        yield from StratifiedKFold(count, shuffle=True, random_state=seed).split(dataset.label, dataset.label)
        return
    folds = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    for train, test in folds.split(dataset.label, dataset.label, dataset.users):
        if len(test):
            yield train, test


def _cut(dataset: Dataset) -> float | None:
    """The instant of the split by time; None if either side of any would have too few rows of a label."""
    for share in LATER_SHARES:
        cut = float(np.quantile(dataset.times, 1 - share, method="higher"))
        sides = dataset.times + dataset.horizon <= cut, dataset.times >= cut
        counts = [np.bincount(dataset.label[side].astype(int), minlength=2).min() for side in sides]
        if min(counts) >= FEWEST_LATER:
            return cut
    return None
