"""Confidence sequences: intervals that hold at all looks together, however often and for whatever reason.

The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit
theory and asymptotic confidence sequences" (https://arxiv.org/abs/2103.06476): Robbins' two-sided mixture of
normal distributions, with the standard error in place of a known one. Howard, Ramdas, McAuliffe and Sekhon
(https://arxiv.org/abs/1810.08240) have the same boundary, and publish the values that the tests hold this one to.
"""

from math import exp, log, sqrt

ALPHA = 0.05
"""The share of experiments in which a sequence may ever miss the truth."""
TIGHTEST_AT = 5000
"""The number of units at which the sequences are narrowest: set before any data is seen, as it must be."""


def mixture_variance(tightest_at: float, alpha: float = ALPHA) -> float:
    """The parameter (rho) of the mixture that makes the boundary narrowest after so many units."""
    doubled = 2 * log(1 / alpha)
    return tightest_at / (doubled + log(1 + doubled))


RHO = mixture_variance(TIGHTEST_AT)


def log_mixture(total: float, units: float, rho: float = RHO) -> float:
    """The logarithm of the mixture of likelihood ratios against no effect.

    `total` is the sum of the units' effects, each in its own standard deviations.
    """
    return (log(rho / (units + rho)) + total**2 / (units + rho)) / 2


def boundary(units: float, alpha: float = ALPHA, rho: float = RHO) -> float:
    """The total that stays uncrossed at all numbers of units together with a probability of 1 - alpha."""
    return sqrt((units + rho) * (log((units + rho) / rho) + 2 * log(1 / alpha)))


def half_width(standard_error: float, units: float, alpha: float = ALPHA) -> float:
    """Half the width of the interval around an estimate from so many units."""
    return standard_error * boundary(units, alpha) / sqrt(units)


def always_valid_p(z: float, units: float) -> float:
    """The p-value of an estimate that lies `z` standard errors from no effect, valid at every look.

    It is below alpha exactly if the interval at that alpha leaves out no effect.
    """
    return min(1.0, exp(-log_mixture(z * sqrt(units), units)))
