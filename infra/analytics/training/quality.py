"""How good predictions are on people they were not made from."""

from collections.abc import Sequence
from itertools import groupby, pairwise
from math import log
from typing import NamedTuple

Predictions = Sequence[tuple[float, bool]]
"""What was predicted, and what came."""


class Bin(NamedTuple):
    """A part of the predictions, from low to high: what was predicted of it on average, and what came."""

    rows: int
    predicted: float
    observed: float


def auc(predictions: Predictions) -> float:
    """How often one who left was predicted higher than one who stayed; ties count half."""
    positives = sum(label for _, label in predictions)
    below, won = 0, 0.0
    for _, tied in groupby(sorted(predictions), key=lambda one: one[0]):
        labels = [label for _, label in tied]
        hits, misses = sum(labels), len(labels) - sum(labels)
        won += hits * (below + misses / 2)
        below += misses
    return won / (positives * (len(predictions) - positives))


def log_loss(predictions: Predictions) -> float:
    """The mean surprise, in nats; the smaller the better."""
    return -sum(log(p if label else 1 - p) for p, label in predictions) / len(predictions)


def calibration(predictions: Predictions, bins: int = 10) -> list[Bin]:
    """Bins of equal size: where predictions are honest, predicted and observed agree in each."""
    ranked, bounds = sorted(predictions), [len(predictions) * edge // bins for edge in range(bins + 1)]
    parts = [ranked[low:high] for low, high in pairwise(bounds)]
    return [
        Bin(len(part), sum(p for p, _ in part) / len(part), sum(y for _, y in part) / len(part)) for part in parts
    ]
