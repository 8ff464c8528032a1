from math import sqrt

import pytest

from tests.simulation.one_world import OCCASIONS, expected, shares

FOUR_SIGMA = 4


@pytest.mark.slow
def test_the_held_out_share_is_that_of_the_holdout_at_every_occasion() -> None:
    """Below a capped campaign too, where held-out users would otherwise never come to rest."""
    found = shares(1500)
    assert {share.occasion for share in found} == set(range(OCCASIONS))
    assert {share.campaign_id for share in found} == {"first", "second", "third"}
    for share in found:
        fraction = expected(share.campaign_id) / 100
        spread = sqrt(fraction * (1 - fraction) / share.users)
        assert abs(share.percent / 100 - fraction) <= FOUR_SIGMA * spread, share


def test_all_users_are_at_every_occasion_at_the_same_campaign() -> None:
    found = shares(50)
    assert [(share.occasion, share.users) for share in found] == [(occasion, 50) for occasion in range(OCCASIONS)]
