from tests.support import analysts

analysts.required("numpy")

import numpy as np
import pytest

from infra.analytics.policies.delay import delay_curve


def test_without_any_success_nothing_is_known() -> None:
    assert [*delay_curve([], [], []).share_known([0, 5, 100])] == [0, 0, 0]


def test_successes_that_come_at_once_leave_nothing_to_come() -> None:
    curve = delay_curve([0, 3, 9], [0, 0, 0], [10, 10, 10])
    assert [*curve.share_known([0, 1, 50])] == [1, 1, 1]


def test_before_the_shortest_delay_nothing_is_known() -> None:
    curve = delay_curve([30] * 3, [5, 10, 20], [100, 100, 100])
    assert curve.share_known([4.9])[0] == 0
    assert curve.share_known([20])[0] == 1


def test_decisions_that_are_all_old_give_the_plain_shares() -> None:
    curve = delay_curve([1000] * 4, [1, 2, 3, 4], [1000] * 4)
    assert curve.share_known([1, 2, 3, 4]) == pytest.approx([0.25, 0.5, 0.75, 1], abs=0.001)


@pytest.mark.parametrize("mean", [20.0, 40.0])
def test_young_decisions_do_not_make_delays_look_short(mean: float) -> None:
    random = np.random.default_rng(3)
    ages, delays = random.uniform(0, 100, 40_000), random.exponential(mean, 40_000)
    seen = delays <= ages
    curve = delay_curve(ages[seen], delays[seen], np.ones(seen.sum()))
    asked = np.array([2.0, 5.0, 10.0, 30.0, 60.0])
    slower_than_any_decision = np.exp(-100 / mean)
    expected = (1 - np.exp(-asked / mean)) / (1 - slower_than_any_decision)
    assert curve.share_known(asked) == pytest.approx(expected, abs=0.02)
    of_seen = (delays[seen] <= 10).mean()
    assert of_seen > curve.share_known([10])[0] + 0.02, "a histogram of what is seen would be wrong"


def test_alike_successes_may_be_counted_together() -> None:
    apart = delay_curve([9, 9, 9, 4], [2, 2, 7, 2], [1, 1, 1, 1])
    together = delay_curve([9, 9, 4], [2, 7, 2], [2, 1, 1])
    assert [*apart.share_known(range(10))] == [*together.share_known(range(10))]
