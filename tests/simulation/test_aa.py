from pathlib import Path

import pytest

from tests.simulation.aa import mismatch, simulate


@pytest.mark.slow
def test_two_arms_that_are_the_same_split_by_chance_alone_and_nothing_moves_a_user(tmp_path: Path) -> None:
    result = simulate(500, tmp_path)
    assert result.passed, result
    assert sum(result.arms.values()) + result.held_out == result.users


@pytest.mark.parametrize(("count", "expected"), [(5_000, 1.0), (5_098, 0.05), (5_200, 0.0001)])
def test_an_uneven_split_is_told_from_chance(count: int, expected: float) -> None:
    assert mismatch(count, 10_000, 0.5) == pytest.approx(expected, rel=0.1, abs=0.0001)
