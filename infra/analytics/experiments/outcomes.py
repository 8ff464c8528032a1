"""The outcomes of the units of an experiment, summed by metric, window, arm and day: one query."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from infra.analytics.experiments.definition import Definition
from infra.analytics.experiments.exposed import JUDGED, parameters
from infra.analytics.experiments.sums import PAIRS, VALUES, Sums
from infra.analytics.warehouse.engine import Engine

_TOTALS = ", ".join(f"SUM({name}) AS {name}" for name in VALUES)
_SQUARES = ", ".join(
    f"SUM({one} * {other}) AS {one}_{other}" for one, other in (*((name, name) for name in VALUES), *PAIRS)
)
# A row that is there twice is one row. Subscriptions of a user are no independent units: their sums are.
SUMMED = f"""
WITH {JUDGED},
outcomes AS (
  SELECT DISTINCT unit_id, metric, window_days, complete, numerator, denominator, covariate
  FROM metrics
  WHERE experiment_id = @experiment AND exposure_date >= @since AND exposure_date <= @until AND ({{metrics}})
),
weighed AS (
  SELECT
    u.user_id, u.variant, u.exposure_date, o.metric, o.window_days, COALESCE(o.complete, FALSE) AS complete,
    o.numerator, o.denominator, COALESCE(o.covariate, 0.0) AS covariate,
    CASE WHEN @weighted THEN 1.0 / u.propensity ELSE 1.0 END AS weight
  FROM judged AS u
  JOIN outcomes AS o ON o.unit_id = u.unit_id
  WHERE u.left_out IS NULL
),
clusters AS (
  SELECT
    metric, window_days, complete, variant, user_id,
    MIN(exposure_date) AS exposure_date,
    COUNT(*) AS units,
    SUM(CASE WHEN numerator IS NULL OR denominator IS NULL THEN 1 ELSE 0 END) AS missing,
    SUM(weight * numerator) AS outcome,
    SUM(weight * denominator) AS divisor,
    SUM(weight * covariate) AS covariate,
    SUM(weight) AS weight
  FROM weighed
  GROUP BY metric, window_days, complete, variant, user_id
)
SELECT
  metric, window_days, complete, variant, exposure_date,
  COUNT(*) AS count, SUM(units) AS units, SUM(missing) AS missing, {_TOTALS}, {_SQUARES}
FROM clusters
GROUP BY metric, window_days, complete, variant, exposure_date
"""  # noqa: S608
KNOWN_METRICS = """
SELECT DISTINCT metric FROM metrics
WHERE experiment_id = @experiment AND exposure_date >= @since AND exposure_date <= @until
ORDER BY metric
"""
MAX_METRICS = 32
"""The most metrics in one report."""


@dataclass(slots=True)
class Outcome:
    """A metric within one window after the exposure."""

    by_day: dict[date, dict[str, Sums]] = field(default_factory=dict)
    """The units whose window has passed, by the day of their exposure and by arm."""
    waiting: int = 0
    """Units whose window has not passed."""
    missing: int = 0
    """Units without a number."""

    @property
    def complete(self) -> int:
        """Units whose window has passed."""
        return sum(sums.units for arms in self.by_day.values() for sums in arms.values())

    def total(self, until: date | None = None) -> dict[str, Sums]:
        """The sums of each arm, of units exposed up to a day."""
        found: dict[str, Sums] = {}
        for day, arms in self.by_day.items():
            if until is None or day <= until:
                for arm, sums in arms.items():
                    found[arm] = found[arm] + sums if arm in found else sums
        return found


Outcomes = Mapping[str, Mapping[int, Outcome]]
"""The outcomes by metric and by window in days, the shortest first."""


def outcomes(
    engine: Engine, definition: Definition, metrics: Sequence[str], days: tuple[date, date], *, weighted: bool
) -> Outcomes:
    """The outcomes of the units first exposed on these days, both included."""
    if not metrics:
        return {}
    asked = {f"metric_{number}": metric for number, metric in enumerate(metrics)}
    sql = SUMMED.format(metrics=" OR ".join(f"metric = @{name}" for name in asked))
    rows = engine.rows(sql, **parameters(definition, *days), **asked, weighted=weighted)
    found: dict[str, dict[int, Outcome]] = {metric: {} for metric in metrics}
    for row in sorted(rows, key=lambda row: (row["window_days"], row["exposure_date"])):
        _add(found[row["metric"]].setdefault(row["window_days"], Outcome()), row)
    return found


def known_metrics(engine: Engine, definition: Definition, days: tuple[date, date]) -> list[str]:
    """The metrics that the warehouse has of an experiment."""
    asked = {"experiment": definition.id, "since": days[0], "until": days[1]}
    return [row["metric"] for row in engine.rows(KNOWN_METRICS, **asked)]


def window_of(found: Outcomes) -> int | None:
    """The longest window that has passed for half of the units or more; else the shortest. None without any.

    Times decide on it and outcomes do not, so that it may be chosen after the fact.
    """
    windows = sorted({window for by_window in found.values() for window in by_window})
    passed = [window for window in windows if all(_has_passed(by_window, window) for by_window in found.values())]
    return max(passed) if passed else next(iter(windows), None)


def _has_passed(by_window: Mapping[int, Outcome], window: int) -> bool:
    outcome = by_window.get(window)
    return not by_window or (outcome is not None and outcome.complete >= outcome.waiting)


def days_of(by_window: Iterable[Outcome]) -> list[date]:
    """The days on which units were exposed."""
    return sorted({day for outcome in by_window for day in outcome.by_day})


def _add(outcome: Outcome, row: Mapping[str, Any]) -> None:
    outcome.missing += int(row["missing"])
    if row["complete"]:
        outcome.by_day.setdefault(row["exposure_date"], {})[row["variant"]] = Sums.of_row(row)
    else:
        outcome.waiting += int(row["units"])
