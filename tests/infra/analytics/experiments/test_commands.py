import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from tests.support import analysts

analysts.required("altair", "duckdb", "numpy", "pyarrow", "scipy", "sqlglot", "tea_tasting", "vl_convert")

from infra.__main__ import app
from tests.support.experiment_rows import Metric, Plan, duckdb_of, history

PLAN = Plan(users=3000, metrics=(Metric("plan.changed", 0.1, 0.05), Metric("refunded", 0.02)), windows=(7,))
LOST = "DELETE FROM {} WHERE variant = 'control' AND hash(unit_id) % 4 = 0"
CATALOG = """
placements: {banner: {channel: in_app}}
offers: {a: {cms_ref: x/a, validity_hours: 24}}
campaigns:
  upgrade: {offer: a, placement: banner, moments: [renewed], priority: 5, experiment: next}
experiments:
  next:
    variants: [{id: control, weight: 0.5, offer: null}, {id: new, weight: 0.5, offer: a}]
    goal_metrics: [plan.changed]
"""


@pytest.fixture
def warehouse(tmp_path):
    file = tmp_path / "warehouse.duckdb"
    duckdb_of(history(PLAN, 1), file).close()
    return file


def run(*words, **settings):
    return CliRunner().invoke(app, ["experiment", *map(str, words)], **settings)


def test_a_report_is_a_page_a_line_of_json_or_an_html_file(warehouse, tmp_path) -> None:
    shown = run("report", "gift", "--warehouse", warehouse)
    assert shown.exit_code == 0
    assert shown.stdout.startswith("gift (experiment, by user), catalog")
    told = json.loads(run("report", "gift", "--warehouse", warehouse, "--json").stdout)
    assert [one["metric"] for one in told["comparisons"]] == ["plan.changed", "refunded"]
    assert told["harms"][0]["is_sure"] is False
    page = tmp_path / "gift.html"
    assert run("report", "gift", "--warehouse", warehouse, "--html", page).exit_code == 0
    assert page.read_text().startswith("<!doctype html>")


def test_a_page_fits_eighty_columns(warehouse) -> None:
    shown = run("report", "gift", "--warehouse", warehouse, env={"COLUMNS": "80"})
    assert max(map(len, shown.stdout.splitlines())) <= 80
    assert "plan.changed  offer" in shown.stdout


def test_only_units_since_a_day(warehouse) -> None:
    told = json.loads(run("report", "gift", "--warehouse", warehouse, "--since", "2026-03-10", "--json").stdout)
    assert told["first_exposure"] == "2026-03-10"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("gift", "--since", "March"), "--since: expected a day such as 2026-03-01, in UTC, found 'March'"),
        (("gift", "--since", "2026-03-10T00:00:00+02:00"), "--since: expected a day"),
        (("gift", "--control", "nobody"), "expected one of its variants (control, offer), found 'nobody'"),
        (("nothing",), "nothing: expected an experiment of a published catalog, found gift, holdout/everything"),
        (("gift", "--since", "2030-01-01"), "exposures: expected units of gift since 2030-01-01, found none"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(warehouse, words, error) -> None:
    done = run("report", *words, "--warehouse", warehouse)
    assert done.exit_code == 2
    assert error in done.stderr


def test_a_metric_that_names_nothing_is_told_so(warehouse) -> None:
    shown = run("report", "gift", "--warehouse", warehouse, "--metric", "happiness")
    assert "expected rows in metrics within these days, found none" in " ".join(shown.stdout.split())


def test_a_page_that_cannot_be_written_is_an_error(warehouse, tmp_path) -> None:
    done = run("report", "gift", "--warehouse", warehouse, "--html", tmp_path / "no" / "gift.html")
    assert done.exit_code == 1
    assert "gift.html: expected a file to write, found No such file or directory" in done.stderr


def test_a_plan_is_a_page_or_json(warehouse, tmp_path) -> None:
    file = tmp_path / "new.yaml"
    file.write_text(CATALOG)
    shown = run("plan", "next", "--warehouse", warehouse, "--catalog", file)
    assert "next, control control: an effect of 5% within 28 days" in shown.stdout
    told = json.loads(
        run("plan", "next", "--warehouse", warehouse, "--catalog", file, "--window", 7, "--json").stdout
    )
    assert told["needs"][0]["units_per_arm"]["new"] > 1000


def test_the_guard_says_so_if_nothing_lets_it_stop(warehouse) -> None:
    assert run("guard", "--warehouse", warehouse).stdout == "No running experiment says auto_stop.\n"


def test_the_guard_exits_with_1_where_somebody_has_to_look(tmp_path) -> None:
    file = tmp_path / "doubtful.duckdb"
    harmed = replace(PLAN, metrics=(Metric("refunded", 0.02, 0.1),), terms={"auto_stop": True}, goals=())
    connection = duckdb_of(history(harmed, 1), file)
    for table in ("exposures", "metrics"):
        connection.execute(LOST.format(table))
    connection.close()
    done = run("guard", "--warehouse", file)
    assert done.exit_code == 1
    assert "gift: not stopped: the sample ratio is not as it should be" in done.stdout
