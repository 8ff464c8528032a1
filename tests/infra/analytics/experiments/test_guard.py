import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from tests.support import analysts

analysts.required("duckdb", "numpy", "pyarrow", "scipy", "sqlglot", "tea_tasting")

from infra.__main__ import app
from infra.analytics.experiments.guard import guarded, harmful_arms, stopped
from shared.decisioning.compile import compile_catalog
from tests.support.experiment_rows import Metric, Plan, duckdb_of, history

HARMED = Plan(
    users=4000,
    metrics=(Metric("plan.changed", 0.10), Metric("refunded", 0.02, 0.05)),
    terms={"auto_stop": True},
    windows=(7,),
)
ALIKE = replace(HARMED, metrics=(Metric("plan.changed", 0.10), Metric("refunded", 0.02)))
CONTENT = {
    "placements": {"banner": {"channel": "in_app"}},
    "offers": {name: {"cms_ref": f"offers/{name}", "validity_hours": 24} for name in ("plain", "offer")},
    "campaigns": {
        "upgrade": {
            "offer": "plain",
            "placement": "banner",
            "moments": ["renewed"],
            "priority": 50,
            "experiment": "gift",
        },
        "other": {"offer": "offer", "placement": "banner", "moments": ["activated"], "priority": 40},
    },
    "experiments": {
        "gift": {
            "variants": [
                {"id": "control", "weight": 0.5, "offer": None},
                {"id": "offer", "weight": 0.5, "offer": "offer"},
            ],
            "guardrail_metrics": ["refunded"],
            "auto_stop": True,
        }
    },
}


def with_terms(**terms):
    return {**CONTENT, "experiments": {"gift": {**CONTENT["experiments"]["gift"], **terms}}}


def test_harm_to_a_guardrail_stops_the_experiment(warehouse) -> None:
    (one,) = guarded(warehouse(HARMED))
    assert (one.must_stop, one.doubt) == (True, None)
    assert {harm.metric for harm in one.harms} == {"refunded"}
    assert harmful_arms([one]) == {"gift": ["offer"]}


def test_arms_that_are_alike_are_left_to_run(warehouse) -> None:
    (one,) = guarded(warehouse(ALIKE))
    assert (one.must_stop, one.harms, one.tested) == (False, (), 1)


def test_a_guardrail_that_is_better_is_no_harm(warehouse) -> None:
    better = replace(HARMED, metrics=(Metric("plan.changed", 0.1), Metric("refunded", 0.1, -0.05)))
    assert not next(guarded(warehouse(better))).must_stop


def test_fewer_renewals_are_harm_and_more_are_none(warehouse) -> None:
    def plan(effect):
        return replace(HARMED, metrics=(Metric("renewed", 0.5, effect),), guardrails=("renewed",), goals=())

    assert next(guarded(warehouse(plan(-0.1)))).must_stop
    assert not next(guarded(warehouse(plan(0.1)))).must_stop


@pytest.mark.parametrize(("margin", "stops"), [(0.0, True), (0.05, True), (0.3, False)])
def test_harm_within_the_margin_is_tolerated(warehouse, margin, stops) -> None:
    terms = {"auto_stop": True, "harm_margin": margin}
    plan = replace(HARMED, metrics=(Metric("refunded", 0.4, 0.1),), goals=(), terms=terms)
    assert next(guarded(warehouse(plan))).must_stop == stops


@pytest.mark.parametrize("terms", [{}, {"auto_stop": False}, {"auto_stop": True, "state": "stopped"}])
def test_without_the_switch_or_stopped_nothing_is_looked_at(warehouse, terms) -> None:
    assert list(guarded(warehouse(replace(HARMED, terms=terms)))) == []


def test_harm_that_the_sample_ratio_makes_doubtful_stops_nothing_and_calls_for_eyes(warehouse) -> None:
    lost = "DELETE FROM {} WHERE experiment_id = 'gift' AND variant = 'control' AND hash(unit_id) % 4 = 0"
    (one,) = guarded(warehouse(HARMED, 1, lost.format("exposures"), lost.format("metrics")))
    assert (one.must_stop, one.needs_eyes) == (False, True)
    assert "the sample ratio is not as it should be: overall: control" in one.doubt


@pytest.mark.parametrize(
    "statement", ["DELETE FROM exposures", "DELETE FROM metrics", "DELETE FROM metrics WHERE unit_id = 'user-1'"]
)
def test_what_is_missing_stops_nothing(warehouse, statement) -> None:
    (one,) = guarded(warehouse(HARMED, 1, statement))
    assert not one.must_stop


def test_a_broken_document_hides_no_harm_of_another_experiment(warehouse) -> None:
    row = (
        "INSERT INTO experiments BY NAME SELECT 'broken' AS experiment_id, 'experiment' AS kind, '{}' AS document,"
    )
    row += " 'v' AS catalog_version, 'a' AS variant, TIMESTAMPTZ '2026-03-01T00:00:00Z' AS published_at"
    broken, harmed = guarded(warehouse(HARMED, 1, row))
    assert "experiments.broken.document: expected the terms of an experiment" in broken.doubt
    assert harmed.must_stop


def test_the_stopped_catalog_differs_by_the_state_alone() -> None:
    before = compile_catalog(CONTENT)
    change = stopped(before, {"gift": ["offer"]})
    assert (change.stopped, change.paused) == (("gift",), ())
    expected = compile_catalog(with_terms(state="stopped"))
    assert change.catalog == expected


def test_a_campaign_that_would_make_the_harmful_offer_to_all_is_paused() -> None:
    content = json.loads(json.dumps(CONTENT))
    content["campaigns"]["upgrade"]["offer"] = "offer"
    change = stopped(compile_catalog(content), {"gift": ["offer"]})
    assert change.paused == ("upgrade",)
    assert change.catalog.document.campaigns["upgrade"].state == "paused"
    assert change.catalog.document.campaigns["other"].state == "live"


@pytest.mark.parametrize(
    "content", [{}, with_terms(auto_stop=False), with_terms(state="stopped"), with_terms(state="draft")]
)
def test_a_catalog_in_force_that_does_not_allow_it_stays(content) -> None:
    assert stopped(compile_catalog(content), {"gift": ["offer"]}) is None


def test_a_dry_run_tells_what_it_would_stop(tmp_path) -> None:
    file = tmp_path / "warehouse.duckdb"
    duckdb_of(history(HARMED, 1), file).close()
    done = CliRunner().invoke(app, ["experiment", "guard", "--warehouse", str(file), "--dry-run"])
    assert done.exit_code == 0
    assert "gift: surely worse: refunded of offer is" in done.stdout
    assert "Would stop: gift (dry run: nothing is published)." in done.stdout
    done = CliRunner().invoke(app, ["experiment", "guard", "--warehouse", str(file), "--dry-run", "--json"])
    told = json.loads(done.stdout)
    assert (told["experiments"][0]["must_stop"], told["stopped"]) == (True, [])
