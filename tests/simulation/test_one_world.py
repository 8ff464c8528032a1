from math import sqrt

import pytest

from tests.simulation.one_world import HOLDOUTS, OCCASIONS, shares

FOUR_SIGMA = 4


@pytest.mark.slow
def test_the_held_out_share_is_that_of_the_holdout_at_every_occasion() -> None:
    """Below a capped campaign too, where held-out users would otherwise never come to rest."""
    found = shares(1500)
    assert {share.occasion for share in found} == set(range(OCCASIONS))
    assert {(share.campaign_id, share.holdout) for share in found} == {
        *((campaign_id, "all") for campaign_id in ("first", "second", "third")),
        ("second", "of_second"),
    }
    for share in found:
        fraction = HOLDOUTS[share.holdout]["percent"] / 100
        spread = sqrt(fraction * (1 - fraction) / share.users)
        assert abs(share.percent / 100 - fraction) <= FOUR_SIGMA * spread, share


def test_all_users_are_at_every_occasion_at_the_same_campaign() -> None:
    of_all = [share for share in shares(200) if share.holdout == "all"]
    assert [(share.occasion, share.users) for share in of_all] == [
        (occasion, 200) for occasion in range(OCCASIONS)
    ]
