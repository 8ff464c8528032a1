from tests.support import analysts

analysts.required("numpy", "scipy")

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from infra.analytics.policies.allocation import Purpose, best_arms, with_floors
from infra.analytics.policies.posterior import Arm, posteriors, probabilities_best
from shared.decisioning.experiments.policy import parse_policy, with_floor


def arm(name: str, decisions: float, successes: float) -> Arm:
    return Arm(name, decisions, decisions, successes)


def test_arms_of_which_nothing_is_known_are_equally_likely_the_best() -> None:
    best = best_arms([arm(name, 0, 0) for name in "abc"], seed=0)
    assert best == pytest.approx(dict.fromkeys("abc", 1 / 3), abs=0.02)


def test_the_probability_to_be_best_is_that_of_the_integral() -> None:
    few = posteriors([arm("a", 100, 12), arm("b", 100, 18)])
    [low, high] = few
    exact = sum(
        beta.pdf(x, high.alpha, high.beta) * beta.cdf(x, low.alpha, low.beta) / 10_000
        for x in (step / 10_000 for step in range(1, 10_000))
    )
    assert probabilities_best(few, seed=1)[1] == pytest.approx(exact, abs=0.003)


def test_the_same_seed_gives_the_same_probabilities() -> None:
    arms = [arm("a", 50, 5), arm("b", 50, 9)]
    assert best_arms(arms, seed=7) == best_arms(arms, seed=7)


def test_young_decisions_count_by_what_is_known_of_them() -> None:
    [young, old] = posteriors([Arm("a", 1000, 100, 10), Arm("b", 100, 100, 10)])
    assert young == old


def test_an_arm_with_more_successes_than_decisions_that_count_still_has_a_rate_below_one() -> None:
    [first, _] = posteriors([Arm("a", 10, 0.5, 3), Arm("b", 10, 10, 1)])
    assert 0 < first.mean < 1
    assert first.beta > 0


@given(
    st.lists(st.integers(0, 1000), min_size=2, max_size=20).filter(any),
    st.sampled_from([0.0, 0.001, 0.02, 0.05]),
    st.sampled_from([*Purpose]),
)
def test_what_a_function_gives_is_never_below_either_floor(
    shares: list[int], of_catalog: float, purpose: Purpose
) -> None:
    likely = {f"arm-{number}": share / sum(shares) for number, share in enumerate(shares)}
    written = with_floors(likely, purpose.floor, of_catalog)
    policy = parse_policy("p", {"arms": written, "policy_version": "1"})
    given_ = with_floor(policy.arms, of_catalog)
    lowest = min(max(purpose.floor, of_catalog), 1 / len(shares))
    assert min(given_.values()) >= lowest - 2e-6
    assert sum(given_.values()) == pytest.approx(1)
    best = max(likely, key=lambda name: likely[name])
    assert given_[best] == pytest.approx(max(given_.values()), abs=2e-5)


def test_a_floor_that_leaves_no_room_makes_all_arms_alike() -> None:
    assert with_floors({"a": 1.0, "b": 0.0}, 0.02, of_catalog=0.5) == {"a": 0.5, "b": 0.5}
    assert with_floors({str(n): float(n == 0) for n in range(25)}, 0.05)["3"] == pytest.approx(0.04)
