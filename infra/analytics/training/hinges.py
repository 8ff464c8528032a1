"""Hinge logistic regression: every number is a line with bends, every category a value of its own; penalised (L2).

The columns of the design are the parts of the artifact's terms, so that a fitted coefficient becomes one there.
"""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from infra.analytics.training.columns import Column
from infra.analytics.training.dataset import Dataset
from infra.analytics.training.folds import inner
from infra.analytics.training.measures import losses

KNOTS = 5
"""The most bends of a number, at its quantiles."""
FEWEST_FOR_KNOTS = 50
"""The fewest rows with a number for it to have bends."""
STRENGTHS = (0.001, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""The choices of scikit-learn's C: the smaller, the stronger the penalty."""
INNER_FOLDS = 3
MOST_ROWS = 10_000
"""The most rows by which the penalty is chosen: the best one does not depend on their number."""
RAREST = 5
"""The fewest rows of a category with a coefficient of its own, if they are a 500th of all; others share one."""
MAX_TERMS, MAX_CATEGORIES = 128, 1000
DIGITS = 9
"""Significant digits in the artifact. More would differ between machines."""


class NumberTerm(NamedTuple):
    """The shape of a number's term, before its coefficients are known."""

    feature: str
    center: float
    scale: float
    low: float
    high: float
    knots: tuple[float, ...]
    can_miss: bool

    def design(self, values: Any) -> list[Any]:
        """The term's columns: the line, each bend, and whether the number is missing."""
        missing = np.isnan(values)
        x = np.clip(values, self.low, self.high)
        parts = [(x - self.center) / self.scale, *(np.maximum(0, x - knot) / self.scale for knot in self.knots)]
        columns = [np.where(missing, 0.0, part) for part in parts]
        return [*columns, missing.astype(float)] if self.can_miss else columns

    def written(self, coefficients: Sequence[float]) -> dict[str, Any]:
        """The term as the artifact has it."""
        slopes = coefficients[1 : 1 + len(self.knots)]
        term = {
            "feature": self.feature,
            "coefficient": rounded(coefficients[0]),
            "center": self.center,
            "scale": self.scale,
            "knots": [
                {"at": at, "coefficient": rounded(c / self.scale)}
                for at, c in zip(self.knots, slopes, strict=True)
            ],
            "min": self.low,
            "max": self.high,
            "missing": {"contribute": rounded(coefficients[-1])} if self.can_miss else "fail",
        }
        return {name: value for name, value in term.items() if value != []}


class CategoryTerm(NamedTuple):
    """The shape of a category's term."""

    feature: str
    categories: tuple[str, ...]
    has_rare: bool
    """True if there are others in the rows, which are too rare for coefficients of their own."""
    can_miss: bool

    def design(self, values: Any) -> list[Any]:
        """A column for each category, for the rare ones together, and for missing ones."""
        columns = [np.equal(values, one) for one in self.categories]
        missing = np.equal(values, None)
        known = np.logical_or.reduce([missing, *columns])
        columns += [~known] if self.has_rare else []
        columns += [missing] if self.can_miss else []
        return [column.astype(float) for column in columns]

    def written(self, coefficients: Sequence[float]) -> dict[str, Any]:
        """The term as the artifact has it. A category that training never met contributes nothing."""
        rest = [rounded(value) for value in coefficients[len(self.categories) :]]
        return {
            "feature": self.feature,
            "categories": dict(zip(self.categories, map(rounded, coefficients), strict=False)),
            "other": rest.pop(0) if self.has_rare else 0,
            "missing": rest.pop(0) if self.can_miss else "fail",
        }


Term = NumberTerm | CategoryTerm


class HingeModel(NamedTuple):
    """A fitted regression."""

    terms: tuple[Term, ...]
    intercept: float
    coefficients: tuple[tuple[float, ...], ...]
    """Of each term, in the order of its columns."""
    strength: float

    def predict(self, dataset: Dataset, rows: Any) -> Any:
        """The probability of the label for each of these rows."""
        odds = design(self.terms, dataset, rows) @ np.concatenate(self.coefficients) + self.intercept
        return 1 / (1 + np.exp(-np.clip(odds, -700, 700)))

    def content(self) -> dict[str, Any]:
        """The artifact's fields that are those of a logistic regression."""
        written = [term.written(part) for term, part in zip(self.terms, self.coefficients, strict=True)]
        return {
            "kind": "logistic",
            "intercept": rounded(self.intercept),
            "numeric": [term for term in written if "coefficient" in term],
            "categorical": [term for term in written if "categories" in term],
        }

    @property
    def settings(self) -> str:
        """A sentence about how it was fitted."""
        knots = sum(len(term.knots) for term in self.terms if isinstance(term, NumberTerm))
        shape = f"{len(self.terms)} features with {knots} knots at quantiles"
        return f"logistic regression of {shape}, L2 with C = {self.strength:g}"


def fit_hinges(dataset: Dataset, rows: Any, seed: int) -> HingeModel:
    """Fit on these rows. The penalty is the one with the least log-loss in folds within them."""
    terms = shape(dataset.columns, rows)
    matrix = design(terms, dataset, rows)
    strength = _strength(dataset, rows, matrix, seed)
    fitted = _fit(matrix, dataset.label[rows], strength)
    ends = np.cumsum([len(term.design(_empty(term))) for term in terms])
    parts = np.split(fitted.coef_[0], ends[:-1])
    coefficients = tuple(tuple(map(float, part)) for part in parts)
    return HingeModel(terms, float(fitted.intercept_[0]), coefficients, strength)


def shape(columns: Sequence[Column], rows: Any) -> tuple[Term, ...]:
    """The terms of these columns, by the values in these rows; at most as many as an artifact may have."""
    terms = [(_number if column.is_number else _category)(column, rows) for column in columns]
    counts = Counter[type]()
    kept: list[Term] = []
    for term in terms:
        counts[type(term)] += 1
        if counts[type(term)] <= MAX_TERMS:
            kept.append(term)
    return tuple(kept)


def design(terms: Sequence[Term], dataset: Dataset, rows: Any) -> Any:
    """The design matrix of these rows."""
    values: Mapping[str, Any] = {column.name: column.values for column in dataset.columns}
    return np.column_stack([part for term in terms for part in term.design(values[term.feature][rows])])


def rounded(value: float) -> float:
    """The value with the artifact's digits."""
    return float(f"{value:.{DIGITS}g}")


def _number(column: Column, rows: Any) -> NumberTerm:
    values = column.values[rows]
    known = values[~np.isnan(values)]
    can_miss = bool(column.missing.any())
    if not len(known):
        return NumberTerm(column.name, 0.0, 1.0, 0.0, 0.0, (), can_miss)
    low, high = float(known.min()), float(known.max())
    inside: Any = []
    if len(known) >= FEWEST_FOR_KNOTS:
        quantiles = np.unique(np.quantile(known, np.arange(1, KNOTS + 1) / (KNOTS + 1), method="nearest"))
        inside = quantiles[(quantiles > low) & (quantiles < high)]
    scale = rounded(float(known.std())) or 1.0
    return NumberTerm(
        column.name,
        float(np.quantile(known, 0.5, method="nearest")),
        scale,
        low,
        high,
        tuple(map(float, inside)),
        can_miss,
    )


def _category(column: Column, rows: Any) -> CategoryTerm:
    counts = Counter(value for value in column.values[rows].tolist() if value is not None)
    least = max(RAREST, len(rows) / 500)
    common = [value for value, count in counts.most_common(MAX_CATEGORIES) if count >= least]
    chosen = sorted(common or list(counts)[:1] or [""])
    return CategoryTerm(column.name, tuple(chosen), len(chosen) < len(counts), bool(column.missing.any()))


def _empty(term: Term) -> Any:
    return np.empty(0) if isinstance(term, NumberTerm) else np.empty(0, dtype=object)


def _strength(dataset: Dataset, rows: Any, matrix: Any, seed: int) -> float:
    folds = inner(dataset, rows, INNER_FOLDS, seed, MOST_ROWS)
    if not folds:
        return STRENGTHS[0]
    place = np.full(len(dataset.label), -1)
    place[rows] = np.arange(len(rows))
    loss = dict.fromkeys(STRENGTHS, 0.0)
    for train, test in folds:
        known, unknown, label = matrix[place[train]], matrix[place[test]], dataset.label[test]
        for strength in STRENGTHS:
            predicted = _fit(known, dataset.label[train], strength).predict_proba(unknown)[:, 1]
            loss[strength] += float(losses(predicted, label).sum())
    return min(STRENGTHS, key=lambda strength: (loss[strength], strength))


def _fit(matrix: Any, label: Any, strength: float) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the penalty makes the last steps immaterial
        return LogisticRegression(C=strength, solver="newton-cholesky", max_iter=100).fit(matrix, label)
