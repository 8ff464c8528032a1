"""The vectors are those of confseq's `uniform_boundaries_test.cpp`, from a reference implementation in R.

https://github.com/gostevehoward/confseq, at v_opt = 100, alpha_opt = 0.05 and alpha = 0.05.
"""

from math import log, sqrt
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.analytics.experiments.confidence_sequence import (
    ALPHA,
    RHO,
    TIGHTEST_AT,
    always_valid_p,
    boundary,
    half_width,
    log_mixture,
    mixture_variance,
)

UNITS = st.floats(2, 1e9)


def test_the_published_values_of_confseq() -> None:
    rho = mixture_variance(100, 0.05)
    assert rho == pytest.approx(12.60056, abs=1e-5)
    assert log_mixture(10, 100, rho) == pytest.approx(-0.6510052, abs=1e-5)
    assert boundary(100, 0.05, rho) == pytest.approx(30.35209, abs=1e-5)


@pytest.mark.parametrize("units", [60, 5000, 2_000_000])
def test_the_interval_is_that_of_waudby_smith_and_of_growthbook(units: int) -> None:
    """Both write it by rho^2: sqrt(2 (n rho^2 + 1) / (n rho)^2 * log(sqrt(n rho^2 + 1) / alpha)) sigma."""
    rho = sqrt((-2 * log(ALPHA) + log(-2 * log(ALPHA) + 1)) / TIGHTEST_AT)
    theirs = sqrt(2 * (units * rho**2 + 1) / (units * rho) ** 2 * log(sqrt(units * rho**2 + 1) / ALPHA))
    assert half_width(1 / sqrt(units), units) == pytest.approx(theirs)


@given(UNITS, st.floats(0, 12))
def test_the_p_value_is_below_alpha_exactly_if_the_interval_leaves_out_no_effect(units: float, z: float) -> None:
    edge = half_width(1.0, units)
    if abs(z - edge) > 1e-6:
        assert (always_valid_p(z, units) < ALPHA) == (z > edge)


@given(UNITS)
def test_it_is_wider_than_one_look_needs(units: float) -> None:
    assert half_width(1.0, units) > NormalDist().inv_cdf(1 - ALPHA / 2)


@given(UNITS)
def test_it_is_narrowest_by_the_units_that_it_is_set_to(units: float) -> None:
    assert half_width(1.0, TIGHTEST_AT) <= half_width(1.0, units) * 1.001


def test_a_stricter_level_is_wider() -> None:
    assert half_width(1.0, 1000, 0.01) > half_width(1.0, 1000, 0.05)
    assert RHO > 0
