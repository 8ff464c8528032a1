"""Assessment: out-of-fold predictions of every kind of model, the choice among them, and checks for leaks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from infra.analytics.training.boosting import BoostedModel, fit_trees
from infra.analytics.training.dataset import Dataset
from infra.analytics.training.folds import Folds
from infra.analytics.training.hinges import HingeModel, fit_hinges
from infra.analytics.training.measures import Measures, auc, losses, measures_of

Model = HingeModel | BoostedModel
Fit = Callable[[Dataset, Any, int], Model]
KINDS: Mapping[str, Fit] = {"logistic": fit_hinges, "trees": fit_trees}
"""The fit of each kind of artifact, the simplest first."""
SHUFFLED_BOUND = 4
"""The standard errors around one half in which the AUC of shuffled labels must lie."""
SHUFFLED_FOLDS = 3
"""The folds in which shuffled labels are tried: each of them would show the leak."""
FEWEST_IN_SLICE, MAX_VALUES_OF_SLICE = 50, 10


class Assessed(NamedTuple):
    """The out-of-fold predictions of one kind of model."""

    kind: str
    predicted: Any
    """For each tested row."""
    measures: Measures


class Shuffled(NamedTuple):
    """The AUC of a model that was trained and tested on shuffled labels, which nothing can foretell."""

    auc: float
    bound: float
    """The largest distance from one half that chance explains."""

    @property
    def is_plausible(self) -> bool:
        """False if rows of the tests have leaked into the training."""
        return abs(self.auc - 0.5) <= self.bound


class Slice(NamedTuple):
    """The tested rows with one value of a feature."""

    feature: str
    value: str
    rows: int
    predicted: float
    observed: float
    auc: float | None
    """None if all of them have one label."""


def out_of_fold(dataset: Dataset, folds: Folds, kind: str, seed: int) -> Assessed:
    """The predictions for every tested row by models that were not trained on it or on its user."""
    predicted = np.full(len(dataset.label), np.nan)
    for train, test in folds.folds:
        predicted[test] = KINDS[kind](dataset, train, seed).predict(dataset, test)
    tested = folds.tested
    return Assessed(kind, predicted[tested], measures_of(predicted[tested], dataset.label[tested]))


def choose(candidates: Sequence[Assessed], label: Any) -> tuple[Assessed, str]:
    """The kind with the least log-loss, and why. A more complex one must be better by over a standard error."""
    best = candidates[0]
    if len(candidates) == 1:
        return best, f"{best.kind} was asked for"
    reason = ""
    for other in candidates[1:]:
        gain = losses(best.predicted, label) - losses(other.predicted, label)
        error = float(gain.std() / len(gain) ** 0.5)
        told = f"{other.kind} {'lower' if gain.mean() > 0 else 'raise'} the log-loss by {abs(gain.mean()):.4f}"
        if gain.mean() > error:
            reason, best = f"{told}, more than one standard error ({error:.4f})", other
        else:
            reason = f"{told} against {best.kind} (standard error {error:.4f}), so that the simpler model stays"
    return best, reason


def shuffled(dataset: Dataset, folds: Folds, kind: str, seed: int) -> Shuffled:
    """Train and test on labels that were shuffled among the rows."""
    label = np.random.default_rng(seed).permutation(dataset.label)
    folds = folds._replace(folds=folds.folds[:SHUFFLED_FOLDS])
    tested = folds.tested
    if any(len(set(label[rows].tolist())) < 2 for rows in (*(fold.train for fold in folds.folds), tested)):
        return Shuffled(0.5, 1.0)
    predicted = out_of_fold(dataset._replace(label=label), folds, kind, seed).predicted
    positives = int(label[tested].sum())
    negatives = len(tested) - positives
    spread = ((positives + negatives + 1) / (12 * positives * negatives)) ** 0.5
    return Shuffled(auc(predicted, label[tested]), min(0.5, SHUFFLED_BOUND * spread))


def slices(dataset: Dataset, rows: Any, predicted: Any) -> list[Slice]:
    """Predicted and observed shares by the values of every category that has few; the worst calibrated first."""
    found = []
    for column in dataset.columns:
        values = column.values[rows]
        distinct = sorted({value for value in values.tolist() if value == value and value is not None})  # noqa: PLR0124
        if len(distinct) > MAX_VALUES_OF_SLICE:
            continue
        for value in distinct:
            within = values == value
            if FEWEST_IN_SLICE <= within.sum() < len(rows):
                found.append(_slice(column.name, value, predicted[within], dataset.label[rows][within]))
    return sorted(found, key=lambda one: (-_excess(one), one.feature, one.value))


def _slice(feature: str, value: object, predicted: Any, label: Any) -> Slice:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    area = auc(predicted, label) if 0 < label.sum() < len(label) else None
    return Slice(feature, text, len(label), float(predicted.mean()), float(label.mean()), area)


def _excess(one: Slice) -> float:
    """The difference of prediction and observation in standard errors."""
    spread = max(one.predicted * (1 - one.predicted), 1e-9) / one.rows
    return abs(one.predicted - one.observed) / float(spread**0.5)
