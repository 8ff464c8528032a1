"""The plan of an experiment: how many units an effect needs, how long that takes, and what a time can show."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil, sqrt

from scipy.optimize import brentq
from scipy.stats import norm

from infra.analytics.experiments.baseline import Baseline, baseline
from infra.analytics.experiments.confidence_sequence import ALPHA, half_width
from infra.analytics.experiments.definition import NoControl, UnknownExperiment, check_tables
from infra.analytics.experiments.estimates import MIN_UNITS, POWER, aggregates, power_metric
from infra.analytics.experiments.sums import Sums
from infra.analytics.warehouse.engine import Engine
from shared.decisioning.document.schema import CatalogDocument, ExperimentTerms

NEWEST_CATALOG = """
SELECT catalog FROM stg_catalog_published
WHERE publish_date >= DATE '1990-01-01'
ORDER BY published_at DESC LIMIT 1
"""
MOST_UNITS = 1e12


@dataclass(frozen=True, slots=True)
class Need:
    """The size that one goal needs in one arm."""

    metric: str
    arm: str
    mean: float | None = None
    """Of the baseline."""
    effect: float | None = None
    """The difference that is to be found, in the unit of the metric."""
    units_per_arm: Mapping[str, int] | None = None
    """For one look at the end."""
    days: int | None = None
    """The days of exposure for so many units; the last window passes later."""
    units_per_arm_at_every_look: Mapping[str, int] | None = None
    """For the confidence sequence, which may be looked at every day."""
    days_at_every_look: int | None = None
    detectable: float | None = None
    """The difference that the asked days can show, for one look."""
    detectable_share: float | None = None
    """The same as a share of the mean."""
    problem: str | None = None
    """The reason why nothing can be said."""


@dataclass(frozen=True, slots=True)
class ExperimentPlan:
    """The plan of an experiment."""

    experiment_id: str
    control: str
    campaigns: tuple[str, ...]
    source: str
    units_per_day: float
    effect: float
    """The relative effect that is to be found."""
    days: int
    window_days: int
    needs: tuple[Need, ...]
    assumptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """The question that a plan answers."""

    effect: float = 0.05
    days: int = 28
    window_days: int = 28
    metrics: tuple[str, ...] = ()


def newest_catalog(engine: Engine) -> CatalogDocument:
    """The newest published catalog. Raises `UnknownExperiment` if there is none."""
    check_tables(engine, "stg_catalog_published")
    rows = engine.rows(NEWEST_CATALOG)
    if not rows:
        raise UnknownExperiment("stg_catalog_published: expected a published catalog or --catalog, found none")
    written = rows[0]["catalog"]
    return CatalogDocument.model_validate_json(written if isinstance(written, str) else json.dumps(written))


def plan(engine: Engine, document: CatalogDocument, id_: str, question: Question) -> ExperimentPlan:
    """The plan of an experiment of a catalog.

    Raises `UsageError` naming what is missing: the experiment, its control, its goals or their history.
    """
    terms = document.experiments.get(id_)
    if terms is None:
        there = ", ".join(document.experiments) or "none"
        raise UnknownExperiment(f"experiments: expected {id_}, found {there}")
    control = terms.compared_with
    shares = _shares(terms)
    if control not in shares:
        expected = f"one of the variants ({', '.join(shares)}), by `control` in the catalog"
        raise NoControl(f"experiments.{id_}.control: expected {expected}, found {control}")
    goals = question.metrics or terms.goal_metrics
    if not goals:
        raise UnknownExperiment(f"experiments.{id_}.goal_metrics: expected a metric, or --metric, found none")
    check_tables(engine, "exposures", "metrics", "funnel")
    campaigns = tuple(name for name, campaign in document.campaigns.items() if campaign.experiment == id_)
    known = baseline(engine, campaigns, goals, question.window_days)
    arms = [arm for arm in shares if arm != control]
    alpha = ALPHA / (len(goals) * len(arms))
    needs = [
        _need(goal, arm, known, question, _Arms(shares[control], shares[arm], control, alpha))
        for goal in goals
        for arm in arms
    ]
    return ExperimentPlan(
        *(id_, control, campaigns, known.source, known.units_per_day),
        *(question.effect, question.days, question.window_days, tuple(needs)),
        tuple(_assumptions(terms, known, question, alpha)),
    )


@dataclass(frozen=True, slots=True)
class _Arms:
    """The shares of the baseline's units that control and an arm get, and the level of their test."""

    control_share: float
    arm_share: float
    control: str
    alpha: float

    @property
    def both(self) -> float:
        return self.control_share + self.arm_share

    def split(self, arm: str, units: float) -> dict[str, int]:
        """So many units of both, split."""
        return {
            self.control: ceil(units * self.control_share / self.both),
            arm: ceil(units * self.arm_share / self.both),
        }


