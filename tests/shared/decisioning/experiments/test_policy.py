import json
import re
from collections import Counter
from collections.abc import Sequence
from math import fsum, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.topology import ROOT
from shared.decisioning.experiments.policy import MIN_PROBABILITY, Pick, Policy, parse_policy, pick, with_floor
from tests.shared.decisioning.experiments.chi_square import are_independent

CAUSES = [f"{number:016x}" for number in range(100_000)]
FEWER = CAUSES[:10_000]
PAGE = ROOT / "docs/experiments.md"
VERSION = "2026-11-01"


def policy(**arms: float) -> Policy:
    return parse_policy("upgrade", {"arms": arms, "policy_version": VERSION})


def picks(of: Policy, floor: float = 0.0, seed: str = "upgrade", causes: Sequence[str] = FEWER) -> list[Pick]:
    return [pick(of, floor, seed, "user-1", cause) for cause in causes]


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    shares = draw(st.lists(st.integers(0, 1000), min_size=2, max_size=32).filter(any))
    return policy(**{f"arm-{number}": share / sum(shares) for number, share in enumerate(shares)})


def test_a_policy_is_read_with_its_arms_in_order() -> None:
    data = {"arms": {"offer_b": 0.25, "offer_a": 0.75}, "policy_version": VERSION, "description": "thrifty"}
    read = parse_policy("upgrade", data)
    assert read == Policy("upgrade", VERSION, {"offer_a": 0.75, "offer_b": 0.25}, "thrifty")
    assert [*read.arms] == ["offer_a", "offer_b"]


def test_the_example_for_data_scientists_is_a_policy() -> None:
    [example] = re.findall(r"```json\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert parse_policy("upgrade", json.loads(example)).version == VERSION


def test_whole_numbers_are_probabilities_too() -> None:
    assert policy(a=1, b=0).arms == {"a": 1.0, "b": 0.0}


def test_probabilities_that_were_rounded_are_made_to_add_up() -> None:
    arms = policy(a=0.333333, b=0.333333, c=0.333333).arms
    assert [*arms.values()] == pytest.approx([1 / 3] * 3, abs=1e-15)


def test_a_floor_leaves_every_arm_its_share() -> None:
    assert with_floor(policy(a=1.0, b=0.0, c=0.0).arms, 0.1) == pytest.approx({"a": 0.8, "b": 0.1, "c": 0.1})


def test_no_floor_leaves_the_policy_as_it_is() -> None:
    assert with_floor(policy(a=0.7, b=0.3).arms, 0.0) == {"a": 0.7, "b": 0.3}


def test_a_floor_too_high_for_all_makes_them_equal() -> None:
    assert with_floor(policy(a=1.0, b=0.0).arms, 0.9) == {"a": 0.5, "b": 0.5}


@given(policies(), st.floats(0, 1))
def test_with_any_floor_the_arms_add_up_and_none_lies_beneath_it(of: Policy, floor: float) -> None:
    likely = with_floor(of.arms, floor)
    assert fsum(likely.values()) == pytest.approx(1)
    assert min(likely.values()) >= min(floor, 1 / len(likely))


@given(policies(), st.floats(0, 1), st.text("abc/@-", max_size=8))
def test_a_pick_is_an_arm_with_its_own_propensity(of: Policy, floor: float, cause: str) -> None:
    picked = pick(of, floor, "upgrade", "user-1", cause)
    assert picked.propensity == with_floor(of.arms, floor)[picked.variant] > 0
    assert picked.policy_version == of.version


def test_a_retry_picks_the_same_arm() -> None:
    two_arms = policy(a=0.5, b=0.5)
    assert picks(two_arms) == picks(policy(b=0.5, a=0.5))


def test_a_pick_stays_the_same_in_every_release() -> None:
    four_arms = policy(a=0.25, b=0.25, c=0.25, d=0.25)
    assert "".join(one.variant for one in picks(four_arms, causes=CAUSES[:16])) == "bbacacdbabaddada"


@pytest.mark.parametrize("floor", [0.0, 0.05])
def test_arms_are_picked_as_often_as_the_log_says(floor: float) -> None:
    skewed = policy(a=0.6, b=0.3, c=0.0999, d=0.0001)
    counts = Counter(one.variant for one in picks(skewed, floor, causes=CAUSES))
    for arm, propensity in with_floor(skewed.arms, floor).items():
        deviation = sqrt(len(CAUSES) * propensity * (1 - propensity))
        assert abs(counts[arm] - len(CAUSES) * propensity) < 4 * deviation


def test_an_arm_rarer_than_any_bucket_is_picked_all_the_same() -> None:
    """Five picks are expected. With 10,000 buckets the arm would get none, or one bucket with ten picks."""
    rare = policy(often=0.99995, rarely=0.00005)
    counts = Counter(one.variant for one in picks(rare, causes=CAUSES))
    assert 1 <= counts["rarely"] <= 9


@pytest.mark.parametrize("arms", [{"a": 0.0, "b": 1.0}, {"a": 1.0, "b": 0.0}, {"a": 0.0, "b": 1.0, "c": 0.0}])
def test_an_arm_without_probability_is_never_picked(arms: dict[str, float]) -> None:
    [only] = {one.variant for one in picks(policy(**arms))}
    assert arms[only] == 1.0


def test_the_arms_of_two_experiments_tell_nothing_of_each_other() -> None:
    three_arms = policy(a=0.5, b=0.3, c=0.2)
    pairs = zip(picks(three_arms, seed="upgrade"), picks(three_arms, seed="upgrade_2"), strict=True)
    assert are_independent((one.variant, other.variant) for one, other in pairs)


def test_a_fresher_policy_moves_no_more_causes_than_it_must() -> None:
    before, after = picks(policy(a=0.5, b=0.5)), picks(policy(a=0.6, b=0.4))
    moves = Counter((one.variant, other.variant) for one, other in zip(before, after, strict=True))
    assert moves["a", "b"] == 0
    assert moves["b", "a"] == pytest.approx(0.1 * len(FEWER), rel=0.1)


def test_the_least_probability_is_one_that_can_be_written() -> None:
    assert policy(a=MIN_PROBABILITY, b=1 - MIN_PROBABILITY).arms["a"] == pytest.approx(MIN_PROBABILITY)
