"""The knowledge about each arm, and the probability that the arm is the best of all."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import beta, qmc

PRIOR_DECISIONS = 2.0
"""The weight of the prior in decisions: it is centred on the rate of all arms together, and soon outweighed."""
LEAST_PRIOR = 0.5
"""The least parameter of the prior, as in Jeffreys': with less, rates near 0 or 1 could not be told apart."""
POINTS_LOG2 = 12
"""4,096 points. With Sobol's sequence the error of a probability is then about 0.001."""


class Arm(NamedTuple):
    """The outcomes of one arm."""

    name: str
    decisions: float
    """The decisions that gave it."""
    known: float
    """The decisions that count: each by the share of outcomes that is known at its age."""
    successes: float
    """The outcomes that were seen."""


class Posterior(NamedTuple):
    """The Beta distribution of an arm's rate."""

    alpha: float
    beta: float

    @property
    def mean(self) -> float:
        """The expected rate."""
        return self.alpha / (self.alpha + self.beta)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The central credible interval."""
        low, high = beta.ppf(((1 - level) / 2, (1 + level) / 2), self.alpha, self.beta)
        return float(low), float(high)


def posteriors(arms: Sequence[Arm]) -> list[Posterior]:
    """The posterior of each arm.

    More successes than decisions that count, which a young arm may have by chance, count as that many decisions.
    """
    decisions, successes = sum(arm.known for arm in arms), sum(arm.successes for arm in arms)
    rate = (successes + 1) / (max(decisions, successes) + 2)
    alpha, rest = (max(PRIOR_DECISIONS * share, LEAST_PRIOR) for share in (rate, 1 - rate))
    return [Posterior(alpha + arm.successes, rest + max(arm.known - arm.successes, 0.0)) for arm in arms]


def probabilities_best(of_arms: Sequence[Posterior], seed: int) -> list[float]:
    """The probability that each arm has the highest rate; they add up to 1. The same seed gives the same result.

    By quasi-Monte Carlo: a scrambled Sobol sequence covers the unit cube evenly, and each of its coordinates is
    turned into a rate by the inverse of the arm's distribution.
    """
    points = qmc.Sobol(len(of_arms), scramble=True, rng=seed).random_base2(POINTS_LOG2)
    rates = beta.ppf(points, [each.alpha for each in of_arms], [each.beta for each in of_arms])
    wins = np.bincount(np.argmax(rates, axis=1), minlength=len(of_arms))
    return [float(number) / len(points) for number in wins]
