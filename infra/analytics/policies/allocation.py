"""The probabilities with which arms are offered: how probable it is that each is the best, above a floor."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from infra.analytics.policies.posterior import Arm, posteriors, probabilities_best

DIGITS = 6
"""Probabilities are rounded to a millionth, which is finer than the 4,096 points that they are estimated by."""


class Purpose(StrEnum):
    """The purpose of a policy, which sets the least probability of each arm."""

    MEASURE = "measure"
    """Every arm is compared with every other: at least 5% of the decisions each."""
    EXPLOIT = "exploit"
    """The best arm is used, and the others are watched: at least 2% each."""

    @property
    def floor(self) -> float:
        """The least probability of each arm."""
        return 0.05 if self is Purpose.MEASURE else 0.02


def best_arms(arms: Sequence[Arm], seed: int) -> dict[str, float]:
    """The probability of each arm to be the best: as offers are divided by Thompson sampling, on average."""
    return dict(zip((arm.name for arm in arms), probabilities_best(posteriors(arms), seed), strict=True))


def with_floors(probabilities: Mapping[str, float], floor: float, of_catalog: float = 0.0) -> dict[str, float]:
    """The probabilities to write into a policy, so that none is below `floor` once the catalog's own is applied.

    The function that decides turns p into `of_catalog + (1 - k * of_catalog) * p` for k arms. A floor above 1 / k
    makes all arms alike.
    """
    number = len(probabilities)
    lowest = min(max(floor, of_catalog), 1 / number)
    rest = 1 - number * of_catalog
    if rest <= 0:
        return rounded(dict.fromkeys(probabilities, 1 / number))
    return rounded(
        {
            arm: (lowest + (1 - number * lowest) * probability - of_catalog) / rest
            for arm, probability in probabilities.items()
        }
    )


def rounded(probabilities: Mapping[str, float]) -> dict[str, float]:
    """The probabilities rounded; the greatest one takes what is missing to 1."""
    near = {arm: round(max(probability, 0.0), DIGITS) for arm, probability in probabilities.items()}
    greatest = max(near, key=lambda arm: near[arm])
    near[greatest] = round(1 - sum(value for arm, value in near.items() if arm != greatest), DIGITS)
    return near
