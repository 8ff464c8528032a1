"""The metrics of an experiment compared arm by arm, with Holm's adjustment over its goals."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import sqrt

from scipy.stats import norm
from tea_tasting.experiment import ExperimentResult
from tea_tasting.multiplicity import adjust_fwer

from infra.analytics.experiments.estimates import (
    Estimate,
    NoEstimate,
    adjusted_means,
    detectable,
    estimate,
)
from infra.analytics.experiments.outcomes import Outcome
from infra.analytics.experiments.sums import Sums

GOAL, GUARDRAIL = "goal", "guardrail"


@dataclass(frozen=True, slots=True)
class Look:
    """The difference as a look on one day would have shown it."""

    day: date
    """The day on which the window of the last units passed."""
    units: int
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Cohort:
    """The difference among the units that were exposed on one day."""

    day: date
    difference: float
    standard_error: float


@dataclass(frozen=True, slots=True)
class Trend:
    """The change of the difference with the day of exposure: novelty, or a season."""

    per_day: float
    p: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """One metric of one arm against control, within one window."""

    metric: str
    role: str
    arm: str
    window_days: int
    units: Mapping[str, int]
    """The units whose window has passed, in control and in the arm."""
    waiting: int
    """The units of all arms whose window has not passed."""
    plain: Estimate | None = None
    cuped: Estimate | None = None
    """With the covariate from before the exposure; None if no unit has one."""
    problem: str | None = None
    """The reason why there is no estimate."""
    detectable: float | None = None
    """The difference that so many units find in 80% of experiments, at 95% and with one look."""
    holm_p: float | None = None
    """The p-value of the fixed-horizon test, adjusted for all goals and arms."""
    holm_always_p: float | None = None
    looks: tuple[Look, ...] = ()
    cohorts: tuple[Cohort, ...] = ()
    trend: Trend | None = None

    @property
    def best(self) -> Estimate | None:
        """The estimate to go by: with CUPED where there is a covariate."""
        return self.cuped or self.plain

    @property
    def variance_saved(self) -> float | None:
        """The share of the variance that CUPED removes."""
        if self.plain is None or self.cuped is None:
            return None
        return 1 - (self.cuped.standard_error / self.plain.standard_error) ** 2


@dataclass(frozen=True, slots=True)
class Arms:
    """The control, and the arm that is compared with it."""

    control: str
    arm: str

    def of(self, totals: Mapping[str, Sums]) -> tuple[Sums, Sums]:
        """Their sums."""
        return totals.get(self.control, Sums()), totals.get(self.arm, Sums())


def compare(metric: str, role: str, arms: Arms, window: int, outcome: Outcome | None, units: int) -> Comparison:
    """A metric of an arm; `units` are those in the experiment, each of which must have a row."""
    outcome = outcome or Outcome()
    control, arm = arms.of(outcome.total())
    counts = {arms.control: control.units, arms.arm: arm.units}
    begun = Comparison(metric, role, arms.arm, window, counts, outcome.waiting)
    if problem := lack(outcome, units):
        return replace(begun, problem=problem)
    try:
        plain = estimate(control, arm, adjusted=False)
    except NoEstimate as error:
        return replace(begun, problem=str(error))
    is_adjusted = adjusted_means(control, arm, adjusted=True).coefficient != 0
    cohorts = tuple(_cohorts(outcome, arms))
    return replace(
        begun,
        plain=plain,
        cuped=estimate(control, arm, adjusted=True) if is_adjusted else None,
        detectable=detectable(control, arm, adjusted=is_adjusted),
        looks=tuple(_looks(outcome, arms, window, adjusted=is_adjusted)),
        cohorts=cohorts,
        trend=_trend(cohorts),
    )


def with_holm(compared: Sequence[Comparison]) -> list[Comparison]:
    """The comparisons, with the p-values of the goals adjusted for one another."""
    goals = [number for number, each in enumerate(compared) if each.role == GOAL and each.best]
    bests = [each.best for each in compared]
    fixed = _holm({number: best.p for number in goals if (best := bests[number])})
    always = _holm({number: best.always_p for number in goals if (best := bests[number])})
    return [
        replace(each, holm_p=fixed.get(number), holm_always_p=always.get(number))
        for number, each in enumerate(compared)
    ]


def _holm(p_values: Mapping[int, float]) -> dict[int, float]:
    if not p_values:
        return {}
    results = {number: ExperimentResult({"goal": {"pvalue": p}}) for number, p in p_values.items()}
    adjusted = adjust_fwer(results, arbitrary_dependence=True, method="bonferroni")
    return {number: float(result["goal"]["pvalue_adj"]) for number, result in adjusted.items()}


def lack(outcome: Outcome, units: int) -> str | None:
    """A sentence about what the rows of a metric lack; None if they are whole."""
    found = outcome.complete + outcome.waiting
    if not found:
        return "expected rows in metrics within these days, found none"
    if outcome.missing:
        return f"expected a number for each unit, found none for {outcome.missing:,}"
    if found != units:
        return f"expected one row for each of {units:,} units, found {found:,}"
    if not outcome.complete:
        return f"expected units whose window has passed, found {outcome.waiting:,} that wait"
    return None


def _looks(outcome: Outcome, arms: Arms, window: int, *, adjusted: bool) -> Iterable[Look]:
    totals: dict[str, Sums] = {}
    for day, of_arms in sorted(outcome.by_day.items()):
        for name, sums in of_arms.items():
            totals[name] = totals[name] + sums if name in totals else sums
        control, arm = arms.of(totals)
        try:
            found = estimate(control, arm, adjusted=adjusted)
        except NoEstimate:
            continue
        yield Look(day + timedelta(days=window), control.units + arm.units, found)


def _cohorts(outcome: Outcome, arms: Arms) -> Iterable[Cohort]:
    for day, totals in sorted(outcome.by_day.items()):
        try:
            means = adjusted_means(*arms.of(totals), adjusted=False)
        except NoEstimate:
            continue
        yield Cohort(day, means.arm.value - means.control.value, means.standard_error)


def _trend(cohorts: Sequence[Cohort]) -> Trend | None:
    """The slope of the daily differences, each weighted by its precision; None for fewer than three days."""
    if len(cohorts) < 3:
        return None
    weights = [1 / each.standard_error**2 for each in cohorts]
    days = [(each.day - cohorts[0].day).days for each in cohorts]
    mean = sum(weight * day for weight, day in zip(weights, days, strict=True)) / sum(weights)
    spread = sum(weight * (day - mean) ** 2 for weight, day in zip(weights, days, strict=True))
    slope = (
        sum(
            weight * (day - mean) * each.difference
            for weight, day, each in zip(weights, days, cohorts, strict=True)
        )
        / spread
    )
    return Trend(slope, 2 * float(norm.sf(abs(slope) * sqrt(spread))))
