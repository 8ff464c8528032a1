"""Promotion: a new score against the one in force on the same held-out rows. One that is worse is refused."""

from typing import Any, NamedTuple

import numpy as np
from scipy.stats import norm

from infra.analytics.training.dataset import Dataset
from infra.analytics.training.measures import Measures, auc_parts, losses, measures_of
from infra.errors import UsageError
from shared.decisioning.scoring.score import Score

MARGIN = 0.005
"""The increase of the log-loss, in nats, that must be ruled out."""
LEVEL = 0.95
RESAMPLES = 2000


class Interval(NamedTuple):
    """An estimate and the bounds of its 95% interval."""

    estimate: float
    low: float
    high: float


class Comparison(NamedTuple):
    """A new score against the one in force."""

    in_force: str
    """NAME@VERSION."""
    before: Measures
    after: Measures
    log_loss: Interval
    """The increase of the log-loss: below 0 the new score is better. Bootstrap over users."""
    auc: Interval
    """The increase of the AUC. DeLong, over rows."""
    rows: int
    failed: int
    """Held-out rows that the score in force cannot score; they are not compared."""

    @property
    def refusal(self) -> str | None:
        """The reason why the new score may not replace the other; None if it may."""
        if self.log_loss.low > 0:
            return "its log-loss is surely higher"
        if self.log_loss.high > MARGIN:
            return f"these rows cannot rule out that its log-loss is higher by more than {MARGIN}"
        return None


def compare(dataset: Dataset, rows: Any, predicted: Any, in_force: Score, seed: int) -> Comparison:
    """Compare out-of-fold predictions for these rows with the scores of the one in force.

    Raises `UsageError` if that one has no score for rows of both labels.
    """
    name = f"{in_force.name}@{in_force.version}"
    facts = {feature: dataset.facts[feature] for feature in in_force.features if feature in dataset.facts}
    scored = [in_force.evaluate({feature: values[row] for feature, values in facts.items()}) for row in rows]
    old = np.array([np.nan if one.value is None else one.value for one in scored])
    usable = ~np.isnan(old)
    label = dataset.label[rows][usable]
    if len(set(label.tolist())) < 2:
        error = next((one.error for one in scored if one.error), "no score")
        raise UsageError(f"--promote-against: expected scores of {name} for rows of both labels, found {error}")
    old, new = old[usable], predicted[usable]
    users = rows[usable] if dataset.users is None else dataset.users[rows][usable]
    return Comparison(
        name,
        measures_of(old, label),
        measures_of(new, label),
        _mean_by_user(losses(new, label) - losses(old, label), users, seed),
        _auc_difference(old, new, label),
        len(label),
        int((~usable).sum()),
    )


def _mean_by_user(values: Any, users: Any, seed: int) -> Interval:
    """The mean of the values, with a bootstrap interval that draws users, since rows of one user are alike."""
    _, unit = np.unique(users, return_inverse=True)
    sums, sizes = np.bincount(unit, weights=values), np.bincount(unit)
    generator = np.random.default_rng(seed)
    means = []
    for _ in range(RESAMPLES):
        drawn = generator.integers(0, len(sums), len(sums))
        means.append(sums[drawn].sum() / sizes[drawn].sum())
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(values.mean()), float(low), float(high))


def _auc_difference(old: Any, new: Any, label: Any) -> Interval:
    parts = [np.subtract(*pair) for pair in zip(auc_parts(new, label), auc_parts(old, label), strict=True)]
    estimate = float(parts[0].mean())
    spread = sum(float(part.var(ddof=1)) / len(part) for part in parts if len(part) > 1) ** 0.5
    half = float(norm.ppf((1 + LEVEL) / 2)) * spread
    return Interval(estimate, estimate - half, estimate + half)
