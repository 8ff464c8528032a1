"""Artifacts of scores for benchmarks: one of trees and one of logistic terms, with random numbers."""

import json
import random
from collections.abc import Iterator
from typing import Any

FACTS = [f"subscription.fact_{number}" for number in range(12)]
TRAINED = {"on": "nothing: random numbers", "at": "2026-01-01", "rows": 0, "how": "a benchmark"}


def trees(count: int = 150, leaves: int = 8) -> bytes:
    """An artifact of random trees, grown leaf-wise as in LightGBM."""
    draw = random.Random(1)  # noqa: S311 - a benchmark
    grown = [_tree(leaves, draw) for _ in range(count)]
    return _artifact(kind="trees", base=-1.0, link="logistic", trees=grown)


def logistic(terms: int = 12) -> bytes:
    """A logistic artifact: one third of its terms are categorical, the others are numeric with a knot."""
    bent = {"coefficient": 0.1, "center": 5, "missing": "fail", "knots": [{"at": 50, "coefficient": 0.1}]}
    numeric = [{"feature": fact, **bent} for fact in FACTS[: terms - terms // 3]]
    categories = {"true": 1.0, "false": -1.0}
    categorical = [
        {"feature": fact, "categories": categories, "other": 0, "missing": 0}
        for fact in FACTS[terms - terms // 3 : terms]
    ]
    return _artifact(kind="logistic", intercept=-1.0, numeric=numeric, categorical=categorical)


def artifacts() -> Iterator[tuple[str, bytes, dict[str, object]]]:
    """The name of each artifact, its JSON, and the facts of one user."""
    numbers: dict[str, object] = {fact: float(index * 7 % 100) for index, fact in enumerate(FACTS)}
    yield "150 trees of 8 leaves", trees(), numbers
    yield "12 logistic terms", logistic(), {**numbers, **dict.fromkeys(FACTS[8:], True)}


def _artifact(**content: Any) -> bytes:
    common = {"name": "benchmark", "version": 1, "description": "random numbers", "trained": TRAINED}
    return json.dumps(common | content).encode()


def _tree(leaves: int, draw: random.Random) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = [{"leaf": 0.0}]
    for _ in range(leaves - 1):
        split = draw.choice([index for index, node in enumerate(nodes) if "leaf" in node])
        nodes[split] = {
            "feature": draw.choice(FACTS),
            "threshold": draw.uniform(0, 100),
            "left": len(nodes),
            "right": len(nodes) + 1,
            "missing": draw.choice(["left", "right"]),
        }
        nodes += [{"leaf": 0.0}, {"leaf": 0.0}]
    return [{"leaf": draw.uniform(-0.1, 0.1)} if "leaf" in node else node for node in nodes]
