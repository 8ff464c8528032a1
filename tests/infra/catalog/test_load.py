"""A catalog in a file, and the library beside it: all of it there and usable, or all that is not is named."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.catalog import load
from infra.catalog.load import DEFAULT_CATALOG, artifacts_of, load_catalog
from shared.adapters.gcp.paths import PublishedArtifact, policy_location, score_location
from shared.decisioning.scoring.score import Score
from shared.domain.errors import InvalidCatalog
from tests.support.artifacts import logistic, number

CATALOG = {
    "offers": {"annual": {"cms_ref": "x", "validity_hours": 1}},
    "experiments": {
        "price": {"policy": "even", "variants": [{"id": "a", "offer": "annual"}, {"id": "b", "offer": None}]}
    },
    "scores": {"risk": {"version": 1}},
}
POLICY = {"arms": {"a": 0.5, "b": 0.5}, "policy_version": "7"}
RISK = logistic(numeric=[number("subscription.recent_payments")])


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """A catalog with a score and a policy beside it."""
    put(tmp_path / "policies/even.json", POLICY)
    put(tmp_path / "scores/risk.1.json", RISK)
    return put(tmp_path / "catalog.yaml", CATALOG)


def put(path: Path, content: Any) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def problems(path: Path) -> list[str]:
    with pytest.raises(InvalidCatalog) as refused:
        load_catalog(path)
    return refused.value.problems


def test_a_catalog_has_its_library_in_hand(catalog: Path) -> None:
    library = load_catalog(catalog).library
    assert isinstance(library.score("risk", 1), Score)
    assert library.policies["even"].version == "7"


def test_what_is_published_with_it_is_what_lies_beside_it(catalog: Path) -> None:
    assert [*artifacts_of(load_catalog(catalog), catalog)] == [
        PublishedArtifact(score_location("risk", 1), json.dumps(RISK)),
        PublishedArtifact(policy_location("even"), json.dumps(POLICY)),
    ]


def test_what_is_shipped_can_be_named_from_anywhere(tmp_path: Path) -> None:
    path = put(tmp_path / "catalog.yaml", {"scores": {"churn_risk": {"version": 1}}})
    (shelved,) = artifacts_of(load_catalog(path), path)
    assert shelved.text == (DEFAULT_CATALOG.parent / "scores/churn_risk.1.json").read_text()


def test_what_lies_beside_it_goes_before_what_is_shipped(tmp_path: Path) -> None:
    path = put(tmp_path / "catalog.yaml", {"scores": {"churn_risk": {"version": 1}}})
    put(tmp_path / "scores/churn_risk.1.json", logistic(name="churn_risk", numeric=[number("now")]))
    assert load_catalog(path).library.score("churn_risk", 1).features == {"now"}


def test_the_version_is_the_catalogs_alone(catalog: Path) -> None:
    before = load_catalog(catalog).version
    put(catalog.parent / "policies/even.json", {**POLICY, "policy_version": "8"})
    assert load_catalog(catalog).version == before


def test_every_problem_of_the_library_is_named_at_once(catalog: Path) -> None:
    put(catalog.parent / "policies/even.json", {**POLICY, "arms": {"a": 1, "c": 0}})
    put(catalog.parent / "scores/risk.1.json", {**RISK, "intercept": "low"})
    assert problems(catalog) == [
        (
            "scores.risk.version: expected a valid scores/risk.1.json beside the catalog, "
            'found invalid artifact (intercept: expected a number, found "low")'
        ),
        (
            "experiments.price.policy: expected a valid policies/even.json beside the catalog, "
            "found arms: expected the experiment's variants (a, b), found a, c"
        ),
    ]


def test_a_score_of_a_feature_that_the_catalog_does_not_declare_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "scores/worth.1.json", logistic(name="worth", numeric=[number("features.value")]))
    content = {"scores": {"worth": {"version": 1}}}
    expected = "scores.worth.version: expected a score of one of the features"
    (none,) = problems(put(tmp_path / "catalog.yaml", content))
    assert none == f'{expected}, of which there are none, found "features.value"'
    misspelt = {"features": {"valeu": {"type": "number", "max_age_hours": 48}}}
    (guessed,) = problems(put(tmp_path / "catalog.yaml", content | misspelt))
    assert guessed == f'{expected} (valeu?), found "features.value"'
    declared = {"features": {"value": {"type": "number", "max_age_hours": 48}}}
    assert load_catalog(put(tmp_path / "catalog.yaml", content | declared)).asks_features


def test_a_score_under_a_false_name_is_refused(catalog: Path) -> None:
    put(catalog.parent / "scores/risk.1.json", {**RISK, "version": 2})
    (problem,) = problems(catalog)
    assert problem.endswith("found expected an artifact that says so itself, found risk version 2")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"{", "the data: expected JSON in UTF-8, found a mistake at line 1, column 2"),
        (b"[]", "the data: expected an object, found a list"),
        (b"{}", "arms: expected a value, found nothing; policy_version: expected a value, found nothing"),
    ],
)
def test_a_policy_that_is_none_is_refused(catalog: Path, content: bytes, found: str) -> None:
    (catalog.parent / "policies/even.json").write_bytes(content)
    (problem,) = problems(catalog)
    expected = "expected a valid policies/even.json beside the catalog"
    assert problem == f"experiments.price.policy: {expected}, found {found}"


def test_a_policy_that_is_not_there_is_named_with_its_place(catalog: Path) -> None:
    (catalog.parent / "policies/even.json").unlink()
    assert problems(catalog) == [
        "experiments.price.policy: expected a valid policies/even.json beside the catalog, found no such artifact"
    ]


def test_the_problems_of_the_catalog_come_first(catalog: Path) -> None:
    (catalog.parent / "policies/even.json").unlink()
    put(catalog, {**CATALOG, "kill_switch": 1})
    assert problems(catalog) == ["kill_switch: expected true or false, found 1"]


def test_what_is_no_yaml_is_refused_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "catalog.yaml"
    path.write_text("a: [")
    (problem,) = problems(path)
    assert problem.startswith("catalog.yaml: expected YAML, found a mistake in line ")


def test_of_a_giant_file_no_more_is_read_than_shows_that_it_is_too_large(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(load, "MAX_BYTES", 10)
    path = put(tmp_path / "catalog.yaml", CATALOG)
    assert len(load._beginning(path)) == 11


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_catalog(tmp_path / "none.yaml")


def test_the_default_catalog_says_the_same_in_yaml_and_in_json(tmp_path: Path) -> None:
    content = yaml.safe_load(DEFAULT_CATALOG.read_text())
    assert load_catalog(put(tmp_path / "catalog.json", content)) == load_catalog()


def test_a_score_may_use_the_attributes_that_the_catalog_declares_and_no_others(tmp_path: Path) -> None:
    put(tmp_path / "scores/risk.1.json", logistic(numeric=[number("profile.attributes.visits")]))
    path = put(tmp_path / "catalog.yaml", {"scores": {"risk": {"version": 1}}})
    with pytest.raises(InvalidCatalog, match="expected a known fact"):
        load_catalog(path)
    put(path, {"scores": {"risk": {"version": 1}}, "attributes": {"visits": {"type": "number"}}})
    assert load_catalog(path).library.score("risk", 1).features == {"profile.attributes.visits"}
