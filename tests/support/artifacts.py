"""Builders of small score artifacts for tests."""

import json
from typing import Any

from shared.decisioning.scoring.load import load_score
from shared.decisioning.scoring.score import Score

TRAINED = {"on": "a test", "at": "2026-01-01", "rows": 0, "how": "made up"}
COMMON = {"name": "risk", "version": 1, "description": "made up", "trained": TRAINED}


def logistic(**parts: Any) -> dict[str, Any]:
    """A logistic artifact, by default with an intercept of 0."""
    return {**COMMON, "kind": "logistic", "intercept": 0, **parts}


def number(feature: str = "x", coefficient: float = 1, **parts: Any) -> dict[str, Any]:
    """A numeric term that fails if its fact is missing."""
    return {"feature": feature, "coefficient": coefficient, "missing": "fail", **parts}


def category(feature: str = "c", **parts: Any) -> dict[str, Any]:
    """A categorical term of two categories that fails for any other."""
    return {"feature": feature, "categories": {"a": 1, "b": -1}, "other": "fail", "missing": "fail", **parts}


def trees(*grown: list[dict[str, Any]], **parts: Any) -> dict[str, Any]:
    """An artifact whose leaves add up to the score itself (link `identity`)."""
    return {**COMMON, "kind": "trees", "base": 0, "link": "identity", "trees": list(grown), **parts}


def split(feature: str = "x", left: int = 1, right: int = 2, **parts: Any) -> dict[str, Any]:
    """A split at 10, unless `categories` are given."""
    by = {} if "categories" in parts else {"threshold": 10}
    return {"feature": feature, **by, "left": left, "right": right, "missing": "left", **parts}


def leaf(value: float) -> dict[str, Any]:
    """A leaf."""
    return {"leaf": value}


def written(content: dict[str, Any]) -> bytes:
    """An artifact as JSON bytes."""
    return json.dumps(content).encode()


def score(content: dict[str, Any]) -> Score:
    """The score that an artifact describes."""
    return load_score(written(content))
