from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.support import analysts

analysts.required("scipy", "tea_tasting")

from scipy.stats import chisquare

from infra.analytics.experiments.definition import Definition
from infra.analytics.experiments.exposed import Cell
from infra.analytics.experiments.sample_ratio import sample_ratio

DAY = date(2026, 3, 1)
DEFINITION = Definition(
    id="gift",
    kind="experiment",
    catalog_version="v1",
    unit="user",
    variants=("control", "offer"),
    goals=(),
    guardrails=(),
    policy=None,
    weights={"v1": {"control": 0.5, "offer": 0.5}, "v2": {"control": 0.2, "offer": 0.8}},
    terms=None,
)


def cell(variant, units, *, version="v1", day=0, seen=0, bucket=0, propensity=None, offered=None) -> Cell:
    inverse = units / propensity if propensity else 0.0
    spread = units * (1 - propensity) / propensity**2 if propensity else 0.0
    return Cell(
        *(variant, DAY + timedelta(days=day), version, bucket, None, units, seen, 0),
        *((units if variant != "control" else 0) if offered is None else offered, inverse, spread),
        *(propensity, propensity),
    )


def test_the_overall_ratio_is_a_chi_square_against_the_weights() -> None:
    ratio = sample_ratio(DEFINITION, [cell("control", 5100), cell("offer", 4900)]).overall
    assert ratio.p == pytest.approx(chisquare([5100, 4900]).pvalue)
    assert ratio.expected == {"control": 5000, "offer": 5000}


def test_each_unit_is_expected_by_the_weights_of_its_own_catalog() -> None:
    cells = [cell("control", 500), cell("offer", 500)]
    cells += [cell("control", 200, version="v2"), cell("offer", 800, version="v2")]
    ratio = sample_ratio(DEFINITION, cells)
    assert ratio.overall.expected == {"control": 700, "offer": 1300}
    assert (ratio.overall.p, ratio.mismatches) == (1.0, ())
    assert [one.part for one in ratio.by_catalog_version] == ["v1", "v2"]


def test_a_mismatch_of_one_day_alone_is_found_and_told() -> None:
    cells = [cell(arm, 500, day=day) for day in range(20) for arm in ("control", "offer")]
    cells += [cell("control", 700, day=20), cell("offer", 500, day=20)]
    cells += [cell("control", 500, day=21), cell("offer", 700, day=21)]
    ratio = sample_ratio(DEFINITION, cells)
    assert ratio.overall.p == 1.0
    assert [sentence[:22] for sentence in ratio.mismatches] == ["by day 2026-03-21: con", "by day 2026-03-22: con"]
    assert "control 700 (expected 600), offer 500 (expected 600); p = " in ratio.mismatches[0]


def test_the_days_share_their_error() -> None:
    one_day = [cell("control", 580, day=3), cell("offer", 470, day=3)]  # p = 0.0007
    others = [cell(arm, 500, day=day) for day in range(4, 24) for arm in ("control", "offer")]
    assert (
        len(sample_ratio(DEFINITION, one_day).mismatches) == 4
    )  # of all, the day, the catalog, the bucket version
    assert sample_ratio(DEFINITION, one_day + others).mismatches == ()


def test_a_mismatch_by_bucket_version_is_found() -> None:
    cells = [cell("control", 700, bucket=1), cell("offer", 500, bucket=1)]
    cells += [cell("control", 500, bucket=2), cell("offer", 700, bucket=2)]
    assert [each.split(":")[0] for each in sample_ratio(DEFINITION, cells).mismatches] == [
        "by bucket version 1",
        "by bucket version 2",
    ]


def test_a_variant_that_gets_no_users_by_its_weight_must_have_none() -> None:
    definition = replace(DEFINITION, weights={"v1": {"control": 1.0, "offer": 0.0}})
    assert sample_ratio(definition, [cell("control", 100)]).overall.untested
    assert sample_ratio(definition, [cell("control", 100), cell("offer", 1)]).overall.p == 0.0


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ([], "no units"),
        ([cell("control", 3), cell("offer", 4)], "fewer than 5 units expected in an arm"),
        (
            [cell("control", 300, version="v9"), cell("offer", 400)],
            "expected the weights of catalog v9, found none",
        ),
    ],
)
def test_a_ratio_that_cannot_be_tested_says_why(cells, why) -> None:
    ratio = sample_ratio(DEFINITION, cells)
    assert (ratio.overall.p, ratio.overall.untested) == (None, why)


def test_arms_of_which_one_is_seen_less_often_differ_in_impressions() -> None:
    cells = [cell("plain", 1000, seen=800), cell("gift", 1000, seen=700), cell("control", 1000)]
    definition = replace(
        DEFINITION,
        variants=("plain", "gift", "control"),
        weights={"v1": {"plain": 1 / 3, "gift": 1 / 3, "control": 1 / 3}},
    )
    (told,) = sample_ratio(definition, cells).mismatches
    assert told.startswith("impressions by arm: plain 800 (expected 750), gift 700 (expected 750); p = ")
    alike = [cell("plain", 1000, seen=800), cell("gift", 1000, seen=790), cell("control", 1000)]
    assert sample_ratio(definition, alike).mismatches == ()


def test_a_policys_units_count_by_their_propensities() -> None:
    definition = replace(DEFINITION, policy="bandit", weights={})
    fair = [cell("control", 505, propensity=0.1), cell("offer", 4495, propensity=0.9)]
    fair += [cell("control", 2480, propensity=0.5, day=1), cell("offer", 2520, propensity=0.5, day=1)]
    ratio = sample_ratio(definition, fair)
    assert (ratio.overall.p or 0) > 0.05
    assert ratio.mismatches == ()
    assert sample_ratio(definition, [*fair, cell("control", 300, propensity=0.1)]).mismatches
