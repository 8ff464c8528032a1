import csv
import json
from datetime import date, datetime, timedelta
from math import log

import pytest

from tests.support import analysts

analysts.required("duckdb", "numpy", "sqlglot")

import duckdb
import numpy as np
import sqlglot

from infra.analytics.training.drift import (
    SCORE_EDGES,
    calibration,
    drift,
    edges_of,
)
from infra.analytics.training.drift_of_decisions import of_decisions
from infra.analytics.training.outcomes import parse_outcome
from infra.analytics.training.score_sql import in_context
from tests.support.artifacts import category, leaf, logistic, number, score, split, trees, written

X = number(
    "x", 0.5, min=-9, max=9, knots=[{"at": at, "coefficient": 0.1} for at in (-1, 0, 1)], missing={"contribute": 0}
)
PLAN = category("plan", categories={"a": 0.1, "b": 0.2}, other=0, missing=0)
RISK = logistic(numeric=[X], categorical=[PLAN])
PERIODS = {
    "before_from": date(2026, 1, 1),
    "before_to": date(2026, 2, 1),
    "now_from": date(2026, 2, 1),
    "now_to": date(2026, 3, 1),
}


class Memory:
    """A warehouse in memory."""

    def __init__(self):
        self.connection = duckdb.connect()
        self.connection.execute(
            "create table stg_decision (decision_id varchar, user_id varchar, decided_at timestamptz, "
            "publish_date date, context json)"
        )
        self.connection.execute(
            "create table stg_payment (user_id varchar, occurred_at timestamptz, "
            "publish_date date, outcome varchar)"
        )
        self.connection.execute(
            'create table moments (user_id varchar, "at" timestamptz, moment_date date, kind varchar)'
        )
        self.connection.execute("set timezone = 'UTC'")

    def rows(self, sql, **parameters):
        (translated,) = sqlglot.transpile(sql, read="bigquery", write="duckdb")
        used = {name: value for name, value in parameters.items() if f"${name}" in translated}
        result = self.connection.execute(translated, used)
        return [
            dict(zip((column[0] for column in result.description), row, strict=True)) for row in result.fetchall()
        ]

    def decide(self, number, day, **context):
        at = datetime.fromisoformat("2026-01-01T12:00:00+00:00") + timedelta(days=day)
        row = [f"d{number}", f"u{number}", at, at.date(), json.dumps(context)]
        self.connection.execute("insert into stg_decision values (?, ?, ?, ?, ?)", row)


def psi(before, now):
    """The index by its definition, over counts by bin."""
    bins = before.keys() | now.keys()

    def share(counts, one):
        return (counts.get(one, 0) + 0.5) / (sum(counts.values()) + 0.5 * len(bins))

    return sum((share(now, one) - share(before, one)) * log(share(now, one) / share(before, one)) for one in bins)


@pytest.fixture
def tables(tmp_path):
    """Write two tables, and the artifact; and run the command on them."""

    def write(name, rows):
        with (tmp_path / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["x", "plan", "left"], *rows])
        return str(tmp_path / f"{name}.csv")

    (tmp_path / "risk.1.json").write_bytes(written(RISK))

    def compare(run, before, now, *options):
        words = ("--before", write("before", before), "--now", write("now", now), *options)
        return run("model", "drift", str(tmp_path / "risk.1.json"), *words, "--json")

    return compare


def some(count, seed, shift=0.0, plans="ab", truth=1.0):
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        x = random.normal() + shift
        odds = truth * 0.5 * x + truth * 0.1 * (max(0, x + 1) + max(0, x) + max(0, x - 1))
        rows.append([f"{x:.4f}", random.choice([*plans]), int(random.random() < 1 / (1 + np.exp(-odds)))])
    return rows


def test_nothing_has_drifted_between_two_halves_of_the_same_users(tables, run):
    done = tables(run, some(3000, 1), some(3000, 2), "--label", "left")
    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert {one["measure"] for one in told["measures"]} == {"score", "x", "plan"}
    assert all(one["psi"] < 0.02 for one in told["measures"])
    assert told["calibration"]["error"] < 0.05
    assert told["drifted"] == []


def test_a_shifted_number_a_new_category_and_missing_values_are_drift(tables, run):
    now = [[x if n % 2 else "", plan, left] for n, (x, plan, left) in enumerate(some(2000, 2, plans="bc"))]
    done = tables(run, some(2000, 1), now)
    told = {one["measure"]: one for one in json.loads(done.stdout)["measures"]}
    assert done.exit_code == 1
    assert told["x"]["psi"] > 0.25
    assert (told["x"]["missing_before"], told["x"]["missing_now"]) == (0, 0.5)
    assert told["plan"]["psi"] > 0.25
    assert (
        json.loads(tables(run, some(900, 1), some(900, 2, shift=1)).stdout)["drifted"] == ["x"]
        or told["score"]["psi"]
    )


