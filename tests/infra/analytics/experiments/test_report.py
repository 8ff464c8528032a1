import json
import re
from dataclasses import asdict, replace

import pytest

from tests.support import analysts

analysts.required("altair", "duckdb", "numpy", "pyarrow", "scipy", "sqlglot", "tea_tasting", "vl_convert")

from infra.analytics.experiments.definition import NoControl, NoTable, UnknownExperiment
from infra.analytics.experiments.exposed import NothingToReport
from infra.analytics.experiments.html_page import html
from infra.analytics.experiments.page import page
from infra.analytics.experiments.report import Asked, report
from infra.analytics.warehouse.duckdb_engine import DuckDBEngine
from infra.terminal.console import console
from shared.queries.user_view import to_json
from tests.support.experiment_rows import Metric, Plan, duckdb_of

PLAN = Plan(users=4000, metrics=(Metric("plan.changed", 0.10, 0.05), Metric("refunded", 0.02, 0.0)), windows=(7,))
TEXT = "UPDATE exposures SET {} WHERE experiment_id = 'gift' AND {}"
HOLDOUT = "UPDATE exposures SET holdouts = '{}' WHERE variant = '{}' AND {}"
CONVERTED = "UPDATE metrics SET numerator = 1 WHERE hash(unit_id || 'x') % 2 = 0 AND {}"
DELETED = "DELETE FROM {} WHERE {}"
EVERY_TENTH = "CAST(split_part(user_id, '-', 2) AS INTEGER) % 10 = 0"


def shown(found) -> str:
    output = console()
    output.width = 300
    with output.capture() as captured:
        output.print(page(found))
    return captured.get()


def units_out(found) -> dict[str, int]:
    return {one.reason: sum(one.units.values()) for one in found.excluded}


def test_the_sample_ratio_comes_first_and_the_findings_after_it(warehouse) -> None:
    text = shown(report(warehouse(PLAN), "gift"))
    order = ["gift (experiment, by user)", "Sample ratio: as it should be", "Goals, within 7 days", "Guardrails"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "better at every look" in text


def test_each_unit_counts_once_and_nobody_is_lost(warehouse) -> None:
    found = report(warehouse(replace(PLAN, duplicated=0.1)), "gift")
    out = units_out(found)
    assert set(out) == {"repeated", "holdout"}
    assert sum(found.units.values()) + out["holdout"] == PLAN.users
    assert sum(found.comparisons[0].units.values()) == sum(found.units.values())


def test_rows_that_are_there_twice_change_no_number(warehouse) -> None:
    once, twice = (report(warehouse(replace(PLAN, duplicated=share)), "gift") for share in (0.0, 1.0))
    assert once.comparisons == twice.comparisons
    assert once.sample_ratio == twice.sample_ratio


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("variant = 'withdrawn', known_variant = FALSE", "unknown_variant"),
        ("variant = NULL", "unknown_variant"),
        ("known_variant = NULL", "unknown_variant"),
        ("variants_seen = 2", "crossover"),
        ("withheld = 'cap', given = FALSE", "cap"),
        ("withheld = 'cool_down', given = FALSE", "cool_down"),
        ("given = FALSE", "not_given"),
        ("given = NULL", "not_given"),
        ("holdouts = 'other'", "holdout"),
        ("propensity = NULL", "no_propensity"),
        ("propensity = 0", "no_propensity"),
        ("propensity = 1.5", "no_propensity"),
        ("propensity = 'NaN'", "no_propensity"),
    ],
)
def test_who_is_left_out_is_told_with_the_reason(warehouse, change, reason) -> None:
    plan = replace(PLAN, held_out=0.0)
    found = report(warehouse(plan, 1, TEXT.format(change, EVERY_TENTH)), "gift")
    assert units_out(found) == {reason: 400}
    assert sum(found.units.values()) == 3600
    assert all(one.best for one in found.comparisons)


def test_units_from_before_min_bucket_version_are_left_out(warehouse) -> None:
    plan = replace(PLAN, held_out=0.0, terms={"bucket_version": 2, "min_bucket_version": 1})
    found = report(warehouse(plan, 1, TEXT.format("bucket_version = 1", f"NOT {EVERY_TENTH}")), "gift")
    assert units_out(found) == {"before_min_bucket_version": 400}


