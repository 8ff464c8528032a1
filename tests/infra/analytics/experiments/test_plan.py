import json
from dataclasses import replace

import pytest

from tests.support import analysts

analysts.required("duckdb", "numpy", "pyarrow", "scipy", "sqlglot", "tea_tasting")

from infra.analytics.experiments.definition import NoControl, UnknownExperiment
from infra.analytics.experiments.exposed import NothingToReport
from infra.analytics.experiments.plan import Question, newest_catalog, plan
from infra.analytics.experiments.plan_page import page
from infra.terminal.console import console
from shared.decisioning.document.schema import CatalogDocument
from tests.support.experiment_rows import Metric, Plan

FUNNEL = "INSERT INTO funnel VALUES {}"
INSERTED = "INSERT INTO stg_catalog_published VALUES ('{0}', '2026-03-0{1}T00:00:00Z', DATE '2026-03-0{1}')"
HISTORY = Plan(users=8000, metrics=(Metric("plan.changed", 0.10), Metric("refunded", 0.02)), windows=(7, 28))


def document(**terms) -> CatalogDocument:
    content = {
        "campaigns": {
            "upgrade": {
                "offer": "a",
                "placement": "banner",
                "moments": ["renewed"],
                "priority": 1,
                "experiment": "next",
            }
        },
        "experiments": {
            "next": {
                "variants": [
                    {"id": "control", "weight": 0.5, "offer": None},
                    {"id": "new", "weight": 0.5, "offer": "a"},
                ],
                "goal_metrics": ["plan.changed"],
                **terms,
            }
        },
    }
    return CatalogDocument.model_validate_json(json.dumps(content))


def test_the_units_are_those_of_the_textbook(warehouse) -> None:
    """Two proportions, 80% power, 5%: n = 2 (1.96 + 0.84)^2 p (1 - p) / effect^2 in each arm."""
    (need,) = plan(warehouse(HISTORY), document(), "next", Question(effect=0.2)).needs
    expected = 2 * (1.959964 + 0.841621) ** 2 * need.mean * (1 - need.mean) / need.effect**2
    assert need.mean == pytest.approx(0.1, abs=0.01)
    assert need.effect == pytest.approx(0.2 * need.mean)
    assert need.units_per_arm["control"] == need.units_per_arm["new"] == pytest.approx(expected, rel=0.001)


def test_looking_every_day_needs_more_units_and_days(warehouse) -> None:
    (need,) = plan(warehouse(HISTORY), document(), "next", Question(effect=0.1)).needs
    assert need.units_per_arm_at_every_look["new"] > 1.3 * need.units_per_arm["new"]
    assert need.days_at_every_look > need.days


def test_what_the_days_show_needs_just_these_days(warehouse) -> None:
    engine = warehouse(HISTORY)
    (need,) = plan(engine, document(), "next", Question(days=28)).needs
    (again,) = plan(engine, document(), "next", Question(effect=need.detectable_share)).needs
    assert again.days == pytest.approx(28, abs=1)


def test_shares_coverage_and_goals_cost_units(warehouse) -> None:
    engine = warehouse(HISTORY)

    def days(**terms):
        return plan(engine, document(**terms), "next", Question(effect=0.2)).needs[0].days

    assert days(coverage=0.5) == pytest.approx(2 * days(), abs=1)
    assert days(goal_metrics=["plan.changed", "refunded"]) > days()
    uneven = [{"id": "control", "weight": 0.9, "offer": None}, {"id": "new", "weight": 0.1, "offer": "a"}]
    assert days(variants=uneven) == pytest.approx(2.78 * days(), rel=0.1)


def test_without_exposures_the_funnel_tells_what_it_can(warehouse) -> None:
    rows = ", ".join(
        f"(DATE '2026-03-{day:02}', 'upgrade', 'v1', NULL, '{stage}', NULL, {number})"
        for day in range(1, 11)
        for stage, number in (("issued", 500), ("accepted", 50), ("lost", 10_000))
    )
    engine = warehouse(None, 1, FUNNEL.format(rows))
    found = plan(engine, document(goal_metrics=["accepted", "renewed"]), "next", Question())
    accepted, renewed = found.needs
    assert (accepted.mean, found.units_per_day) == (0.1, 500)
    assert renewed.problem == "expected 30 units with 28 days of history, found 0"
    assert "each taken for another unit" in found.source


def test_without_any_history_it_is_refused(warehouse) -> None:
    with pytest.raises(
        NothingToReport, match="exposures and funnel: expected units of the campaigns upgrade, found none"
    ):
        plan(warehouse(), document(), "next", Question())


def test_what_no_campaign_uses_has_no_history(warehouse) -> None:
    unused = document().model_copy(update={"campaigns": {}})
    with pytest.raises(NothingToReport, match="campaigns of the experiment"):
        plan(warehouse(HISTORY), unused, "next", Question())


@pytest.mark.parametrize(
    ("terms", "id_", "error", "words"),
    [
        ({}, "nxt", UnknownExperiment, "experiments: expected nxt, found next"),
        ({"goal_metrics": []}, "next", UnknownExperiment, "goal_metrics: expected a metric"),
        (
            {"variants": [{"id": "a", "weight": 0.5, "offer": "a"}, {"id": "b", "weight": 0.5, "offer": "b"}]},
            "next",
            NoControl,
            r"experiments.next.control: expected one of the variants \(a, b\)",
        ),
    ],
)
def test_a_catalog_that_lacks_something_is_refused(warehouse, terms, id_, error, words) -> None:
    with pytest.raises(error, match=words):
        plan(warehouse(HISTORY), document(**terms), id_, Question())


@pytest.mark.parametrize("statement", ["UPDATE metrics SET numerator = 1", "UPDATE metrics SET numerator = 0"])
def test_outcomes_that_are_the_same_for_all_say_so(warehouse, statement) -> None:
    (need,) = plan(warehouse(HISTORY, 1, statement), document(), "next", Question()).needs
    assert need.problem == "expected outcomes that differ by unit, found the same for all"


@pytest.mark.parametrize("effect", [0.0001, 1.0, 100.0])
def test_no_effect_is_too_small_or_too_large(warehouse, effect) -> None:
    (need,) = plan(warehouse(HISTORY), document(), "next", Question(effect=effect)).needs
    assert need.units_per_arm["new"] >= 30


def test_the_newest_published_catalog_is_planned_by_default(warehouse) -> None:
    table = "CREATE TABLE stg_catalog_published (catalog JSON, published_at TIMESTAMPTZ, publish_date DATE)"
    older, newer = (
        INSERTED.format(text, day)
        for day, text in ((1, "{}"), (2, document().model_dump_json(exclude_defaults=True)))
    )
    assert list(newest_catalog(warehouse(None, 1, table, newer, older)).experiments) == ["next"]
    with pytest.raises(
        UnknownExperiment, match="stg_catalog_published: expected a published catalog or --catalog"
    ):
        newest_catalog(warehouse(None, 1, table))


def test_the_page_names_its_assumptions(warehouse) -> None:
    output = console()
    output.width = 200
    subscriptions = replace(HISTORY, held_out=0.05)
    found = plan(warehouse(subscriptions), document(unit="subscription"), "next", Question())
    with output.capture() as captured:
        output.print(page(found))
    text = captured.get()
    for part in (
        "The baseline is",
        "new units a day",
        "28 days after its exposure",
        "Units are taken as independent",
    ):
        assert part in text
