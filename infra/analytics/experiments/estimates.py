"""Two arms compared: tea-tasting's fixed-horizon interval, and our confidence sequence beside it.

Ratios of means have their variance by the delta method (Deng, Knoblich and Lu, 2018), with the pre-exposure
covariate of CUPED (Deng, Xu, Kohavi and Walker, 2013) taken out where there is one.
"""

from dataclasses import dataclass, replace
from math import sqrt

from tea_tasting.aggr import Aggregates
from tea_tasting.metrics import RatioOfMeans

from infra.analytics.experiments.confidence_sequence import ALPHA, always_valid_p, half_width
from infra.analytics.experiments.sums import PAIRS, VALUES, Sums

MIN_UNITS = 30
"""The fewest units of an arm for an interval: below it, neither kind holds what it promises."""
ROUNDING = 1e-12
"""A variance below this share of the mean square is nothing but rounding."""
POWER = 0.8
PLAIN, ADJUSTED = (
    RatioOfMeans("outcome", "divisor", *covariate, use_t=True, equal_var=False, confidence_level=1 - ALPHA)
    for covariate in ((), ("covariate", "weight"))
)


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval of a difference; in the unit of the metric, or as a share of control's mean."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """The difference of an arm from control, at 95%."""

    control: float
    arm: float
    difference: float
    standard_error: float
    fixed: Interval
    """It holds for one look, at a time set beforehand."""
    always: Interval
    """It holds at all looks together."""
    p: float
    always_p: float
    relative: float | None
    """The difference as a share of control's mean; None if that is not surely positive."""
    relative_fixed: Interval | None


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of an arm, less the part that the covariate explains, and the square of its standard error."""

    value: float
    error_squared: float


@dataclass(frozen=True, slots=True)
class Means:
    """The means of two arms."""

    control: Mean
    arm: Mean
    coefficient: float
    """CUPED's coefficient; 0: nothing is adjusted."""

    @property
    def standard_error(self) -> float:
        """The standard error of the difference."""
        return sqrt(self.control.error_squared + self.arm.error_squared)


class NoEstimate(Exception):
    """Two arms that cannot be compared; the text says what is missing."""


def estimate(control: Sums, arm: Sums, *, adjusted: bool) -> Estimate:
    """The difference of two arms, with CUPED if `adjusted`. Raises `NoEstimate`."""
    means = adjusted_means(control, arm, adjusted=adjusted)
    error, units = means.standard_error, control.count + arm.count
    difference = means.arm.value - means.control.value
    wide = half_width(error, units)
    is_positive = all(each.value > 2 * sqrt(each.error_squared) for each in (means.control, means.arm))
    if not is_positive:  # exponents of a relative interval may overflow near 0; differences do not move
        far = max(abs(means.control.value), abs(means.arm.value)) + 10 * sqrt(units) * error
        control, arm = _moved(control, far), _moved(arm, far)
    found = (ADJUSTED if means.coefficient else PLAIN).analyze_aggregates(aggregates(control), aggregates(arm))
    relative = Interval(float(found.rel_effect_size_ci_lower), float(found.rel_effect_size_ci_upper))
    return Estimate(
        *(means.control.value, means.arm.value, difference, error),
        fixed=Interval(float(found.effect_size_ci_lower), float(found.effect_size_ci_upper)),
        always=Interval(difference - wide, difference + wide),
        p=float(found.pvalue),
        always_p=always_valid_p(difference / error, units),
        relative=float(found.rel_effect_size) if is_positive else None,
        relative_fixed=relative if is_positive else None,
    )


def adjusted_means(control: Sums, arm: Sums, *, adjusted: bool) -> Means:
    """The means of two arms, adjusted by one coefficient of the covariate. Raises `NoEstimate`."""
    for sums in (control, arm):
        _check(sums)
    sides = [aggregates(sums) for sums in (control, arm)]
    both = aggregates(control + arm)
    coefficient = _coefficient(both) if adjusted else 0.0
    centre = both.mean("covariate") / both.mean("weight") if coefficient else 0.0
    first, second = (_mean(side, coefficient, centre) for side in sides)
    found = Means(first, second, coefficient)
    square = max(abs(side.mean("outcome") / side.mean("divisor")) for side in sides) ** 2 or 1.0
    if found.standard_error**2 * both.count() <= ROUNDING * square:
        raise NoEstimate("every unit has the same value, so that an effect cannot be told from chance")
    return found


def detectable(control: Sums, arm: Sums, *, adjusted: bool) -> float:
    """The difference that a test of arms of this size finds with a power of 80%."""
    ratio, units = arm.count / control.count, control.count + arm.count
    metric = power_metric(adjusted=adjusted, ratio=ratio, n_obs=units)
    (found,) = metric.solve_power_from_aggregates(aggregates(control + arm), "effect_size")
    return float(found.effect_size)


def power_metric(*, adjusted: bool, **settings: float) -> RatioOfMeans:
    """The metric for questions of power; by the normal distribution, as that of t overflows far from 0."""
    covariate = ("covariate", "weight") if adjusted else ()
    chosen = {"alpha": ALPHA, "power": POWER, **settings}
    return RatioOfMeans("outcome", "divisor", *covariate, use_t=False, equal_var=False, **chosen)


def _check(sums: Sums) -> None:
    if not sums.is_finite:
        raise NoEstimate("expected numbers, found infinity or NaN")
    if sums.count < MIN_UNITS:
        raise NoEstimate(f"expected at least {MIN_UNITS} units in each arm, found {sums.count}")
    if sums.divisor <= 0:
        raise NoEstimate(f"expected denominators with a sum above 0, found {sums.divisor:g}")


def aggregates(sums: Sums) -> Aggregates:
    """The sums as tea-tasting wants them; of two units at least."""
    return Aggregates(
        sums.count,
        {name: sums.mean(name) for name in VALUES},
        {name: max(0.0, sums.covariance(name, name)) for name in VALUES},
        {pair: sums.covariance(*pair) for pair in PAIRS},
    )


def _mean(side: Aggregates, coefficient: float, centre: float) -> Mean:
    value = float(side.mean("outcome") / side.mean("divisor"))
    variance = float(side.ratio_var("outcome", "divisor"))
    if coefficient:
        value -= coefficient * (side.mean("covariate") / side.mean("weight") - centre)
        shared = side.ratio_cov("outcome", "divisor", "covariate", "weight")
        variance += coefficient**2 * side.ratio_var("covariate", "weight") - 2 * coefficient * shared
    return Mean(value, max(0.0, variance) / side.count())


def _coefficient(both: Aggregates) -> float:
    """CUPED's coefficient; 0 if no unit's covariate differs from another's."""
    spread = both.ratio_var("covariate", "weight")
    square = both.mean("covariate") ** 2 + both.var("covariate")
    if spread <= ROUNDING * square:
        return 0.0
    return float(both.ratio_cov("outcome", "divisor", "covariate", "weight") / spread)


def _moved(sums: Sums, by: float) -> Sums:
    """The sums after `by` times its divisor is added to each unit's outcome."""
    return replace(
        sums,
        outcome=sums.outcome + by * sums.divisor,
        outcome_outcome=sums.outcome_outcome + 2 * by * sums.outcome_divisor + by**2 * sums.divisor_divisor,
        outcome_divisor=sums.outcome_divisor + by * sums.divisor_divisor,
        outcome_covariate=sums.outcome_covariate + by * sums.divisor_covariate,
        outcome_weight=sums.outcome_weight + by * sums.divisor_weight,
    )
