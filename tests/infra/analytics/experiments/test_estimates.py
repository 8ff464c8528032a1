from math import inf, nan, sqrt

import pytest

from tests.support import analysts

analysts.required("numpy", "pyarrow", "tea_tasting")

import numpy as np
import pyarrow as pa
import tea_tasting as tt

from infra.analytics.experiments.estimates import (
    NoEstimate,
    adjusted_means,
    detectable,
    estimate,
)
from infra.analytics.experiments.sums import PAIRS, VALUES, Sums


def sums_of(outcome, divisor=None, covariate=None, weight=None) -> Sums:
    """The sums of units with these values."""
    outcome = np.asarray(outcome, float)
    ones, nothing = np.ones(len(outcome)), np.zeros(len(outcome))
    given = {"outcome": outcome, "divisor": divisor, "covariate": covariate, "weight": weight}
    values = {
        name: np.asarray(default if value is None else value, float)
        for (name, value), default in zip(given.items(), (outcome, ones, nothing, ones), strict=True)
    }
    pairs = [*((name, name) for name in VALUES), *PAIRS]
    with np.errstate(invalid="ignore"):
        products = {f"{one}_{other}": values[one] @ values[other] for one, other in pairs}
    totals = {name: value.sum() for name, value in values.items()}
    return Sums(len(outcome), len(outcome), **{k: float(v) for k, v in (totals | products).items()})


@pytest.fixture
def drawn():
    """Two arms with a ratio metric and its covariate, as arrays by name."""
    rng = np.random.default_rng(7)

    def arm(count, effect):
        latent = rng.normal(size=count)
        shown = rng.poisson(3 * np.exp(0.4 * latent)) + 1.0
        return {
            "outcome": rng.binomial(shown.astype(int), np.clip(0.3 + 0.05 * latent + effect, 0, 1)).astype(float),
            "divisor": shown,
            "covariate": latent + rng.normal(size=count) + 2,
            "weight": np.ones(count),
        }

    return arm(700, 0.0), arm(900, 0.05)


@pytest.mark.parametrize("adjusted", [False, True])
def test_sums_give_what_tea_tasting_gives_of_the_units_themselves(drawn, adjusted) -> None:
    rows = {name: np.concatenate([arm[name] for arm in drawn]) for name in VALUES}
    rows["variant"] = np.repeat([0, 1], [len(arm["outcome"]) for arm in drawn])
    covariate = ("covariate", "weight") if adjusted else ()
    (theirs,) = (
        tt.Experiment(it=tt.RatioOfMeans("outcome", "divisor", *covariate)).analyze(pa.table(rows)).values()
    )
    ours = estimate(*(sums_of(**arm) for arm in drawn), adjusted=adjusted)
    assert ours.difference == pytest.approx(theirs.effect_size)
    assert (ours.fixed.low, ours.fixed.high) == pytest.approx(
        (theirs.effect_size_ci_lower, theirs.effect_size_ci_upper)
    )
    assert ours.p == pytest.approx(theirs.pvalue)
    assert ours.standard_error == pytest.approx(theirs.effect_size / theirs.statistic)
    assert ours.relative == pytest.approx(theirs.rel_effect_size)
    assert ours.relative_fixed is not None
    assert ours.relative_fixed.low == pytest.approx(theirs.rel_effect_size_ci_lower)
    assert ours.always.low < ours.fixed.low < ours.fixed.high < ours.always.high


def test_a_covariate_that_explains_the_outcome_narrows_the_interval() -> None:
    rng = np.random.default_rng(1)
    before = rng.normal(10, 3, (2, 500))
    after = before + rng.normal(0, 1, (2, 500)) + np.array([[0.0], [0.4]])
    arms = [sums_of(after[side], covariate=before[side]) for side in (0, 1)]
    plain, cuped = (estimate(*arms, adjusted=adjusted) for adjusted in (False, True))
    assert cuped.standard_error < 0.5 * plain.standard_error
    assert cuped.fixed.low < 0.4 < cuped.fixed.high


def test_the_delta_method_knows_that_a_ratio_of_sums_varies_more_than_its_numerator() -> None:
    rng = np.random.default_rng(3)
    found = []
    for _ in range(300):
        shown = rng.poisson(5, (2, 400)) + 1
        clicks = rng.binomial(shown, 0.2)
        found.append(estimate(*(sums_of(clicks[side], shown[side]) for side in (0, 1)), adjusted=False))
    spread = np.std([each.difference for each in found])
    assert np.mean([each.standard_error for each in found]) == pytest.approx(spread, rel=0.12)


