"""A score trained on a table of customers: the same in Python, in SQL, and in the decisions of a replay."""

import json

import pytest

from tests.support import analysts

analysts.required("duckdb", "lightgbm", "sklearn", "sqlglot")

from datetime import date

from infra.analytics.tables import rows
from infra.analytics.training.dataset import Roles, dataset_of_table
from infra.analytics.training.score_sql import columns_by_name, score_sql
from infra.analytics.training.train import Order, train
from tests.support import churn_table, replays
from tests.support.duck import scores

PREFIX = "profile.attributes."
CUSTOMERS = 300
KINDS = {
    bool: ("bool", "boolean"),
    int: ("number", "double"),
    float: ("number", "double"),
    str: ("string", "varchar"),
}


@pytest.fixture(scope="module")
def customers(tmp_path_factory):
    return [*rows(churn_table.written(tmp_path_factory.mktemp("table")))]


@pytest.fixture(scope="module", params=["logistic", "trees"])
def trained(request, customers):
    dataset = dataset_of_table(customers[:2000], Roles("churn"), "a test", PREFIX)
    return train(dataset, Order("churn", date(2026, 1, 1), kind=request.param, folds=2))


def kind_of(customers, name):
    return next(KINDS[type(customer[name])] for customer in customers if customer[name] is not None)


def replayed(folder, trained, customers, names):
    """The score in the decision of every customer, each of whom starts a trial."""
    attributes = {name: {"type": kind_of(customers, name)[0]} for name in names}
    campaign = {
        "offer": "stay",
        "moments": ["trial.started"],
        "placement": "home",
        "priority": 1,
        "audience": "at_risk",
    }
    catalog = {
        "attributes": attributes,
        "scores": {"churn": {"version": 1}},
        "placements": {"home": {"channel": "in_app"}},
        "offers": {"stay": {"cms_ref": "stay", "validity_hours": 24}},
        "audiences": {"at_risk": {"all": [{"high": "scores.churn >= 0.5"}]}},
        "campaigns": {"stay": campaign},
    }
    (folder / "scores").mkdir()
    (folder / "scores" / "churn.1.json").write_bytes(trained.data)
    (folder / "catalog.yaml").write_text(json.dumps(catalog))
    lines = []
    for number, customer in enumerate(customers):
        line = replays.trial(f"u{number:04}", number / 1000)
        known = {name: customer[name] for name in names if customer[name] is not None}
        lines.append(line | {"data": line["data"] | {"profile": {"attributes": known}}})
    done = replays.run(folder, *lines, catalog=folder / "catalog.yaml")
    found = {each["user_id"]: each for each in done.rows("decisions")}
    triggers = {each["user_id"] for each in done.rows("triggers")}
    return [found[user] for user in sorted(found)], triggers


def test_python_sql_and_decisions_agree(tmp_path, trained, customers):
    some = customers[-CUSTOMERS:]
    names = sorted(feature.removeprefix(PREFIX) for feature in trained.score.features)
    assert len(names) > 10
    expected = [
        trained.score.evaluate({f"{PREFIX}{name}": customer[name] for name in names}).value for customer in some
    ]
    assert None not in expected
    types = {name: kind_of(customers, name)[1] for name in names}
    sql = score_sql(
        trained.score, "customers", ["n"], columns_by_name({f"{PREFIX}{name}": name for name in names})
    )
    table = [[customer[name] for name in names] for customer in some]
    assert scores(sql, "customers", types, table) == pytest.approx(expected, abs=1e-9)
    decisions, triggers = replayed(tmp_path, trained, some, names)
    assert [decision["context"]["scores.churn"] for decision in decisions] == expected
    assert triggers == {f"u{number:04}" for number, value in enumerate(expected) if value >= 0.5}
