from tests.support import analysts

analysts.required("numpy", "scipy")

import numpy as np
import pytest

from infra.analytics.policies.allocation import Purpose
from infra.analytics.policies.off_policy import Policy, evaluate
from infra.analytics.policies.outcomes import Outcomes
from infra.analytics.policies.refresh import Terms, learned

RATES = {("a", ""): 0.10, ("b", ""): 0.14, ("a", "loyal"): 0.20, ("b", "loyal"): 0.05}
"""By arm and segment: b is better for most, a for the loyal."""
LOGGED = {"a": 0.7, "b": 0.3}
PICK_WELL: Policy = {"": {"a": 0.1, "b": 0.9}, "loyal": {"a": 0.9, "b": 0.1}}
TERMS = Terms(("a", "b"), ("loyal",), 0.0, Purpose.EXPLOIT)


def season(seed: int, number: int = 20_000, rates: dict[tuple[str, str], float] = RATES) -> Outcomes:
    """Decisions of the logged policy. A third of the users are loyal; successes take up to 100 hours."""
    random = np.random.default_rng(seed)
    users = random.integers(0, number // 3, number)
    segments = np.where(users % 3 == 0, "loyal", "").astype(object)
    arms = random.choice(["a", "b"], number, p=[LOGGED["a"], LOGGED["b"]]).astype(object)
    rate = np.array([rates[arm, segment] for arm, segment in zip(arms, segments, strict=True)])
    ages, delays = random.uniform(0, 1000, number), random.uniform(0, 100, number)
    known = (random.uniform(size=number) < rate) & (delays <= ages)
    propensities = np.array([LOGGED[arm] for arm in arms])
    names = np.array([f"user-{user}" for user in users], dtype=object)
    return Outcomes(names, arms, segments, propensities, ages, np.where(known, delays, np.nan))


def value(policy: Policy) -> float:
    """The true rate of success."""
    return sum(
        share * part * RATES[arm, segment]
        for segment, part in (("", 2 / 3), ("loyal", 1 / 3))
        for arm, share in policy[segment].items()
    )


def test_both_estimators_hold_the_true_value_in_their_intervals() -> None:
    held = {"ips": 0, "robust": 0}
    for seed in range(60):
        outcomes = season(seed)
        found = evaluate(lambda _part: PICK_WELL, outcomes, ("a", "b"), outcomes.curve())
        held["ips"] += found.ips.low <= value(PICK_WELL) <= found.ips.high
        held["robust"] += found.doubly_robust.low <= value(PICK_WELL) <= found.doubly_robust.high
    assert held["ips"] >= 53
    assert held["robust"] >= 53


def test_the_doubly_robust_interval_is_the_narrower_one() -> None:
    outcomes = season(1)
    found = evaluate(lambda _part: PICK_WELL, outcomes, ("a", "b"), outcomes.curve())
    assert found.doubly_robust.high - found.doubly_robust.low < found.ips.high - found.ips.low


def test_a_policy_by_segments_clears_the_fixed_arms_where_segments_differ() -> None:
    outcomes = season(2)
    curve = outcomes.curve()
    found = evaluate(lambda part: learned(part, TERMS, curve), outcomes, ("a", "b"), curve)
    assert found.clears_every_fixed_arm
    assert found.over_fixed["b"].value == pytest.approx(value(PICK_WELL) - 0.11, abs=0.02)


def test_a_policy_by_segments_clears_nothing_where_segments_are_alike() -> None:
    alike = dict.fromkeys(RATES, 0.12)
    cleared = 0
    for seed in range(40):
        outcomes = season(seed, 6_000, alike)
        curve = outcomes.curve()
        part_of = lambda part, curve=curve: learned(part, TERMS, curve)  # noqa: E731 - learns on each half
        cleared += evaluate(part_of, outcomes, ("a", "b"), curve).clears_every_fixed_arm
    assert cleared <= 2


def test_a_fixed_arm_does_not_exceed_itself() -> None:
    outcomes = season(3)
    always: Policy = {"": {"a": 1.0, "b": 0.0}}
    found = evaluate(lambda _part: always, outcomes, ("a", "b"), outcomes.curve())
    assert found.over_fixed["a"] == (0.0, 0.0, 0.0)
    assert not found.clears_every_fixed_arm
    assert found.decisions > 15_000


def test_without_any_decision_nothing_is_cleared() -> None:
    none = season(4).only(np.zeros(20_000, dtype=bool))
    found = evaluate(lambda _part: PICK_WELL, none, ("a", "b"), none.curve())
    assert found.decisions == 0
    assert not found.clears_every_fixed_arm


def test_one_user_clears_nothing() -> None:
    one = season(5)
    one = one.only(one.users == one.users[0])
    assert not evaluate(lambda _part: PICK_WELL, one, ("a", "b"), one.curve()).clears_every_fixed_arm
