from dataclasses import replace

import pytest

from tests.support import analysts

analysts.required("duckdb", "numpy", "pyarrow", "scipy", "sqlglot", "tea_tasting")

from tests.simulation.experiments import ALIKE, PLANTED, alike, counted, held  # noqa: E402

SEEDS = range(4)
USERS = 8000


@pytest.mark.slow
def test_every_interval_holds_what_was_planted_in_almost_all_histories() -> None:
    found = counted(each for seed in SEEDS for each in held(replace(PLANTED, users=USERS), seed))
    assert len(found) == 22
    assert all(number >= len(SEEDS) - 1 for number in found.values()), found
    assert all(found[name] == len(SEEDS) for name in found if "every look" in name or "ratio" in name), found


@pytest.mark.slow
def test_arms_that_are_the_same_are_not_told_apart_at_any_daily_look() -> None:
    found = [alike(replace(ALIKE, users=USERS), seed) for seed in SEEDS]
    assert not any(each.erred_at_a_look for each in found)
    assert sum(each.significant for each in found) <= 1
