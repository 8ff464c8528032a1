"""A what-if study starts from the assignments that exist."""

from pathlib import Path
from typing import Any

import pytest

from infra.whatif.result import ExperimentStudy
from tests.infra.whatif.studies import USERS, changed, history, study, weighted

NEW = 40


def price(folder: Path, after: dict[str, Any], **options: Any) -> ExperimentStudy:
    """The study of the experiment with users from before the switch and new ones."""
    lines = history() + history(first=USERS, days=20, users=NEW)
    return study(folder, lines, after, **options).experiments["price"]


def fates(of: ExperimentStudy) -> tuple[int, int, int, int]:
    return of.keep, of.move, of.leave, of.anew


def test_other_weights_keep_the_assigned_and_split_new_users_otherwise(tmp_path: Path) -> None:
    told = price(tmp_path, changed(experiments=weighted(a=0.9, b=0.1)))
    assert (told.changed, told.assigned, fates(told)) == (True, USERS, (USERS, 0, 0, 0))
    assert (told.split_before, told.split_after) == ({"a": 0.5, "b": 0.5}, {"a": 0.9, "b": 0.1})
    assert sum(told.new_before.values()) == sum(told.new_after.values()) == NEW
    assert told.new_after["a"] > told.new_before["a"]


def test_no_trigger_of_an_assigned_user_changes(tmp_path: Path) -> None:
    done = study(tmp_path, history(), changed(experiments=weighted(b=0.5, a=0.5)))
    assert done.campaigns["deal"].size == 0
    assert (done.experiments["price"].keep, done.experiments["price"].new_after) == (USERS, {})


def test_users_of_a_removed_variant_leave(tmp_path: Path) -> None:
    told = price(tmp_path, changed(experiments=weighted(a=0.5, c=0.5)))
    assert told.keep + told.leave == USERS
    assert 20 < told.leave < 40


def test_users_of_a_removed_variant_move_where_the_author_says_so(tmp_path: Path) -> None:
    terms = {"price": {**weighted(a=0.5, c=0.5)["price"], "reassign": True}}
    told = price(tmp_path, changed(experiments=terms))
    assert (told.keep + told.move, told.leave) == (USERS, 0)
    assert 20 < told.move < 40


def test_a_new_bucket_version_moves_nobody_without_another_salt(tmp_path: Path) -> None:
    assert fates(price(tmp_path, changed(experiments={"price": {"bucket_version": 1}}))) == (USERS, 0, 0, 0)


def test_another_salt_moves_half_with_a_new_bucket_version(tmp_path: Path) -> None:
    told = price(tmp_path, changed(experiments={"price": {"bucket_version": 1, "salt": "other"}}))
    assert told.keep + told.move == USERS
    assert 15 < told.move < 45


@pytest.mark.parametrize(
    "terms", [{"state": "stopped"}, {"bucket_version": 1, "min_bucket_version": 1}], ids=["stopped", "excluded"]
)
def test_all_may_have_to_leave(terms: dict[str, Any], tmp_path: Path) -> None:
    assert fates(price(tmp_path, changed(experiments={"price": terms}))) == (0, 0, USERS, 0)


def test_those_whom_the_hash_no_longer_covers_leave(tmp_path: Path) -> None:
    told = price(tmp_path, changed(experiments={"price": {"bucket_version": 1, "coverage": 0.0}}))
    assert fates(told) == (0, 0, USERS, 0)
    assert told.new_after == {}


def test_another_unit_assigns_all_anew(tmp_path: Path) -> None:
    assert fates(price(tmp_path, changed(experiments={"price": {"unit": "subscription"}}))) == (0, 0, 0, USERS)


def test_an_experiment_that_is_new_has_new_users_only(tmp_path: Path) -> None:
    before = changed()
    del before["experiments"], before["campaigns"]["deal"]["experiment"]
    told = study(tmp_path, history(), changed(), before=before).experiments["price"]
    assert (told.assigned, told.split_before, told.new_before) == (0, {}, {})
    assert sum(told.new_after.values()) == USERS


def test_an_experiment_that_is_the_same_is_told_as_unchanged(tmp_path: Path) -> None:
    told = price(tmp_path, changed(campaigns={"deal": {"priority": 10}}))
    assert (told.changed, fates(told), told.new_before == told.new_after) == (False, (USERS, 0, 0, 0), True)


def test_without_a_switch_all_users_are_new(tmp_path: Path) -> None:
    told = price(tmp_path, changed(experiments=weighted(a=0.9, b=0.1)), switch=False)
    assert told.assigned == 0
    assert sum(told.new_before.values()) == sum(told.new_after.values()) == USERS + NEW
