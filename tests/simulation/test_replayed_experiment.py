from pathlib import Path

import pytest

from tests.support import analysts

analysts.required("duckdb", "pyarrow", "scipy", "sqlglot", "tea_tasting")

from tests.simulation.replayed_experiment import EFFECT, HARM, replayed  # noqa: E402


@pytest.mark.slow
def test_a_history_replayed_event_by_event_shows_what_was_planted(tmp_path: Path) -> None:
    found = replayed(tmp_path, users=1200, seed=1)
    assert found.mismatches == ()
    assert [one.reason for one in found.excluded] == ["holdout"]
    assert sum(found.units.values()) + sum(found.excluded[0].units.values()) == 1200
    for one, planted in zip(found.comparisons, (EFFECT, HARM), strict=True):
        assert one.plain.fixed.low < planted < one.plain.fixed.high
        assert one.plain.fixed.low > 0
    (lift,) = found.lifts
    assert (lift.mismatches, lift.comparisons[0].plain.always.low < EFFECT / 2) == ((), True)
