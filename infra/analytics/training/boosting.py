"""Boosted trees by LightGBM, and their translation into the artifact's splits, missing values and categories."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import lightgbm
import numpy as np

from infra.analytics.training.columns import MAX_NUMBER, Column
from infra.analytics.training.dataset import Dataset
from infra.analytics.training.folds import inner
from infra.analytics.training.hinges import rounded

MAX_ROUNDS, PATIENCE, INNER_FOLDS = 400, 20, 3
MOST_ROWS = 30_000
"""The most rows by which size and number of the trees are chosen."""
MAX_BYTES = 480 * 1024
"""Room for the trees in an artifact of 512 KB."""
PARAMETERS: Mapping[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.1,
    "min_data_in_leaf": 20,
    "lambda_l2": 5.0,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "max_bin": 255,
    # One thread and a fixed order of sums: the same data and seed give the same trees.
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbose": -1,
}


SIZES: tuple[Mapping[str, Any], ...] = (
    {"num_leaves": 4, "feature_fraction": 0.5},
    {"num_leaves": 16, "feature_fraction": 0.9},
)
"""The choices of the trees' size: small ones add up, large ones know what features mean together."""


class BoostedModel(NamedTuple):
    """Fitted trees, as LightGBM has them."""

    booster: Any
    features: tuple[str, ...]
    categories: Mapping[str, Mapping[str, int]]
    """The number of each category, by feature."""
    rounds: int
    leaves: int
    """The most leaves of a tree."""

    def predict(self, dataset: Dataset, rows: Any) -> Any:
        """The probability of the label for each of these rows."""
        return self.booster.predict(_matrix(dataset, rows, self.categories), num_threads=1)

    def content(self) -> dict[str, Any]:
        """The artifact's fields that are those of boosted trees."""
        trees = [self._nodes(tree["tree_structure"]) for tree in self.booster.dump_model()["tree_info"]]
        return {"kind": "trees", "base": 0, "link": "logistic", "trees": trees}

    def _nodes(self, root: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The nodes of a tree, each before its children."""
        nodes: list[dict[str, Any]] = []

        def add(node: Mapping[str, Any]) -> int:
            place = len(nodes)
            if "leaf_value" in node:
                nodes.append({"leaf": rounded(node["leaf_value"])})
                return place
            nodes.append(self._split(node))
            nodes[place]["left"] = add(node["left_child"])
            nodes[place]["right"] = add(node["right_child"])
            return place

        add(root)
        return nodes

    def _split(self, node: Mapping[str, Any]) -> dict[str, Any]:
        """A split with LightGBM's own way for missing values.

        A missing category goes right. A missing number goes where training learned it, or where 0 goes if no
        training row missed it. https://lightgbm.readthedocs.io/en/stable/Advanced-Topics.html
        """
        feature = self.features[node["split_feature"]]
        if node["decision_type"] == "==":
            names = list(self.categories[feature])
            listed = [names[int(number)] for number in node["threshold"].split("||")]
            return {"feature": feature, "categories": listed, "left": 0, "right": 0, "missing": "right"}
        goes_left = node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] >= 0
        threshold = min(max(node["threshold"], -MAX_NUMBER), MAX_NUMBER)  # 1e300: every number but a missing one
        missing = "left" if goes_left else "right"
        return {"feature": feature, "threshold": threshold, "left": 0, "right": 0, "missing": missing}

    @property
    def settings(self) -> str:
        """A sentence about how it was fitted."""
        return f"LightGBM {lightgbm.__version__}, {self.rounds} trees of at most {self.leaves} leaves"


def fit_trees(dataset: Dataset, rows: Any, seed: int) -> BoostedModel:
    """Fit on these rows. The number of trees is the one with the least log-loss in folds within them."""
    categories = {column.name: _numbered(column, rows) for column in dataset.columns if not column.is_number}
    features = tuple(column.name for column in dataset.columns)
    settings, rounds = _settings(dataset, rows, categories, seed)

    def fitted(count: int) -> BoostedModel:
        booster = lightgbm.train(settings, _data(dataset, rows, categories), count)
        return BoostedModel(booster, features, categories, count, settings["num_leaves"])

    model = fitted(rounds)
    size = len(json.dumps(model.content()))
    # Trees are of about the same size, and the first ones matter most.
    return model if size <= MAX_BYTES else fitted(max(1, int(rounds * MAX_BYTES / size * 0.95)))


def _numbered(column: Column, rows: Any) -> dict[str, int]:
    values = sorted({value for value in column.values[rows].tolist() if value is not None})
    return {value: number for number, value in enumerate(values)}


def _matrix(dataset: Dataset, rows: Any, categories: Mapping[str, Mapping[str, int]]) -> Any:
    """The features of these rows as numbers; a category that is missing or not numbered is NaN."""
    parts = [
        column.values[rows]
        if column.is_number
        else np.array([categories[column.name].get(value, np.nan) for value in column.values[rows].tolist()])
        for column in dataset.columns
    ]
    return np.column_stack(parts)


def _data(dataset: Dataset, rows: Any, categories: Mapping[str, Mapping[str, int]]) -> Any:
    names = [f"f{number}" for number in range(len(dataset.columns))]
    categorical = [name for name, column in zip(names, dataset.columns, strict=True) if not column.is_number]
    return lightgbm.Dataset(
        _matrix(dataset, rows, categories),
        dataset.label[rows].astype(float),
        feature_name=names,
        categorical_feature=categorical,
        params=dict(PARAMETERS),
        free_raw_data=False,
    )


def _settings(
    dataset: Dataset, rows: Any, categories: Mapping[str, Mapping[str, int]], seed: int
) -> tuple[dict[str, Any], int]:
    """The size and the number of trees with the least log-loss in folds within these rows."""
    folds = [
        (_data(dataset, train, categories), _matrix(dataset, test, categories), dataset.label[test].astype(float))
        for train, test in inner(dataset, rows, INNER_FOLDS, seed, MOST_ROWS)
    ]
    tried = []
    for size in SIZES:
        settings = {**PARAMETERS, **size, "seed": seed}
        loss, rounds = 0.0, list[int]()
        for known, unknown, label in folds:
            stop = lightgbm.early_stopping(PATIENCE, verbose=False)
            valid = known.create_valid(unknown, label)
            booster = lightgbm.train(settings, known, MAX_ROUNDS, [valid], callbacks=[stop])
            loss += booster.best_score["valid_0"]["binary_logloss"] * len(label)
            rounds.append(booster.best_iteration or MAX_ROUNDS)
        tried.append((loss, settings, max(1, round(sum(rounds) / len(rounds))) if rounds else PATIENCE))
    _, settings, count = min(tried, key=lambda one: one[0])
    return settings, count
