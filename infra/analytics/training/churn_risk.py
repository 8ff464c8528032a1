"""Trains the shipped churn-risk score and writes its artifact: `python -m infra.analytics.training.churn_risk`.

Two terms are trained on the purchases of CDNOW. All others are set by judgement, and the artifact lists them.
docs/scores.md explains the reasons.
"""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from math import log
from typing import Any, NamedTuple

from infra.analytics.training.judgement import REFERENCE_RISK, categorical_terms, numeric_terms
from infra.analytics.training.quality import Predictions, auc, calibration, log_loss
from infra.analytics.training.regression import fit, probability
from infra.analytics.training.snapshots import LONGEST_OVERDUE, Snapshot, snapshots
from infra.catalog.load import SHIPPED_SCORES
from shared.domain.subscription import RECENT_PAYMENTS

ARTIFACT = SHIPPED_SCORES / "churn_risk.1.json"
DIGITS = 4
"""Decimal places of a coefficient. More would be noise, and would differ between machines."""
PAYMENTS, PAYMENTS_KNOT = "subscription.recent_payments", 3
UNTIL_END, UNTIL_END_KNOT, MONTH = "subscription.days_until_period_end", -30, 30

# These texts and the date are part of the artifact, which a test compares byte for byte.
TRAINED_AT = "2026-11-22"
TRAINED_ON = """\
The purchases of 2,357 customers of CDNOW from January 1997 to June 1998 (infra/demo/README.md), each taken for a \
payment of a 30-day period: who a customer was on the first of each month, and whether a payment came in the next \
60 days."""
HOW = f"""\
Logistic regression on two customers of three, for {PAYMENTS} and {UNTIL_END}; the metrics are of \
the others, before the intercept was moved. These customers had no subscription and left far more often than \
subscribers do, so the intercept was moved by judgement, to {REFERENCE_RISK} for an active subscriber with three \
payments and nothing amiss. All other coefficients are judgement: no data has trained them. Train again with: \
python -m infra.analytics.training.churn_risk"""


class TrainingResult(NamedTuple):
    """The trained coefficients, and the predictions for the held-out customers."""

    coefficients: Sequence[float]
    rows: int
    """Snapshots that the regression was trained on."""
    held_out: Predictions


def train() -> TrainingResult:
    """Fit the regression on two thirds of the customers, and predict the others.

    Equal rows are counted and fitted once, with a weight.
    """
    everyone = list(snapshots())
    training = [snapshot for snapshot in everyone if not is_held_out(snapshot)]
    counted = Counter((design_row(snapshot), snapshot.left) for snapshot in training)
    rows, labels = zip(*counted, strict=True)
    coefficients = [round(value, DIGITS) for value in fit(rows, labels, list(counted.values()))]
    held_out = [(probability(coefficients, design_row(s)), s.left) for s in everyone if is_held_out(s)]
    return TrainingResult(coefficients, len(training), held_out)


def artifact(fitted: TrainingResult) -> dict[str, Any]:
    """The content of the artifact."""
    numeric, categorical = numeric_terms(), categorical_terms()
    return {
        "name": "churn_risk",
        "version": 1,
        "kind": "logistic",
        "description": "How likely it is that a subscriber pays nothing in the next 60 days.",
        "trained": {
            "on": TRAINED_ON,
            "at": TRAINED_AT,
            "rows": fitted.rows,
            "how": HOW,
            "metrics": metrics(fitted.held_out),
            "judged": [term["feature"] for term in (*numeric, *categorical)],
        },
        "intercept": intercept(fitted.coefficients),
        "numeric": [*_trained_terms(fitted.coefficients), *numeric],
        "categorical": categorical,
    }


def is_held_out(snapshot: Snapshot) -> bool:
    """True for every third customer, and for all snapshots of that customer."""
    return int(snapshot.customer) % 3 == 0


def design_row(snapshot: Snapshot) -> tuple[float, ...]:
    """The design-matrix row of a snapshot: the artifact's trained terms, without their coefficients."""
    until_end = max(-LONGEST_OVERDUE, min(0, snapshot.days_until_period_end))
    payments = snapshot.recent_payments
    return (
        until_end / MONTH,
        max(0, until_end - UNTIL_END_KNOT),
        payments - PAYMENTS_KNOT,
        max(0, payments - PAYMENTS_KNOT),
    )


def intercept(coefficients: Sequence[float]) -> float:
    """The intercept that gives the reference subscriber the reference risk.

    The reference subscriber has as many payments as the knot, and is not overdue.
    """
    not_overdue = coefficients[2] * -UNTIL_END_KNOT
    return round(log(REFERENCE_RISK / (1 - REFERENCE_RISK)) - not_overdue, DIGITS)


def metrics(held_out: Predictions) -> dict[str, float]:
    """Quality of the regression on held-out customers.

    The baseline is a model that predicts the share of customers who left, for everybody.
    """
    left = sum(label for _, label in held_out) / len(held_out)
    bins = calibration(held_out)
    values = {
        "auc": auc(held_out),
        "log_loss": log_loss(held_out),
        "log_loss_of_the_share": log_loss([(left, label) for _, label in held_out]),
        "calibration_error": sum(part.rows * abs(part.predicted - part.observed) for part in bins) / len(held_out),
        "share_that_left": left,
        "rows": len(held_out),
    }
    return {name: round(value, DIGITS) for name, value in values.items()}


def _trained_terms(coefficients: Sequence[float]) -> list[dict[str, Any]]:
    _, until_end, until_end_knot, payments, payments_knot = coefficients
    return [
        {
            "feature": UNTIL_END,
            "coefficient": until_end,
            "scale": MONTH,
            "knots": [{"at": UNTIL_END_KNOT, "coefficient": until_end_knot}],
            "min": -LONGEST_OVERDUE,
            "max": 0,
            "missing": {"impute": 0},
        },
        {
            "feature": PAYMENTS,
            "coefficient": payments,
            "center": PAYMENTS_KNOT,
            "knots": [{"at": PAYMENTS_KNOT, "coefficient": payments_knot}],
            "min": 1,
            "max": RECENT_PAYMENTS,
            "missing": "fail",
        },
    ]


def text(content: dict[str, Any]) -> str:
    """The artifact as JSON, as written to its file."""
    return json.dumps(content, indent=2) + "\n"


def main() -> None:
    """Train, write the artifact, and print its calibration."""
    fitted = train()
    ARTIFACT.write_text(text(artifact(fitted)))
    sys.stdout.write(f"wrote {ARTIFACT.name}\n{'predicted':>9} {'observed':>9} {'rows':>5}\n")
    for rows, predicted, observed in calibration(fitted.held_out):
        sys.stdout.write(f"{predicted:9.3f} {observed:9.3f} {rows:5}\n")


if __name__ == "__main__":
    main()
