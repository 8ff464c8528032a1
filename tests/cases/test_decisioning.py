"""Catalogs and events as merchandisers and experimenters reported them, with what is right for each."""

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.__main__ import app
from infra.catalog.load import load_catalog
from infra.replay.replay import replay
from shared.domain.errors import InvalidCatalog
from tests.support.decisioning_cases import FOLDER, names, names_with_result, read
from tests.support.decisioning_runs import CaseFails, check
from tests.support.replays import Outcome

KNOWN_WRONG: dict[str, str] = {}
"""The result found instead, for each case that does not hold yet. Once it holds it must be removed here."""

TOLD_BY_TESTS = {
    "06-namespace-units",
    "26-whatif-of-a-running-experiment",
    "D4-policy-ids",
    "D5-bogus-lint",
    "D8-norway",
}
"""The cases whose result no file can say: splits of many users, messages, a study."""


def results() -> list[Any]:
    """The cases with a file for their result; those that are known to be wrong must be."""
    return [pytest.param(name, marks=wrong(name)) for name in names_with_result()]


def wrong(name: str) -> list[pytest.MarkDecorator]:
    found = KNOWN_WRONG.get(name)
    return [pytest.mark.xfail(strict=True, raises=CaseFails, reason=found)] if found else []


@pytest.mark.parametrize("name", results())
def test_the_case_holds(name: str, tmp_path: Path) -> None:
    check(read(name), tmp_path)


def test_every_case_has_a_result() -> None:
    assert sorted([*names_with_result(), *TOLD_BY_TESTS]) == names()
    assert KNOWN_WRONG.keys() <= set(names_with_result())


def replayed(name: str, tmp_path: Path, catalog: str = "catalog") -> Outcome:
    """The case's events replayed with one of its catalogs."""
    case = FOLDER / name
    return Outcome(replay(case / "events.jsonl", tmp_path / "out", case / f"{catalog}.yaml"), tmp_path / "out")


def told(*words: str) -> Any:
    """The JSON of a command."""
    return json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)


@pytest.mark.parametrize("catalog", ["catalog", "both_subscription"])
def test_nobody_is_in_two_experiments_of_one_namespace(catalog: str, tmp_path: Path) -> None:
    outcome = replayed("06-namespace-units", tmp_path, catalog)
    taking_part = defaultdict(set)
    for row in outcome.rows("decisions"):
        for one in row["candidates"]:
            if one.get("experiment_id"):
                taking_part[row["user_id"]].add(one["experiment_id"])
    assert {frozenset(experiments) for experiments in taking_part.values()} == {
        frozenset({"xa"}),
        frozenset({"xb"}),
    }


def test_a_policys_arms_are_picked_as_its_propensity_says_though_event_ids_are_unique_per_user_only(
    tmp_path: Path,
) -> None:
    """All of 500 such users were in one arm when the cause alone was hashed."""
    arms = Counter(row["variant"] for row in replayed("D4-policy-ids", tmp_path).rows("triggers"))
    assert arms.total() == 100
    assert min(arms["a"], arms["b"]) >= 30


@pytest.mark.parametrize(
    ("catalog", "split"),
    [("weights", {"a": 0.9, "b": 0.1}), ("order", {"a": 0.5, "b": 0.5}), ("salt", {"a": 0.5, "b": 0.5})],
)
def test_a_study_of_a_running_experiment_keeps_who_is_assigned_and_splits_who_is_new(
    catalog: str, split: dict[str, float]
) -> None:
    """All 120 users are assigned at the switch, so no trigger differs. With an early switch all are new."""
    late = studied(catalog, "2026-01-15T00:00:00Z")
    price = late["experiments"]["price"]
    assert (price["assigned"], price["keep"], price["new_after"]) == (120, 120, {})
    assert price["split_after"] == split
    assert late["campaigns"]["k"]["change"]["triggers"] == 0
    early = studied(catalog, "2026-01-01T00:00:00Z")["experiments"]["price"]
    assert (early["assigned"], sum(early["new_after"].values())) == (0, 120)
    assert early["new_after"]["a"] / 120 == pytest.approx(split["a"], abs=0.15)


def studied(catalog: str, switch_at: str) -> Any:
    """The study of the case in which another catalog replaces the first one at that time."""
    case = FOLDER / "26-whatif-of-a-running-experiment"
    files = ("--from", str(case / "catalog.yaml"), "--to", str(case / f"{catalog}.yaml"))
    return told("whatif", str(case / "events.jsonl"), *files, "--switch-at", switch_at)


def test_no_study_counts_what_was_accepted_as_withdrawn() -> None:
    case = FOLDER / "D3-accepted-then-revoked"
    catalog = str(case / "catalog.yaml")
    study = told("whatif", str(case / "events.jsonl"), "--from", catalog, "--to", catalog)
    assert (study["issued"]["after"], study["revoked"]["after"], study["dead_lettered"]["after"]) == (1, 0, 0)


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("group", ["campaigns.save_offer.priority"]),
        ("score", ["scores.churn_risk.raises.at_lest"]),
        ("offer-of-holdout", []),
    ],
)
def test_one_mistake_gives_one_message_and_no_mistake_none(name: str, places: list[str]) -> None:
    lint = told("catalog", "lint", str(FOLDER / "D5-bogus-lint" / f"{name}.yaml"))
    assert [message.split(":")[0] for message in lint.get("problems", [])] == places
    assert lint.get("warnings", []) == []


@pytest.mark.parametrize("word", ["no", "off", "on", "yes"])
def test_a_word_that_yaml_reads_as_a_bool_is_refused_as_a_key_with_a_mend_that_works(
    word: str, tmp_path: Path
) -> None:
    written = (FOLDER / "D8-norway" / "catalog.yaml").read_text()
    path = tmp_path / "catalog.yaml"
    path.write_text(written.replace("\n  no:", f"\n  {word}:"))
    with pytest.raises(InvalidCatalog, match=f"found {word}, .* in quotes"):
        load_catalog(path)
    path.write_text(written.replace("\n  no:", f'\n  "{word}":'))
    assert word in load_catalog(path).document.audiences
