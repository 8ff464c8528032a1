"""A season in which a policy is refreshed: what it captures of what always giving the best arm would bring."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from infra.analytics.policies.allocation import best_arms, with_floors
from infra.analytics.policies.delay import delay_curve
from infra.analytics.policies.posterior import Arm


class Season(NamedTuple):
    """The terms of a simulated season. Time is counted in decisions."""

    rates: Mapping[str, float]
    """The true rate of success of each arm."""
    decisions: int
    every: int
    """Decisions between two refreshes."""
    delay: int
    """Decisions that pass until an outcome is known: always, or on average."""
    is_spread: bool
    """True: delays are exponentially distributed. False: all are the same."""
    floor: float


class Course(NamedTuple):
    """One simulated season; each array has one element for each refresh."""

    decisions: np.ndarray
    """Decisions until then."""
    lost: np.ndarray
    """Expected successes that were lost until then against always giving the best arm."""
    lost_by_chance: np.ndarray
    """The same for giving all arms equally often."""

    @property
    def captured(self) -> np.ndarray:
        """The part of the way from equal shares to always giving the best arm: 1 at best."""
        return 1 - self.lost / self.lost_by_chance


class _Seen(NamedTuple):
    """The past of a season, by the batch of decisions between two refreshes."""

    given: np.ndarray
    """Decisions: batch, arm."""
    succeeded: np.ndarray
    """Successes: batch, arm, and the number of refreshes until they are known."""


def simulate(season: Season, seed: int) -> Course:
    """One season. Losses are expected values of the arms that were drawn, so luck with outcomes adds no noise."""
    random = np.random.default_rng(seed)
    names, rates = [*season.rates], np.array([*season.rates.values()])
    batches = -(-season.decisions // season.every)
    seen = _Seen(np.zeros((batches, len(names))), np.zeros((batches, len(names), batches + 1)))
    shares = np.full(len(names), 1 / len(names))
    for batch in range(batches):
        number = min(season.every, season.decisions - batch * season.every)
        seen.given[batch] = random.multinomial(number, shares)
        for arm, won in enumerate(random.binomial(seen.given[batch].astype(int), rates)):
            delays = season.delay * (random.exponential(size=won) if season.is_spread else np.ones(won))
            refreshes = np.minimum(np.ceil(delays / season.every).astype(int), batches)
            seen.succeeded[batch, arm] = np.bincount(refreshes, minlength=batches + 1)
        shares = np.array([*with_floors(best_arms(_known(names, seen, batch), seed), season.floor).values()])
        shares /= shares.sum()
    lost = np.cumsum(seen.given @ (rates.max() - rates))
    decisions = np.cumsum(seen.given.sum(axis=1))
    return Course(decisions, lost, decisions * (rates.max() - rates.mean()))


def _known(names: list[str], seen: _Seen, newest: int) -> list[Arm]:
    """The arms as the refresh after the newest batch sees them; ages and delays are counted in refreshes."""
    ages = newest - np.arange(newest + 1)
    known = np.where(np.arange(seen.succeeded.shape[2]) <= ages[:, None, None], seen.succeeded[: newest + 1], 0)
    of_batches, delays = np.nonzero(known.sum(axis=1))
    curve = delay_curve(ages[of_batches], delays, known.sum(axis=1)[of_batches, delays])
    given = seen.given[: newest + 1]
    counted, won = curve.share_known(ages) @ given, known.sum(axis=(0, 2))
    return [
        Arm(name, float(all_), float(part), float(successes))
        for name, all_, part, successes in zip(names, given.sum(axis=0), counted, won, strict=True)
    ]