def test_members_whom_the_holdout_withheld_put_in_by_hand_spoil_the_ratio(warehouse) -> None:
    """Whoever was given nothing looks like control, whichever arm it was in."""
    plan = replace(PLAN, held_out=0.15)
    assert report(warehouse(plan), "gift").mismatches == ()
    by_hand = TEXT.format(
        "withheld = NULL, holdouts = NULL, given = TRUE, offer_id = NULL, variant = 'control'", "NOT given"
    )
    found = report(warehouse(plan, 1, by_hand), "gift")
    assert found.mismatches[0].startswith("overall: control 2,")
    assert "SAMPLE RATIO MISMATCH" in shown(found)
    assert "SAMPLE RATIO MISMATCH" in html(found)


def test_the_lift_of_the_holdout_stands_beside_and_is_a_report_of_its_own(warehouse) -> None:
    engine = warehouse(replace(PLAN, held_out=0.3))
    (lift,) = report(engine, "gift").lifts
    assert (lift.holdout, lift.mismatches, lift.problem) == ("everything", (), None)
    whole = report(engine, "holdout/everything", Asked(metrics=("plan.changed",)))
    assert whole.control == "held_out"
    assert whole.comparisons[0].best == lift.comparisons[0].best
    every = report(engine, "holdout/everything")
    assert [one.metric for one in every.comparisons] == ["plan.changed", "refunded"]
    assert every.lifts == ()


def test_units_in_two_holdouts_are_in_neither_group(warehouse) -> None:
    both = HOLDOUT.format("everything,other", "held_out", EVERY_TENTH)
    other = HOLDOUT.format("other", "treated", EVERY_TENTH)
    found = report(warehouse(replace(PLAN, held_out=0.3), 1, both, other), "holdout/everything")
    assert units_out(found) == {"other_holdout": 400}


def test_a_holdout_that_no_catalog_has_is_named(warehouse) -> None:
    change = TEXT.format("holdouts = 'lost'", "withheld = 'holdout'")
    (lift,) = report(warehouse(PLAN, 1, change), "gift").lifts
    assert lift.problem == "experiments: expected holdout/lost, found none"


def test_what_was_revoked_before_it_was_seen_is_counted_by_arm(warehouse) -> None:
    found = report(warehouse(replace(PLAN, held_out=0.0)), "gift")
    assert {one.arm for one in found.revoked} == {"control", "offer"}
    assert all(0 < one.revoked_before_seen < one.units for one in found.revoked)


def test_holm_adjusts_the_goals_for_one_another_and_no_guardrail(warehouse) -> None:
    metrics = tuple(Metric(name, 0.1, 0.01) for name in ("accepted", "renewed", "clicked"))
    goals, guardrails = ("accepted", "renewed"), ("clicked",)
    plan = replace(PLAN, metrics=metrics, goals=goals, guardrails=guardrails)
    first, second, third = report(warehouse(plan), "gift").comparisons
    low, high = sorted((first.best.p, second.best.p))
    assert sorted((first.holm_p, second.holm_p)) == pytest.approx([min(1, 2 * low), min(1, max(2 * low, high))])
    assert third.holm_p is None


def test_three_arms_are_each_compared_with_control(warehouse) -> None:
    plan = replace(PLAN, weights=(("control", 0.4), ("offer", 0.4), ("gift", 0.2)))
    found = report(warehouse(plan), "gift")
    assert [(one.metric, one.arm) for one in found.comparisons] == [
        ("plan.changed", "offer"),
        ("plan.changed", "gift"),
        ("refunded", "offer"),
        ("refunded", "gift"),
    ]
    assert found.mismatches == ()


def test_novelty_is_a_trend_over_the_days_of_exposure(warehouse) -> None:
    fading = "UPDATE metrics SET numerator = 1 WHERE variant = 'offer' AND metric = 'plan.changed' AND {}"
    plan = replace(PLAN, users=8000, held_out=0.0)
    first_days = fading.format("exposure_date < DATE '2026-03-08' AND hash(unit_id) % 2 = 0")
    trend = report(warehouse(plan, 1, first_days), "gift").comparisons[0].trend
    assert trend is not None
    assert (trend.per_day < 0, trend.p < 0.001) == (True, True)