def _shares(terms: ExperimentTerms) -> dict[str, float]:
    """The share of all units in each variant; for a policy, as if its arms were alike."""
    alike = 1 / len(terms.variants)
    shares = {one.id: terms.coverage * (alike if one.weight is None else one.weight) for one in terms.variants}
    return {variant: share for variant, share in shares.items() if share}


def _need(metric: str, arm: str, known: Baseline, question: Question, arms: _Arms) -> Need:
    sums = known.outcomes.get(metric, Sums())
    if sums.count < MIN_UNITS:
        found = f"expected {MIN_UNITS} units with {question.window_days} days of history, found {sums.count}"
        return Need(metric, arm, problem=found)
    side = aggregates(sums)
    mean, variance = side.mean("outcome") / side.mean("divisor"), side.ratio_var("outcome", "divisor")
    if mean == 0 or variance <= 0:
        return Need(metric, arm, mean, problem="expected outcomes that differ by unit, found the same for all")
    settings = {"alpha": arms.alpha, "ratio": arms.arm_share / arms.control_share}
    effect = abs(question.effect * mean)
    needed = _units_at_one_look(side, effect, settings)
    at_every_look = _units_at_every_look(effect, variance, arms)
    per_day = known.units_per_day * arms.both
    seen = int(per_day * question.days)
    smallest = _detectable(side, seen, settings) if seen >= 2 * MIN_UNITS else None
    return Need(
        *(metric, arm, mean, effect, arms.split(arm, needed), ceil(needed / per_day)),
        units_per_arm_at_every_look=arms.split(arm, at_every_look) if at_every_look else None,
        days_at_every_look=ceil(at_every_look / per_day) if at_every_look else None,
        detectable=smallest,
        detectable_share=smallest / abs(mean) if smallest else None,
    )


def _units_at_one_look(side: object, effect: float, settings: Mapping[str, float]) -> float:
    """The units of both arms that find an effect in 80% of experiments; never fewer than an interval needs."""
    fewest = 2 * MIN_UNITS
    metric = power_metric(adjusted=False, effect_size=effect, n_obs=fewest, **settings)
    (power,) = metric.solve_power_from_aggregates(side, "power")
    if power.power >= POWER:
        return fewest
    (needed,) = metric.solve_power_from_aggregates(side, "n_obs")
    return float(needed.n_obs)


def _detectable(side: object, units: int, settings: Mapping[str, float]) -> float:
    metric = power_metric(adjusted=False, n_obs=units, **settings)
    (found,) = metric.solve_power_from_aggregates(side, "effect_size")
    return float(found.effect_size)


def _units_at_every_look(effect: float, variance: float, arms: _Arms) -> float | None:
    """The units of both arms with which the sequence leaves out 0 in 80% of experiments, at the last look."""
    factor = arms.both * (1 / arms.control_share + 1 / arms.arm_share)

    def lacks(units: float) -> float:
        error = sqrt(variance * factor / units)
        return half_width(error, units, arms.alpha) + float(norm.ppf(POWER)) * error - effect

    fewest = 2.0 * MIN_UNITS
    if lacks(MOST_UNITS) > 0:
        return None
    return float(brentq(lacks, fewest, MOST_UNITS, rtol=1e-6)) if lacks(fewest) > 0 else fewest


def _assumptions(terms: ExperimentTerms, known: Baseline, question: Question, alpha: float) -> Iterator[str]:
    yield f"The baseline is {known.source}; its arms are taken together, as what users get today."
    yield (
        f"As many new units a day as then: {known.units_per_day:,.1f}, and {100 * terms.coverage:g}% take part."
        " The first days of a new campaign usually have more, later ones fewer."
    )
    yield f"A unit is measured {question.window_days} days after its exposure: the result comes so much later."
    yield (
        f"A power of {100 * POWER:g}% at a level of {alpha:.4g}, 5% shared by all goals and arms, as Holm does at"
        " worst. CUPED is not counted on."
    )
    if terms.unit == "subscription":
        yield "Units are taken as independent: users with several subscriptions need more."
    if terms.policy:
        yield "The policy is taken to pick all arms alike; the rarer an arm, the more units it needs."
