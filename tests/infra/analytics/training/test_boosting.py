import json

import pytest

from tests.support import analysts

analysts.required("lightgbm", "sklearn")

import numpy as np

from infra.analytics.training.boosting import fit_trees
from infra.analytics.training.dataset import Roles, dataset_of_table
from shared.decisioning.scoring.load import load_score
from tests.support.artifacts import COMMON

CITIES = [f"city {number}" for number in range(40)]


def rows(count=1500, *, missing=0.2):
    """Rows in which numbers, categories and their absence all matter."""
    random = np.random.default_rng(7)

    def perhaps(value):
        return None if random.random() < missing else value

    found = []
    for _ in range(count):
        x, n, flag = random.normal(), int(random.integers(-3, 4)), bool(random.random() < 0.5)
        city = CITIES[int(random.integers(0, 40))]
        row = {"x": perhaps(float(x)), "n": perhaps(n), "flag": perhaps(flag), "city": perhaps(city)}
        odds = x + n * flag + (CITIES.index(city) % 3) - 1 + (2 if row["x"] is None else 0)
        found.append(row | {"left": bool(random.random() < 1 / (1 + np.exp(-odds)))})
    return found


def fitted(table):
    dataset = dataset_of_table(table, Roles("left"), "a test")
    model = fit_trees(dataset, np.arange(len(dataset.label)), 0)
    return dataset, model, load_score(json.dumps({**COMMON, **model.content()}).encode())


@pytest.mark.parametrize("missing", [0.2, 0])
def test_the_artifact_scores_as_lightgbm_does_also_what_is_missing_or_was_never_seen(missing):
    _, model, artifact = fitted(rows(missing=missing))
    unseen = [
        {"x": x, "n": n, "flag": flag, "city": city, "left": n == 1}
        for x in (None, -1e9, -0.3, 0.0, 1e-40, 0.7, 1e9)
        for n in (None, -3, 0, 1, 99)
        for flag in (None, True, False)
        for city in (None, "city 0", "city 7", "a new city")
    ]
    others = dataset_of_table(unseen, Roles("left"), "a test")
    expected = model.predict(others, np.arange(len(unseen)))
    found = [artifact.evaluate(row).value for row in unseen]
    assert found == pytest.approx(list(expected), abs=1e-8)
    assert len(set(found)) > 50


def test_numbers_categories_and_missing_values_are_all_split_by():
    _, _, artifact = fitted(rows())
    splits = [node for tree in artifact.artifact.trees for node in tree if hasattr(node, "missing")]
    assert {node.feature for node in splits} == {"x", "n", "flag", "city"}
    assert {node.missing for node in splits if node.feature == "x"} == {"left", "right"}


def test_the_same_rows_and_seed_give_the_same_trees():
    assert fitted(rows())[1].content() == fitted(rows())[1].content()


def test_trees_that_would_be_too_large_are_fewer(monkeypatch):
    monkeypatch.setattr("infra.analytics.training.boosting.MAX_BYTES", 5_000)
    _, model, _ = fitted(rows())
    assert len(json.dumps(model.content())) <= 5_000
    assert model.rounds >= 1
