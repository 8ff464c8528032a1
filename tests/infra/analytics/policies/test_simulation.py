from tests.support import analysts

analysts.required("numpy", "scipy")

import pytest

from infra.analytics.policies.seasons import simulate_all
from infra.analytics.policies.simulation import Season, simulate

RATES = {"a": 0.106, "b": 0.151, "c": 0.183}
SHORT = Season(RATES, decisions=16_000, every=1_000, delay=0, is_spread=False, floor=0.02)


def test_a_refreshed_policy_goes_most_of_the_way_to_the_best_arm() -> None:
    seasons = simulate_all(SHORT, 6)
    assert seasons.captured[-1] > 0.6
    assert seasons.captured[-1] > seasons.captured[3] > seasons.captured[0]


def test_the_first_batch_is_given_by_chance() -> None:
    course = simulate(SHORT, 0)
    assert course.lost[0] == pytest.approx(course.lost_by_chance[0], rel=0.1)


def test_until_the_first_outcome_is_known_all_arms_are_given_alike() -> None:
    late = simulate(SHORT._replace(delay=4_000), 1)
    assert late.lost[4] == pytest.approx(late.lost_by_chance[4], rel=0.1)
    assert late.lost[-1] > simulate(SHORT, 1).lost[-1]


def test_a_spread_delay_teaches_earlier_than_one_that_all_outcomes_have() -> None:
    spread, fixed = (
        simulate_all(SHORT._replace(delay=4_000, is_spread=is_spread), 6).lost[:, -1].mean()
        for is_spread in (True, False)
    )
    assert spread < fixed


def test_the_same_seed_gives_the_same_season() -> None:
    assert [*simulate(SHORT, 3).lost] == [*simulate(SHORT, 3).lost]


def test_a_season_that_ends_between_two_refreshes_has_all_its_decisions() -> None:
    assert simulate(SHORT._replace(decisions=2_500), 0).decisions.tolist() == [1_000, 2_000, 2_500]
