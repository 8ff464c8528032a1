"""BigQuery ML as a second way. There is no BigQuery here: its columns run on DuckDB, weights are as documented."""

import json

import pytest

from tests.support import analysts

analysts.required("duckdb", "sklearn", "sqlglot")

import duckdb
import numpy as np
import sqlglot

from infra.analytics.training.bigquery_ml import (
    INTERCEPT,
    content_of_weights,
    create_model,
    terms_of,
    weights_query,
)
from infra.analytics.training.dataset import Roles, dataset_of_table
from infra.analytics.training.hinges import design, fit_hinges
from infra.errors import UsageError
from shared.decisioning.scoring.load import load_score
from tests.support.artifacts import COMMON, leaf, number, score, trees
from tests.support.artifacts import logistic as artifact_of

ROWS = 400


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(2)
    rows = []
    for n in range(ROWS):
        x = None if n % 7 == 0 else float(random.normal() * 10)
        plan = None if n % 11 == 0 else "rare" if n % 200 == 1 else str(random.choice(["a", "it's", "c"]))
        label = bool(random.random() < 1 / (1 + np.exp(-(x or 0) / 5)))
        rows.append({"x": x, "flag": n % 3 == 0, "plan": plan, "label": label})
    return rows


@pytest.fixture(scope="module")
def fitted(table):
    dataset = dataset_of_table(table, Roles("label"), "a test")
    return dataset, fit_hinges(dataset, np.arange(ROWS), 0)


def named_columns(terms):
    """The columns of the TRANSFORM: their names and expressions."""
    statement = create_model(terms, "d.m", "t")
    body = statement.split("TRANSFORM (\n", 1)[1].split("\n)\nOPTIONS", 1)[0]
    (tree,) = sqlglot.parse(f"SELECT {body} FROM t", read="bigquery")  # noqa: S608 - our own statement
    return [one for one in tree.selects if one.alias_or_name != "label"]


def weights_of(model):
    """The rows of ML.WEIGHTS as its page documents them, had BigQuery fitted these coefficients."""
    names = [one.alias for one in named_columns(model.terms)]
    values = [value for part in model.coefficients for value in part]
    rows = [
        {"processed_input": name, "weight": weight, "category_weights": []}
        for name, weight in zip(names, values, strict=True)
    ]
    return [*rows, {"processed_input": INTERCEPT, "weight": model.intercept, "category_weights": []}]


def test_the_columns_of_the_transform_are_those_of_the_design(table, fitted):
    dataset, model = fitted
    connection = duckdb.connect()
    connection.execute("create table t (n bigint, x double, flag boolean, plan varchar)")
    connection.executemany(
        "insert into t values (?, ?, ?, ?)",
        [[n, row["x"], row["flag"], row["plan"]] for n, row in enumerate(table)],
    )
    listed = ", ".join(one.sql("duckdb") for one in named_columns(model.terms))
    found = np.array(connection.execute(f"select {listed} from t order by n").fetchall())  # noqa: S608
    assert found == pytest.approx(design(model.terms, dataset, np.arange(ROWS)), abs=1e-12)
    assert found.shape[1] > 10


def test_weights_become_the_artifact_that_was_fitted(fitted):
    _, model = fitted
    assert content_of_weights(reversed(weights_of(model)), model.terms) == model.content()


def test_an_artifact_gives_back_the_terms_of_its_training(fitted):
    _, model = fitted
    loaded = load_score(json.dumps({**COMMON, **model.content()}).encode())
    assert terms_of(loaded) == tuple(sorted(model.terms, key=lambda term: not hasattr(term, "knots")))


def test_the_statement_is_bigquerys_and_says_how_it_is_fitted(fitted):
    statement = create_model(fitted[1].terms, "project.dataset.churn", "dataset.users", l2=0.5)
    assert statement.startswith("CREATE OR REPLACE MODEL `project.dataset.churn`\nTRANSFORM (\n")
    for option in ("MODEL_TYPE = 'LOGISTIC_REG'", "L2_REG = 0.5", "INPUT_LABEL_COLS = ['label']"):
        assert option in statement
    assert statement.endswith("AS SELECT * FROM dataset.users\n")
    assert "ML.WEIGHTS(MODEL `d.m`)" in weights_query("d.m")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows[1:], "expected one of t0_line, found none"),
        (lambda rows: [*rows, rows[0]], "expected each processed_input once, found 't0_line' again"),
        (lambda rows: [*rows, {"processed_input": "other", "weight": 1.0}], "found 'other' too"),
        (lambda rows: [{**rows[0], "weight": None}, *rows[1:]], "expected a processed_input with a weight"),
        (lambda rows: [{**rows[0], "weight": "much"}, *rows[1:]], "expected a number for t0_line, found 'much'"),
        (
            lambda rows: [{**rows[0], "weight": float("nan")}, *rows[1:]],
            "expected a number for t0_line, found nan",
        ),
        (lambda rows: [{**rows[0], "class_label": "a"}, *rows[1:]], "expected those of a model of two labels"),
        (lambda _: [], "expected one of __INTERCEPT__, found none"),
    ],
)
def test_weights_that_are_not_those_of_the_terms_are_refused(fitted, change, said):
    _, model = fitted
    with pytest.raises(UsageError, match=said):
        content_of_weights(change(weights_of(model)), model.terms)


@pytest.mark.parametrize("name", ["model", "d.m`; drop", "", "a.b.c.d"])
def test_a_model_needs_a_name_with_its_dataset(name):
    with pytest.raises(UsageError, match="--model: expected"):
        create_model((), name, "t")
    with pytest.raises(UsageError, match="--model: expected"):
        weights_query(name)


def test_only_hinges_can_be_trained_so():
    with pytest.raises(UsageError, match="expected a logistic score, found trees"):
        terms_of(score(trees([leaf(0.5)])))
    with pytest.raises(UsageError, match="x: expected min, max"):
        terms_of(score(artifact_of(numeric=[number("x")])))


def test_the_commands_write_the_statements_and_the_artifact(fitted, run, tmp_path):
    _, model = fitted
    old, rows = tmp_path / "old.json", tmp_path / "weights.jsonl"
    old.write_text(json.dumps({**COMMON, **model.content()}))
    printed = run("model", "bigquery-ml", str(old), "--from", "d.users", "--model", "d.m").stdout
    assert printed.count(";\n") == 2
    rows.write_text("\n".join(map(json.dumps, weights_of(model))))
    words = ("--version", "2", "--on", "users", "--rows", "400", "--out", str(tmp_path))
    assert run("model", "from-weights", str(old), str(rows), *words).exit_code == 0
    new = load_score((tmp_path / "risk.2.json").read_bytes())
    facts = {"x": 3.5, "flag": True, "plan": "a"}
    assert new.evaluate(facts).value == load_score(old.read_bytes()).evaluate(facts).value
    assert run("model", "from-weights", str(old), str(rows), *words).exit_code == 2
    rows.write_text("[1")
    assert (
        "expected JSON objects"
        in run("model", "from-weights", str(old), str(rows), *words[:1], "3", *words[2:]).stderr
    )