def test_a_score_that_no_longer_holds_is_drift_though_nobody_has_changed(tables, run):
    done = tables(run, some(3000, 1), some(3000, 2, truth=-1), "--label", "left")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["drifted"] == ["calibration"]


def test_the_index_is_the_one_of_its_definition(tables, run):
    before = [[0.5, "a", 0]] * 30 + [[0.5, "b", 0]] * 70
    now = [[0.5, "a", 0]] * 60 + [[0.5, "z", 0]] * 40
    told = {one["measure"]: one["psi"] for one in json.loads(tables(run, before, now).stdout)["measures"]}
    assert told["plan"] == pytest.approx(psi({"a": 30, "b": 70}, {"a": 60, "other": 40}))
    assert told["x"] == 0


def test_an_empty_table_and_one_without_the_label_are_refused(tables, run):
    done = tables(run, some(9, 1), [])
    assert (done.exit_code, "expected rows, found none" in done.stderr) == (2, True)
    done = tables(run, some(9, 1), some(99, 2), "--label", "gone")
    assert (done.exit_code, "--label: expected one of the columns" in done.stderr) == (2, True)


def test_decisions_tell_the_drift_of_what_they_knew():
    memory = Memory()
    for n in range(200):
        now = n >= 100
        memory.decide(n, 40 if now else 5, **{"scores.risk": 0.75 if now else 0.05, "x": 0.5, "plan": "a"})
    memory.decide(900, 5, x=100)  # a decision that asked for no score
    memory.decide(901, -400, **{"scores.risk": 0.9})
    found = {
        one.measure: one for one in drift(memory, score(RISK), of_decisions(score(RISK)), in_context, **PERIODS)
    }
    assert (found["score"].before, found["score"].now) == (100, 100)
    assert found["score"].psi == pytest.approx(psi({"low": 100}, {"high": 100}))
    assert found["x"].psi == found["plan"].psi == 0


@pytest.mark.parametrize(
    ("label", "paid"), [("payment:10d", 0.25), ("no-payment:10d", 0.75), ("expired:10d", 0.5)]
)
def test_decisions_tell_the_calibration_by_what_happened_after_them(label, paid):
    memory = Memory()
    for n in range(80):
        memory.decide(n, 40, **{"scores.risk": 0.25})
        at = datetime.fromisoformat("2026-02-10T12:00:00+00:00")
        late = at + timedelta(days=3 if n % 4 == 0 else 11)
        memory.connection.execute(
            "insert into stg_payment values (?, ?, ?, 'succeeded')", [f"u{n}", late, late.date()]
        )
        memory.connection.execute("insert into stg_payment values (?, ?, ?, 'failed')", [f"u{n}", at, at.date()])
        if n % 2:
            memory.connection.execute(
                "insert into moments values (?, ?, ?, 'expired')", [f"u{n}", late, late.date()]
            )
            memory.connection.execute(
                "insert into moments values (?, ?, ?, 'expired')", [f"u{n}", at + timedelta(1), at.date()]
            )
    memory.decide(800, 58, **{"scores.risk": 0.9})  # its ten days are not over
    found = calibration(memory, of_decisions(score(RISK), parse_outcome(label)), **PERIODS)
    assert (found.rows, found.observed) == (80, paid)
    assert found.error == pytest.approx(abs(0.25 - paid))


def test_the_command_prints_the_queries_that_run_on_decisions(run, tmp_path):
    file = tmp_path / "risk.json"
    file.write_bytes(written(RISK))
    told = json.loads(run("model", "drift-sql", str(file), "--label", "payment:10d", "--json").stdout)
    memory = Memory()
    for n in range(20):
        memory.decide(n, 5 + n * 2, **{"scores.risk": 0.3, "x": n})
    assert {row["measure"] for row in memory.rows(told["drift"], **PERIODS)} == {"score", "x", "plan"}
    (row,) = memory.rows(told["calibration"], **PERIODS)
    assert (row["observed"], row["predicted"]) == (0, pytest.approx(0.3))
    refused = run("model", "drift-sql", str(file), "--label", "converted:3d")
    assert (refused.exit_code, "expected payment or a kind of moment" in refused.stderr) == (2, True)


def test_no_outcome_at_all_is_no_calibration():
    memory = Memory()
    memory.decide(1, 58, **{"scores.risk": 0.9})
    assert calibration(memory, of_decisions(score(RISK), parse_outcome("payment:10d")), **PERIODS) is None


def test_bins_are_the_scores_own():
    assert edges_of(score(RISK)) == {"x": [-1, 0, 1]}
    grown = [[split("x", threshold=at), leaf(0), leaf(0.01)] for at in range(40)]
    assert len(edges_of(score(trees(*grown)))["x"]) == 9
    assert edges_of(score(logistic(numeric=[number("x", min=0, max=4)]))) == {"x": [1, 2, 3]}
    assert len(SCORE_EDGES) == 9
