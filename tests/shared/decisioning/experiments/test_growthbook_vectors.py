"""GrowthBook's own test cases, unchanged: the cases that hashing alone decides."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.decisioning.experiments.bucketing import (
    Namespace,
    Range,
    bucket,
    choose,
    equal_weights,
    in_namespace,
    ranges,
)

CASES = json.loads(Path(__file__).with_name("vectors").joinpath("growthbook.json").read_text("utf-8"))
OF_NO_VARIANT = -1


def cases(section: str) -> list[Any]:
    return [pytest.param(*case, id=str(case[0]) or "empty") for case in CASES[section]]


@pytest.mark.parametrize(("seed", "value", "version", "expected"), CASES["hash"])
def test_hash(seed: str, value: str, version: int, expected: float | None) -> None:
    if expected is None:  # the SDKs return null for an unknown version
        with pytest.raises(ValueError, match="hash_version: expected 1 or 2, found 99"):
            bucket(seed, value, version)
    else:
        assert bucket(seed, value, version) == expected


@pytest.mark.parametrize(("_name", "given", "expected"), cases("getBucketRange"))
def test_bucket_ranges(_name: str, given: list[Any], expected: list[list[float]]) -> None:
    variants, coverage, weights = given
    if not weights or len(weights) != variants:  # a weight is a field of its variant here, so none can be missing
        weights = equal_weights(variants)
    assert [*map(list, ranges(weights, coverage))] == [pytest.approx(part) for part in expected]


@pytest.mark.parametrize(("_name", "n", "among", "expected"), cases("chooseVariation"))
def test_choose_variation(_name: str, n: float, among: list[list[float]], expected: int) -> None:
    assert choose(n, parts(among)) == (None if expected == OF_NO_VARIANT else expected)


@pytest.mark.parametrize(("_name", "value", "namespace", "expected"), cases("inNamespace"))
def test_in_namespace(_name: str, value: str, namespace: list[Any], expected: bool) -> None:
    assert in_namespace(value, Namespace(*namespace)) is expected


@pytest.mark.parametrize(("variants", "expected"), CASES["getEqualWeights"])
def test_equal_weights(variants: int, expected: list[float]) -> None:
    assert [*equal_weights(variants)] == pytest.approx(expected)


@pytest.mark.parametrize(("_name", "context", "experiment", "value", "included", "_hashed"), cases("run"))
def test_run(
    _name: str, context: dict[str, Any], experiment: dict[str, Any], value: int, included: bool, _hashed: bool
) -> None:
    """In these cases the value of a variant is its index, and the value of an excluded user is 0."""
    expected = value if included else None
    assert assigned(context["attributes"], experiment) == expected


@pytest.mark.parametrize(("_name", "context", "feature", "result", "_stored"), cases("stickyBucket"))
def test_sticky_bucket(
    _name: str, context: dict[str, Any], feature: str, result: dict[str, Any] | None, _stored: dict[str, Any]
) -> None:
    """These cases cover the bucket and the blocked users; sticky assignments are tested in test_experiment.py."""
    [rule] = context["features"][feature]["rules"]
    if result is None:  # blocked because of the stored assignment
        return
    seed, version = rule.get("seed", feature), rule.get("hashVersion", 1)
    assert bucket(seed, result["hashValue"], version) == result["bucket"]
    if not result["stickyBucketUsed"]:
        value = context["attributes"][result["hashAttribute"]]
        assert assigned({"id": value}, {"key": feature, **rule}) == result["variationId"]


def assigned(attributes: dict[str, str], experiment: dict[str, Any]) -> int | None:
    """The variant that an experiment in GrowthBook's format assigns."""
    value = attributes[experiment.get("hashAttribute", "id")]
    if "filters" in experiment:
        if not all(passes(attributes, each) for each in experiment["filters"]):
            return None
    elif "namespace" in experiment and not in_namespace(value, Namespace(*experiment["namespace"])):
        return None
    weights = experiment.get("weights") or equal_weights(len(experiment["variations"]))
    covered = ranges(weights, experiment.get("coverage", 1.0))
    n = bucket(experiment.get("seed", experiment["key"]), value, experiment.get("hashVersion", 1))
    return choose(n, parts(experiment["ranges"]) if "ranges" in experiment else covered)


def passes(attributes: dict[str, str], filter_: dict[str, Any]) -> bool:
    n = bucket(filter_["seed"], attributes[filter_.get("attribute", "id")])
    return choose(n, parts(filter_["ranges"])) is not None


def parts(written: list[list[float]]) -> list[Range]:
    return [Range(*part) for part in written]
