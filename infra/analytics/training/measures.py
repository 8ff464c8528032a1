"""Measures of predictions, over arrays: `quality` has the same in plain Python, for those who have no numpy."""

from typing import Any, NamedTuple

import numpy as np
from scipy.stats import norm, rankdata

BINS = 10
LEAST = 1e-12
"""The least probability of a label in a log-loss, so that one certain mistake is not infinite."""


class Measures(NamedTuple):
    """The quality of predictions."""

    auc: float
    auc_low: float
    """The bounds of the AUC's 95% interval (DeLong)."""
    auc_high: float
    log_loss: float
    log_loss_of_share: float
    """The log-loss of a model that predicts the share of positives for everybody."""
    calibration_error: float
    """The mean difference of prediction and observed share in ten bins of equal size."""
    positives: float
    """The share of positives."""
    rows: int


class CalibrationBin(NamedTuple):
    """A tenth of the predictions, from low to high."""

    rows: int
    predicted: float
    observed: float


def measures_of(predicted: Any, label: Any) -> Measures:
    """The measures of predicted probabilities against labels (booleans); both labels must occur."""
    area, low, high = auc_interval(predicted, label)
    share = float(label.mean())
    bins = calibration_bins(predicted, label)
    error = sum(part.rows * abs(part.predicted - part.observed) for part in bins) / len(label)
    constant = float(losses(np.full(len(label), share), label).mean())
    loss = float(losses(predicted, label).mean())
    return Measures(area, low, high, loss, constant, error, share, len(label))


def auc(predicted: Any, label: Any) -> float:
    """The probability that a positive is ranked above a negative; ties count half."""
    positives = int(label.sum())
    negatives = len(label) - positives
    ranks = rankdata(predicted)[label].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * negatives))


def auc_parts(predicted: Any, label: Any) -> tuple[Any, Any]:
    """For each positive the share of negatives below it, and for each negative the share of positives above it.

    DeLong's components of the AUC, by midranks: Sun and Xu, IEEE Signal Processing Letters 21 (2014).
    """
    positives, negatives = predicted[label], predicted[~label]
    ranks = rankdata(np.concatenate([positives, negatives]))
    of_positives = (ranks[: len(positives)] - rankdata(positives)) / len(negatives)
    of_negatives = 1 - (ranks[len(positives) :] - rankdata(negatives)) / len(positives)
    return of_positives, of_negatives


def auc_interval(predicted: Any, label: Any, level: float = 0.95) -> tuple[float, float, float]:
    """The AUC and the bounds of its interval by DeLong's variance, within 0 and 1."""
    of_positives, of_negatives = auc_parts(predicted, label)
    area = float(of_positives.mean())
    spread = _variance(of_positives) / len(of_positives) + _variance(of_negatives) / len(of_negatives)
    half = float(norm.ppf((1 + level) / 2)) * spread**0.5
    return area, max(0.0, area - half), min(1.0, area + half)


def losses(predicted: Any, label: Any) -> Any:
    """The negative log-likelihood of each label, in nats."""
    p = np.clip(predicted, LEAST, 1 - LEAST)
    return -np.log(np.where(label, p, 1 - p))


def calibration_bins(predicted: Any, label: Any, bins: int = BINS) -> list[CalibrationBin]:
    """Bins of equal size, from low to high predictions; fewer where there are fewer rows."""
    order = np.lexsort((label, predicted))
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return [CalibrationBin(len(part), float(predicted[part].mean()), float(label[part].mean())) for part in parts]


def _variance(values: Any) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else 0.0
