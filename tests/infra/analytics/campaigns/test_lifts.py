"""The lifts of a raw log: the same as `experiment report` tells from a warehouse of it."""

import re
from html import escape

import pytest

from tests.support import analysts

analysts.required("duckdb", "pyarrow", "scipy", "sqlglot", "tea_tasting")

from infra.analytics.campaigns.lifts import lifts
from infra.analytics.campaigns.lifts_page import sections
from infra.analytics.experiments.report import report
from infra.analytics.experiments.wording import interval
from infra.analytics.warehouse.load import load
from infra.html_page import document
from tests.support import experiment_history
from tests.support.raw_rows import TOPICS, Warehouse

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return experiment_history.replayed(tmp_path_factory.mktemp("history"), users=300)


def plain(told):
    """What a report says, with 9 digits of each number: the order of a sum decides the rest."""
    compared = [(one.metric, one.arm, one.window_days, one.problem, one.best) for one in told.comparisons]
    text = re.sub(r"-?\d+\.\d+(e-?\d+)?", lambda found: f"{float(found[0]):.9g}", str(compared))
    return text, told.units, told.mismatches, {one.reason: dict(one.units) for one in told.excluded}


@pytest.fixture(scope="module")
def found(out):
    shares = []
    told = lifts(out / "raw", progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    return {lift.id: lift for lift in told}


def test_each_experiment_and_holdout_has_the_report_of_the_warehouse(out, found):
    warehouse = Warehouse()
    load(warehouse.engine, out, TOPICS)
    warehouse.run()
    assert set(found) == {"gift", "words", "per-sub", "holdout/everything", "holdout/upgrades"}
    for id_, lift in found.items():
        assert lift.problem is None
        assert plain(lift.report) == plain(report(warehouse.engine, id_))
    warehouse.close()


def test_a_metric_takes_the_place_of_the_goals(out):
    told = {lift.id: lift for lift in lifts(out / "raw", ("accepted",))}
    assert [one.metric for one in told["holdout/everything"].report.comparisons] == ["accepted"]


def test_an_interval_is_on_the_page(found):
    page = document("t", sections([*found.values()]))
    days = [one for one in found["words"].report.comparisons if one.metric == "entitled_days"]
    assert [one.arm for one in days] == ["a", "b"]
    for one in days:
        assert one.best.always.low < one.best.fixed.low < one.best.difference < one.best.fixed.high
        assert escape(interval(one.best.always)) in page
    assert "Lift of holdout/everything" in page
    assert "95% at every look" in page


def test_an_experiment_without_control_is_told_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(experiment_history.CATALOG["experiments"]["gift"], "variants", [
        {"id": "plain", "weight": 0.5, "offer": "annual"},
        {"id": "with_gift", "weight": 0.5, "offer": "gift"},
    ])  # fmt: skip
    told = {lift.id: lift for lift in lifts(experiment_history.replayed(tmp_path, users=20) / "raw")}
    assert told["gift"].report is None
    assert told["gift"].problem.endswith("Name one: upbeat experiment report gift --control VARIANT")
    assert "expected a control" in document("t", sections([told["gift"]]))
