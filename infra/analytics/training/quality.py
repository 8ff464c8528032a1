"""Quality measures of predictions, for customers that the model was not trained on."""

from collections.abc import Sequence
from itertools import groupby, pairwise
from math import log
from typing import NamedTuple

Predictions = Sequence[tuple[float, bool]]
"""Pairs of a predicted probability and the observed label."""


class Bin(NamedTuple):
    """A range of predictions: its mean prediction and the observed share of positives."""

    rows: int
    predicted: float
    observed: float


def auc(predictions: Predictions) -> float:
    """Area under the ROC curve: the probability that a positive is ranked above a negative; ties count half."""
    positives = sum(label for _, label in predictions)
    below, won = 0, 0.0
    for _, tied in groupby(sorted(predictions), key=lambda prediction: prediction[0]):
        labels = [label for _, label in tied]
        hits, misses = sum(labels), len(labels) - sum(labels)
        won += hits * (below + misses / 2)
        below += misses
    return won / (positives * (len(predictions) - positives))


def log_loss(predictions: Predictions) -> float:
    """Mean negative log-likelihood in nats; smaller is better."""
    return -sum(log(p if label else 1 - p) for p, label in predictions) / len(predictions)


def calibration(predictions: Predictions, bins: int = 10) -> list[Bin]:
    """Bins of equal size, from low to high predictions. Calibrated predictions match the observed shares."""
    ranked, bounds = sorted(predictions), [len(predictions) * edge // bins for edge in range(bins + 1)]
    parts = [ranked[low:high] for low, high in pairwise(bounds)]
    return [
        Bin(len(part), sum(p for p, _ in part) / len(part), sum(y for _, y in part) / len(part)) for part in parts
    ]