def test_a_policy_weights_each_unit_by_its_propensity(warehouse) -> None:
    """On the second half of the days the arm is likely, and everybody converts more often: Simpson's paradox."""
    plan = replace(PLAN, users=8000, held_out=0.0, metrics=(Metric("plan.changed", 0.1),), guardrails=())
    plan = replace(plan, terms={"policy": "bandit", "floor": 0.05}, weights=(("control", 0.5), ("offer", 0.5)))
    late = "exposure_date >= DATE '2026-03-15'"
    dropped = late + " AND variant = 'control' AND hash(unit_id) % 10 < 8"
    statements = (
        DELETED.format("metrics", dropped),
        DELETED.format("exposures", dropped),
        TEXT.format("propensity = IF(variant = 'offer', 5/6, 1/6)", late),
        CONVERTED.format(late),
    )
    engine = warehouse(plan, 1, *statements)
    found = report(engine, "gift")
    (one,) = found.comparisons
    assert found.mismatches == ()
    assert one.plain.fixed.low < 0 < one.plain.fixed.high
    raw = engine.rows("SELECT variant, AVG(numerator) AS mean FROM metrics GROUP BY variant ORDER BY variant")
    assert raw[1]["mean"] - raw[0]["mean"] > 0.05
    assert "weighted by 1 / propensity" in shown(found)


def test_a_unit_of_a_policy_without_propensity_is_left_out_and_one_of_many_arms_is_not(warehouse) -> None:
    plan = replace(PLAN, held_out=0.0, terms={"policy": "bandit"})
    changed = TEXT.format("propensity = NULL", EVERY_TENTH)
    crossed = TEXT.format("variants_seen = 2", f"NOT {EVERY_TENTH}")
    found = report(warehouse(plan, 1, changed, crossed), "gift")
    assert units_out(found) == {"no_propensity": 400}


def test_subscriptions_of_one_user_are_no_independent_units(warehouse) -> None:
    """Four copies of a user's subscription tell no more than one: the error must not shrink by half."""
    plan = replace(
        PLAN, users=1000, held_out=0.0, unit="subscription", subscriptions=4, terms={"unit": "subscription"}
    )
    same = (
        "UPDATE exposures SET variant = IF(hash(user_id || 'y') % 2 = 0, 'control', 'offer')",
        "UPDATE metrics SET numerator = IF(hash(split_part(unit_id, '/', 1) || metric) % 10 = 0, 1, 0)",
        "UPDATE metrics SET covariate = 0",
    )
    found = report(warehouse(plan, 1, *same), "gift")
    one = found.comparisons[0]
    assert sum(one.units.values()) == 4000
    by_user = 2 * (0.1 * 0.9 / 1000) ** 0.5
    assert one.plain.standard_error == pytest.approx(by_user, rel=0.15)
    assert "no independent units" in shown(found)


def test_users_with_subscriptions_in_both_arms_are_counted(warehouse) -> None:
    plan = replace(
        PLAN, users=1000, held_out=0.0, unit="subscription", subscriptions=2, terms={"unit": "subscription"}
    )
    (note,) = report(warehouse(plan), "gift").notes
    mixed = int(re.search(r"([\d,]+) users have subscriptions in several arms", note).group(1).replace(",", ""))
    assert mixed == pytest.approx(500, abs=60)


def test_units_whose_window_has_not_passed_wait(warehouse) -> None:
    plan = replace(PLAN, observed_days=20, windows=(7, 28))
    found = report(warehouse(plan), "gift")
    one = found.comparisons[0]
    assert found.window_days == 7
    assert one.waiting > 0
    assert one.waiting + sum(one.units.values()) == sum(found.units.values())
    assert "wait for their 7 days" in shown(found)
    young = report(warehouse(plan), "gift", Asked(window_days=28)).comparisons[0]
    assert young.problem == f"expected units whose window has passed, found {young.waiting:,} that wait"


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (
            "DELETE FROM metrics WHERE metric = 'plan.changed'",
            "expected rows in metrics within these days, found none",
        ),
        (
            "UPDATE metrics SET numerator = NULL WHERE unit_id = 'user-7'",
            "expected a number for each unit, found none for 1",
        ),
        ("UPDATE metrics SET denominator = NULL WHERE unit_id = 'user-7'", "found none for 1"),
        ("UPDATE metrics SET numerator = 'NaN' WHERE unit_id = 'user-7'", "found infinity or NaN"),
        ("DELETE FROM metrics WHERE unit_id = 'user-7'", "expected one row for each of 4,000 units, found 3,999"),
        ("UPDATE metrics SET numerator = 1", "every unit has the same value"),
        ("UPDATE metrics SET denominator = 0", "expected denominators with a sum above 0, found 0"),
        ("UPDATE metrics SET complete = NULL", "expected units whose window has passed, found 4,000 that wait"),
    ],
)
def test_a_metric_that_cannot_be_told_says_what_is_missing_and_the_rest_is_told(
    warehouse, statement, problem
) -> None:
    found = report(warehouse(replace(PLAN, held_out=0.0), 1, statement), "gift")
    one = found.comparisons[0]
    assert one.best is None
    assert problem in one.problem
    assert problem in shown(found)
    assert problem in html(found)
    assert found.sample_ratio.overall.p is not None