def test_one_weight_for_all_is_no_weight() -> None:
    rng = np.random.default_rng(4)
    outcome = rng.binomial(1, 0.2, (2, 300)).astype(float)
    plain = estimate(*(sums_of(outcome[side]) for side in (0, 1)), adjusted=False)
    heavy = 3.7
    weighted = estimate(
        *(sums_of(heavy * outcome[side], np.full(300, heavy), weight=np.full(300, heavy)) for side in (0, 1)),
        adjusted=False,
    )
    assert (weighted.difference, weighted.standard_error) == pytest.approx(
        (plain.difference, plain.standard_error)
    )


def test_negative_revenue_has_a_difference_and_no_relative_one() -> None:
    rng = np.random.default_rng(5)
    money = rng.normal(-500, 2000, (2, 400)).round()
    found = estimate(*(sums_of(money[side]) for side in (0, 1)), adjusted=False)
    assert found.difference == pytest.approx(money[1].mean() - money[0].mean())
    expected = sqrt(money[0].var(ddof=1) / 400 + money[1].var(ddof=1) / 400)
    assert found.standard_error == pytest.approx(expected)
    assert found.fixed.low < found.difference < found.fixed.high
    assert (found.relative, found.relative_fixed) == (None, None)


def test_a_mean_next_to_nothing_breaks_no_exponent() -> None:
    money = np.array([-1e6, 1e6 + 1e-3] * 50)
    found = estimate(sums_of(money), sums_of(money[::-1] * 2), adjusted=False)
    assert found.relative is None
    assert found.fixed.high - found.fixed.low > 1e5


def test_arms_of_all_conversions_are_refused_and_one_such_arm_is_not() -> None:
    everybody, half = sums_of(np.ones(200)), sums_of(np.arange(200) % 2)
    with pytest.raises(NoEstimate, match="every unit has the same value"):
        estimate(everybody, everybody, adjusted=True)
    with pytest.raises(NoEstimate, match="every unit has the same value"):
        estimate(everybody, sums_of(np.zeros(200)), adjusted=False)
    found = estimate(half, everybody, adjusted=True)
    assert (found.difference, found.p < 1e-9) == (0.5, True)


@pytest.mark.parametrize("weight", [1 / 0.45, 1 / 3])
def test_weights_that_are_no_whole_numbers_make_no_variance_of_nothing(weight) -> None:
    heavy = np.full(200, weight)
    arm = sums_of(heavy, heavy, covariate=np.zeros(200), weight=heavy)
    with pytest.raises(NoEstimate, match="every unit has the same value"):
        estimate(arm, arm, adjusted=True)


@pytest.mark.parametrize(
    ("arm", "lack"),
    [
        (Sums(), "expected at least 30 units in each arm, found 0"),
        (sums_of([1.0]), "expected at least 30 units in each arm, found 1"),
        (sums_of([0.0, 1.0] * 14), "found 28"),
        (sums_of([0.0, inf] * 20), "found infinity or NaN"),
        (sums_of([0.0, nan] * 20), "found infinity or NaN"),
        (sums_of([0.0, 1.0] * 20, np.zeros(40)), "expected denominators with a sum above 0, found 0"),
        (sums_of([0.0, 1.0] * 20, -np.ones(40)), "expected denominators with a sum above 0, found -40"),
    ],
)
def test_an_arm_that_cannot_be_compared_says_what_it_lacks(arm, lack) -> None:
    whole = sums_of([0.0, 1.0] * 50)
    for pair in ((whole, arm), (arm, whole)):
        with pytest.raises(NoEstimate, match=lack):
            estimate(*pair, adjusted=False)


def test_a_covariate_that_is_the_same_for_all_adjusts_nothing() -> None:
    arm = sums_of([0.0, 1.0] * 50, covariate=np.full(100, 0.1))
    assert adjusted_means(arm, arm, adjusted=True).coefficient == 0


def test_the_detectable_difference_is_found_in_four_of_five_experiments() -> None:
    rng = np.random.default_rng(6)
    sizes = 3000, 1000
    base = [sums_of(rng.binomial(1, 0.2, size)) for size in sizes]
    least = detectable(*base, adjusted=False)
    found = 0
    for _ in range(300):
        arms = [sums_of(rng.binomial(1, p, size)) for p, size in zip((0.2, 0.2 + least), sizes, strict=True)]
        found += estimate(*arms, adjusted=False).p < 0.05
    assert found / 300 == pytest.approx(0.8, abs=0.07)
