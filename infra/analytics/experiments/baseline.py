"""The history of an experiment's campaigns before it starts: how many units a day, and what they do."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from infra.analytics.experiments.definition import HELD_OUT
from infra.analytics.experiments.exposed import FIRST_DAY, LAST_DAY, NothingToReport
from infra.analytics.experiments.sums import Sums
from infra.analytics.warehouse.engine import Engine

SOURCES = """
SELECT
  experiment_id, COUNT(DISTINCT unit_id) AS units, MIN(exposure_date) AS first_day, MAX(exposure_date) AS last_day
FROM exposures
WHERE exposure_date >= @since AND exposure_date <= @until AND variant != @held_out
  AND given AND ({campaigns})
GROUP BY experiment_id
ORDER BY units DESC, experiment_id
"""
OUTCOMES = """
WITH exposed AS (
  SELECT DISTINCT unit_id FROM exposures
  WHERE experiment_id = @experiment AND exposure_date >= @since AND exposure_date <= @until
    AND variant != @held_out AND given AND ({campaigns})
),
outcomes AS (
  SELECT DISTINCT unit_id, numerator AS outcome, denominator AS divisor, COALESCE(covariate, 0.0) AS covariate
  FROM metrics
  WHERE experiment_id = @experiment AND exposure_date >= @since AND exposure_date <= @until
    AND metric = @metric AND window_days = @window_days AND complete
    AND numerator IS NOT NULL AND denominator IS NOT NULL
)
SELECT
  COUNT(*) AS count, COUNT(*) AS units,
  SUM(outcome) AS outcome, SUM(divisor) AS divisor, SUM(covariate) AS covariate, SUM(1.0) AS weight,
  SUM(outcome * outcome) AS outcome_outcome, SUM(divisor * divisor) AS divisor_divisor,
  SUM(covariate * covariate) AS covariate_covariate, SUM(1.0) AS weight_weight,
  SUM(outcome * divisor) AS outcome_divisor, SUM(outcome * covariate) AS outcome_covariate,
  SUM(outcome) AS outcome_weight, SUM(divisor * covariate) AS divisor_covariate, SUM(divisor) AS divisor_weight,
  SUM(covariate) AS covariate_weight
FROM outcomes
JOIN exposed ON exposed.unit_id = outcomes.unit_id
"""
FUNNEL = """
SELECT stage, SUM(number) AS number, MIN(day) AS first_day, MAX(day) AS last_day
FROM funnel
WHERE stage != 'lost' AND stage != 'revoked' AND ({campaigns})
GROUP BY stage
"""
STAGES = {"impression": "seen", **{kind: kind for kind in ("delivered", "clicked", "accepted", "converted")}}
"""The stages of the funnel in which metrics are counted."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The units of the campaigns, as history has them."""

    source: str
    """The source of the numbers."""
    units_per_day: float
    outcomes: Mapping[str, Sums]
    """By metric, as far as there are any."""


def baseline(engine: Engine, campaigns: Sequence[str], metrics: Iterable[str], window_days: int) -> Baseline:
    """The numbers of the past: by the units of an experiment or holdout of these campaigns, else by the funnel.

    Raises `NothingToReport` if neither has any.
    """
    ids = {f"campaign_{number}": campaign for number, campaign in enumerate(campaigns)}
    among = " OR ".join(f"campaign_id = @{name}" for name in ids) or "FALSE"
    found = _of_units(engine, among, ids, [*metrics], window_days) or _of_funnel(engine, among, ids, metrics)
    if found is None:
        expected = f"units of the campaigns {', '.join(campaigns) or 'of the experiment'}"
        raise NothingToReport(f"exposures and funnel: expected {expected}, found none")
    return found


def _of_units(
    engine: Engine, among: str, ids: Mapping[str, str], metrics: Sequence[str], window_days: int
) -> Baseline | None:
    asked = {"since": FIRST_DAY, "until": LAST_DAY, "held_out": HELD_OUT, **ids}
    sources = engine.rows(SOURCES.format(campaigns=among), **asked)
    if not sources:
        return None
    source = sources[0]
    asked |= {"experiment": source["experiment_id"], "window_days": window_days}
    sql = OUTCOMES.format(campaigns=among)
    sums = {metric: Sums.of_row(engine.rows(sql, **asked, metric=metric)[0]) for metric in metrics}
    known = {metric: each for metric, each in sums.items() if each.count}
    per_day = source["units"] / _days(source["first_day"], source["last_day"])
    return Baseline(f"{source['units']:,} units of {source['experiment_id']}", per_day, known)


def _of_funnel(engine: Engine, among: str, ids: Mapping[str, str], metrics: Iterable[str]) -> Baseline | None:
    rows = {row["stage"]: row for row in engine.rows(FUNNEL.format(campaigns=among), **ids)}
    issued = rows.get("issued")
    if not issued:
        return None
    count = int(issued["number"])
    numbers = {metric: int(rows[stage]["number"]) for metric in metrics if (stage := STAGES.get(metric)) in rows}
    per_day = count / _days(issued["first_day"], issued["last_day"])
    source = f"{count:,} triggers of the funnel, each taken for another unit"
    return Baseline(source, per_day, {metric: _shares(count, number) for metric, number in numbers.items()})


def _shares(count: int, number: int) -> Sums:
    """So many units, of which so many did it."""
    did, everybody = float(min(number, count)), float(count)
    return Sums(
        *(count, count),
        outcome=did,
        divisor=everybody,
        weight=everybody,
        outcome_outcome=did,
        divisor_divisor=everybody,
        weight_weight=everybody,
        outcome_divisor=did,
        outcome_weight=did,
        divisor_weight=everybody,
    )


def _days(first: date, last: date) -> int:
    return (last - first).days + 1