def test_a_covariate_that_is_missing_counts_as_none(warehouse) -> None:
    plan = replace(PLAN, held_out=0.0)
    found = report(warehouse(plan, 1, "UPDATE metrics SET covariate = NULL"), "gift").comparisons[0]
    assert found.cuped is None
    assert found.best == found.plain


@pytest.mark.parametrize(
    ("statements", "error", "words"),
    [
        (
            ("DELETE FROM experiments",),
            UnknownExperiment,
            "gift: expected an experiment of a published catalog, found none",
        ),
        (
            ("DELETE FROM exposures",),
            NothingToReport,
            "exposures: expected units of gift, found none",
        ),
        (
            ("UPDATE exposures SET withheld = 'holdout'",),
            NothingToReport,
            "exposures: expected units of gift to compare, found only 4,000 holdout",
        ),
        (
            ("UPDATE experiments SET document = '{}'",),
            UnknownExperiment,
            "experiments.gift.document: expected the terms",
        ),
        (("DROP TABLE metrics",), NoTable, "warehouse: expected the tables metrics"),
    ],
)
def test_what_is_missing_is_named(warehouse, statements, error, words) -> None:
    with pytest.raises(error, match=re.escape(words)):
        report(warehouse(PLAN, 1, *statements), "gift")


def test_an_unknown_experiment_is_refused_with_those_that_there_are(warehouse) -> None:
    with pytest.raises(UnknownExperiment, match=r"gfit: expected .* found gift, holdout/everything"):
        report(warehouse(PLAN), "gfit")


def test_an_experiment_without_control_is_refused_until_one_is_named(warehouse) -> None:
    plan = replace(PLAN, weights=(("plain", 0.5), ("offer", 0.5)))
    engine = warehouse(plan)
    with pytest.raises(NoControl, match=r"experiments\.gift: expected a control in the catalog, --control, or "):
        report(engine, "gift")
    assert report(engine, "gift", Asked(control="plain")).arms == ("offer",)
    with pytest.raises(NoControl, match=r"control: expected one of its variants \(plain, offer\), found 'nobody'"):
        report(engine, "gift", Asked(control="nobody"))
    named = replace(plan, terms={"control": "plain"})
    assert report(warehouse(named), "gift").control == "plain"


def test_one_user_is_a_refusal_and_no_division_by_zero(warehouse) -> None:
    found = report(warehouse(replace(PLAN, users=1, held_out=0.0)), "gift")
    assert {one.problem for one in found.comparisons} == {"expected at least 30 units in each arm, found 0"} or {
        one.problem for one in found.comparisons
    } == {"expected at least 30 units in each arm, found 1"}
    assert found.sample_ratio.overall.untested


def test_negative_revenue_is_a_number(warehouse) -> None:
    plan = replace(
        PLAN, metrics=(Metric("revenue:EUR", 900, 50, kind="money"),), goals=("revenue:EUR",), guardrails=()
    )
    found = report(warehouse(plan, 1, "UPDATE metrics SET numerator = numerator - 3000"), "gift").comparisons[0]
    assert found.best.control < 0
    assert found.best.relative is None
    assert found.best.fixed.low < 50 < found.best.fixed.high


def test_a_warehouse_of_empty_tables_says_so() -> None:
    with DuckDBEngine.of(duckdb_of({})) as engine, pytest.raises(UnknownExperiment, match="found none"):
        report(engine, "gift")


def test_a_report_as_json_has_no_value_that_json_lacks(warehouse) -> None:
    text = json.dumps(to_json(asdict(report(warehouse(PLAN), "gift"))), allow_nan=False)
    assert json.loads(text)["comparisons"][0]["plain"]["always"].keys() == {"low", "high"}


def test_the_html_page_asks_nothing_of_a_network_and_runs_nothing(warehouse) -> None:
    text = html(report(warehouse(replace(PLAN, id="<script>alert(1)</script>")), "<script>alert(1)</script>"))
    assert text.count("<svg") == 5
    assert "<script" not in text
    assert not re.search(r"(?:href|src)\s*=|url\(|@import", text)
