from tests.support import analysts

analysts.required("duckdb", "numpy", "sqlglot")

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from infra.analytics.warehouse.checks import read_assertions
from infra.analytics.warehouse.engine import open_engine
from infra.analytics.warehouse.models import read_models

NOW = datetime(2026, 3, 31, tzinfo=UTC)


def failures(folder: Path, recent: list[float], earlier: list[float]) -> list[dict[str, Any]]:
    """What the assertion says of candidates with these scores, of yesterday and of three weeks ago."""
    file = folder / "scores.duckdb"
    rows = [
        ("upgrade", score, NOW - timedelta(days=age), (NOW - timedelta(days=age)).date())
        for age, scores in ((1, recent), (21, earlier))
        for score in scores
    ]
    with duckdb.connect(str(file)) as connection:
        table = "campaign_id VARCHAR, score DOUBLE, decided_at TIMESTAMPTZ, publish_date DATE"
        connection.execute(f"CREATE TABLE stg_candidate ({table})")
        columns = [list(column) for column in zip(*rows, strict=True)]
        connection.execute(
            "INSERT INTO stg_candidate SELECT unnest($1), unnest($2), unnest($3), unnest($4)", columns
        )
    [assertion] = [each for each in read_assertions(read_models()) if each.name == "scores_are_stable"]
    with open_engine(str(file)) as engine:
        return engine.rows(assertion.sql, now=NOW)


def spread(mean: float, number: int) -> list[float]:
    return np.clip(np.random.default_rng(5).normal(mean, 0.15, number), 0, 1).tolist()


def test_scores_that_are_spread_as_before_are_stable(tmp_path: Path) -> None:
    assert failures(tmp_path, spread(0.4, 2000), spread(0.4, 5000)) == []


def test_scores_that_have_moved_fail_with_their_campaign_and_their_index(tmp_path: Path) -> None:
    [failure] = failures(tmp_path, spread(0.7, 2000), spread(0.4, 5000))
    assert (failure["campaign_id"], failure["recent"], failure["earlier"]) == ("upgrade", 2000, 5000)
    assert failure["psi"] == pytest.approx(4, abs=1.5)


def test_few_candidates_say_nothing(tmp_path: Path) -> None:
    assert failures(tmp_path, spread(0.7, 999), spread(0.4, 5000)) == []


def test_scores_of_exactly_zero_and_one_are_in_a_bin(tmp_path: Path) -> None:
    [failure] = failures(tmp_path, [1.0] * 1000, [0.0] * 1000)
    assert failure["psi"] > 10
