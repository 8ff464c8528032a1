"""Off-policy evaluation: what another policy would have brought, from decisions that were made by chance.

Two estimators. Inverse propensity scoring (Horvitz and Thompson, 1952) weights each outcome by how much more often
the other policy would have given that arm. The doubly robust one (Dudik, Langford and Li, 2011, arXiv:1103.4601)
predicts the rate of each arm in each segment, and corrects the prediction by the weighted errors: it is unbiased
like the first, since the propensities are exact, and varies less.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from scipy.stats import norm

from infra.analytics.policies.delay import DelayCurve
from infra.analytics.policies.outcomes import Outcomes

LEVEL = 0.95
LEAST_KNOWN = 0.2
"""Decisions at whose age less than this share of the outcomes is known are left out: each would weigh too much."""
SMOOTHING = 20.0
"""Decisions at the arm's own rate that are added to it in a segment, so that a rare one predicts no extreme."""
FOLDS = 2

Policy = Mapping[str, Mapping[str, float]]
"""The probability of each arm, by segment; `""` for users of no segment, and of one that is not named."""
Learner = Callable[[Outcomes], Policy]


class Estimate(NamedTuple):
    """A rate of success, or a difference of two, with its interval."""

    value: float
    low: float
    high: float


class Evaluation(NamedTuple):
    """The outcome that a policy would have brought."""

    ips: Estimate
    doubly_robust: Estimate
    over_fixed: dict[str, Estimate]
    """By how much it exceeds each arm given always: doubly robust, with intervals that hold for all together."""
    effective_decisions: float
    """Of how many decisions by this very policy the weights are worth (Kish)."""
    decisions: int

    @property
    def clears_every_fixed_arm(self) -> bool:
        """True if it is surely better than the best fixed arm, whichever that is."""
        return all(each.low > 0 for each in self.over_fixed.values())


def evaluate(learn: Learner, outcomes: Outcomes, arms: Sequence[str], curve: DelayCurve) -> Evaluation:
    """The outcome that the policy which `learn` makes of outcomes would have brought.

    It is learned from one half of the users and judged by the other, and the other way round. So it is never
    judged by what it has learned from. A policy that is fixed beforehand is what a `learn` returns that looks at
    nothing. Users are resampled as a whole: the decisions of one user may resemble each other.
    """
    outcomes = outcomes.only(curve.share_known(outcomes.ages) >= LEAST_KNOWN)
    folds = _folds(outcomes.users)
    ips, robust = np.zeros(len(outcomes)), np.zeros(len(outcomes))
    weights = np.zeros(len(outcomes))
    fixed = {arm: np.zeros(len(outcomes)) for arm in arms}
    for fold in range(FOLDS):
        own, others = folds == fold, outcomes.only(folds != fold)
        judged = outcomes.only(own)
        model = _Model.of(others, arms, curve)
        weights[own], ips[own], robust[own] = _scores(learn(others), judged, model, curve)
        for arm, scores in fixed.items():
            always = {"": {each: float(each == arm) for each in arms}}
            scores[own] = _scores(always, judged, model, curve)[2]
    level = 1 - (1 - LEVEL) / len(arms)
    users = np.unique(outcomes.users, return_inverse=True)[1] if len(outcomes) else np.zeros(0, dtype=int)
    squares = float((weights**2).sum())
    return Evaluation(
        _estimate(ips, users, LEVEL),
        _estimate(robust, users, LEVEL),
        {arm: _estimate(robust - scores, users, level) for arm, scores in fixed.items()},
        float(weights.sum()) ** 2 / squares if squares else 0.0,
        len(outcomes),
    )


class _Model(NamedTuple):
    """The predicted rate of each arm in each segment."""

    rates: dict[tuple[str, str], float]
    of_arms: dict[str, float]

    @classmethod
    def of(cls, outcomes: Outcomes, arms: Sequence[str], curve: DelayCurve) -> "_Model":
        of_arms = {arm.name: arm for arm in outcomes.of_arms(arms, curve)}
        overall = sum(arm.successes for arm in of_arms.values()) / max(sum(a.known for a in of_arms.values()), 1.0)
        means = {name: _smoothed(arm.successes, arm.known, overall) for name, arm in of_arms.items()}
        rates = {}
        for segment in set(outcomes.segments):
            for arm in outcomes.only(outcomes.segments == segment).of_arms(arms, curve):
                rates[arm.name, segment] = _smoothed(arm.successes, arm.known, means[arm.name])
        return cls(rates, means)

    def rate(self, arm: str, segment: str) -> float:
        return self.rates.get((arm, segment), self.of_arms[arm])


def _smoothed(successes: float, known: float, mean: float) -> float:
    return (successes + SMOOTHING * mean) / (known + SMOOTHING)


def _scores(
    policy: Policy, judged: Outcomes, model: _Model, curve: DelayCurve
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each decision its weight, and its part in either estimator.

    A success counts as one divided by the share that is known at that age, which stands for those still to come.
    """
    weights, predicted, expected = (np.zeros(len(judged)) for _ in range(3))
    for segment in set(judged.segments):
        own = judged.segments == segment
        probabilities = policy.get(segment, policy[""])
        expected[own] = sum(share * model.rate(arm, segment) for arm, share in probabilities.items())
        for arm, share in probabilities.items():
            given = own & (judged.arms == arm)
            weights[given] = share / judged.propensities[given]
            predicted[given] = model.rate(arm, segment)
    rewards = judged.succeeded / curve.share_known(judged.ages)
    return weights, weights * rewards, expected + weights * (rewards - predicted)


def _estimate(scores: np.ndarray, users: np.ndarray, level: float) -> Estimate:
    """The mean of the scores, with a normal interval from the sums of each user."""
    if not len(scores):
        return Estimate(float("nan"), float("-inf"), float("inf"))
    mean = float(scores.mean())
    of_users = np.bincount(users, weights=scores - mean)
    number = len(of_users)
    if number == 1:
        return Estimate(mean, float("-inf"), float("inf"))
    error = float(np.sqrt((of_users**2).sum() * number / (number - 1))) / len(scores)
    reach = float(norm.ppf((1 + level) / 2)) * error
    return Estimate(mean, mean - reach, mean + reach)


def _folds(users: np.ndarray) -> np.ndarray:
    """The half that each user is in, by a hash of the id."""
    known = {user: blake2b(f"folds\0{user}".encode(), digest_size=1).digest()[0] % FOLDS for user in set(users)}
    return np.array([known[user] for user in users], dtype=int)
