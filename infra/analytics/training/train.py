"""Training from end to end: screen the columns, assess every kind of model, fit the chosen one on all rows."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from infra.analytics.training.assess import (
    KINDS,
    Assessed,
    Model,
    Shuffled,
    Slice,
    choose,
    out_of_fold,
    shuffled,
    slices,
)
from infra.analytics.training.columns import Note
from infra.analytics.training.dataset import Dataset
from infra.analytics.training.folds import Folds, split
from infra.analytics.training.measures import CalibrationBin, calibration_bins
from infra.analytics.training.screening import screen, suspects
from infra.errors import UsageError
from shared.decisioning.scoring.load import InvalidScore, load_score
from shared.decisioning.scoring.score import Score

METRIC_DIGITS = 4
AUTO = "auto"
"""The choice of the kind that the data support."""


class Order(NamedTuple):
    """The model to train, and the way to do it."""

    name: str
    at: date
    """The day of the training, as the artifact tells it."""
    version: int = 1
    kind: str = AUTO
    folds: int = 10
    seed: int = 0
    kept: tuple[str, ...] = ()
    """Features that stay, whatever speaks against them."""


class Trained(NamedTuple):
    """A trained score, and everything that is known of its quality."""

    content: Mapping[str, Any]
    """The artifact."""
    score: Score
    model: Model
    dataset: Dataset
    """The rows, with the columns that the model was given."""
    folds: Folds
    candidates: Sequence[Assessed]
    chosen: Assessed
    reason: str
    """The reason why that kind was chosen."""
    shuffled: Shuffled
    bins: Sequence[CalibrationBin]
    slices: Sequence[Slice]
    alone: Mapping[str, float]
    """The AUC of every feature by itself."""
    notes: Sequence[Note]
    """Columns that were left out or are suspected, and why."""

    @property
    def data(self) -> bytes:
        """The artifact's file."""
        return (json.dumps(self.content, indent=1, ensure_ascii=False) + "\n").encode()


def train(dataset: Dataset, order: Order) -> Trained:
    """Train a score. The same rows and the same order give the same artifact, byte by byte, on one machine.

    Raises `UsageError` if the rows do not support a model.
    """
    # More threads would help only with millions of rows, and would add up sums in another order each time.
    with threadpool_limits(1):
        screened = screen(dataset, order.seed, order.kept)
        folds = split(screened.dataset, order.folds, order.seed)
        kinds = KINDS if order.kind == AUTO else (order.kind,)
        candidates = [out_of_fold(screened.dataset, folds, kind, order.seed) for kind in kinds]
        tested = folds.tested
        chosen, reason = choose(candidates, dataset.label[tested])
        control = shuffled(screened.dataset, folds, chosen.kind, order.seed)
        model = KINDS[chosen.kind](screened.dataset, np.arange(len(dataset.label)), order.seed)
    named = [] if dataset.is_replayed else suspects(screened.alone, chosen.measures.auc)
    content = _content(order, screened.dataset, model, folds, chosen, control)
    return Trained(
        content=content,
        score=_loaded(content),
        model=model,
        dataset=screened.dataset,
        folds=folds,
        candidates=candidates,
        chosen=chosen,
        reason=reason,
        shuffled=control,
        bins=calibration_bins(chosen.predicted, dataset.label[tested]),
        slices=slices(screened.dataset, tested, chosen.predicted),
        alone=screened.alone,
        notes=[*screened.notes, *named, *_useless(chosen)],
    )


def _useless(chosen: Assessed) -> list[Note]:
    """A sentence about a model that foretells nothing."""
    measured = chosen.measures
    if measured.log_loss < measured.log_loss_of_share and measured.auc_low > 0.5:
        return []
    return [Note("the model", "is not surely better than the share of the label: these rows teach it nothing")]


def _content(
    order: Order, dataset: Dataset, model: Model, folds: Folds, chosen: Assessed, control: Shuffled
) -> dict[str, Any]:
    metrics = {name: round(value, METRIC_DIGITS) for name, value in chosen.measures._asdict().items()}
    written = model.content()
    return {
        "name": order.name,
        "version": order.version,
        "kind": written.pop("kind"),
        "description": f"The probability that {dataset.label_text}."[:4000],
        "trained": {
            "on": dataset.about[:4000],
            "at": order.at.isoformat(),
            "rows": len(dataset.label),
            "how": f"{model.settings}, on all rows. The metrics are out of fold: {folds.how}."[:4000],
            "metrics": metrics | {"auc_of_shuffled_labels": round(control.auc, METRIC_DIGITS)},
        },
        **written,
    }


def _loaded(content: Mapping[str, Any]) -> Score:
    """The score as the functions load it. Raises `UsageError` if it is beyond the limits of an artifact."""
    try:
        return load_score(json.dumps(content, indent=1, ensure_ascii=False).encode())
    except InvalidScore as error:
        raise UsageError(
            f"the model: expected an artifact within its limits, found {'; '.join(error.problems)}"
        ) from None
