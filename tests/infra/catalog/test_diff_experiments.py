"""The effects of a changed catalog on the users of an experiment, as told and as the engine decides."""

from collections import Counter
from typing import Any

import pytest

from infra.catalog.diff_experiments import REMOVED, ExperimentEffect, experiment_effects
from infra.catalog.diff_experiments_page import sentences
from shared.decisioning.experiments.experiment import Choice, Experiment
from tests.support.builders import campaign, catalog, moment, user

OFFERS = {"annual": {"cms_ref": "x", "validity_hours": 1}}
HALVES = {"a": 0.5, "b": 0.5}
ARMS: list[dict[str, Any]] = [{"id": id_, "offer": "annual"} for id_ in "ab"]
RANGE = {"id": "n", "start": 0.0, "end": 0.5}


def running(weights: dict[str, float] | None = None, **terms: Any) -> dict[str, Any]:
    weighted = [{"id": id_, "weight": weight, "offer": "annual"} for id_, weight in (weights or HALVES).items()]
    return {"variants": weighted, **terms}


def effects(before: dict[str, Any], after: dict[str, Any] | None) -> list[ExperimentEffect]:
    campaigns = {"upgrade": campaign()}
    old, new = (
        catalog(offers=OFFERS, campaigns=campaigns, experiments={"x": terms} if terms else {})
        for terms in (before, after)
    )
    return [*experiment_effects(old, new)]


def effect(before: dict[str, Any], after: dict[str, Any] | None) -> ExperimentEffect:
    (one,) = effects(before, after)
    return one


def told(before: dict[str, Any], after: dict[str, Any] | None) -> list[str]:
    return [*sentences(effect(before, after))]


def test_other_weights_concern_new_users_only() -> None:
    assert told(running(), running({"a": 0.9, "b": 0.1})) == [
        "The users of x, of which weights changed:",
        "  assigned: all keep their variant.",
        "  new: a 50%, b 50% before, a 90%, b 10% from now on; 40% of them get another variant than before.",
    ]


def test_another_order_gives_new_users_another_variant_though_the_shares_are_the_same() -> None:
    changed = effect(running(), running({"b": 0.5, "a": 0.5}))
    assert (changed.changed, changed.new.before, changed.new.after) == (("order",), HALVES, HALVES)
    assert changed.new.moved == 1


def test_another_salt_gives_half_of_the_new_users_another_variant() -> None:
    changed = effect(running(), running(salt="y"))
    assert changed.changed == ("salt",)
    assert changed.assigned
    assert changed.assigned.keep == ("a", "b")
    assert changed.new.moved == pytest.approx(0.5, abs=0.001)


def test_more_coverage_takes_users_in_and_moves_none() -> None:
    changed = effect(running(coverage=0.2), running(coverage=0.7))
    assert (changed.new.moved, changed.new.entered, changed.new.left) == (0, 0.5, 0)
    assert changed.new.after == {"a": 0.35, "b": 0.35}


def test_less_coverage_leaves_new_users_out_and_keeps_the_assigned() -> None:
    assert told(running(), running(coverage=0.4))[1:] == [
        "  assigned: all keep their variant.",
        "  new: a 50%, b 50% before, a 20%, b 20% from now on; 60% of them are left out who entered before.",
    ]


def test_users_of_a_removed_arm_leave_the_experiment() -> None:
    heading, assigned, _ = told(running(), running({"a": 0.7, "c": 0.3}))
    assert heading == "The users of x, of which arms and weights changed:"
    leave = "those of b leave the experiment and get the campaign's own offer"
    assert assigned == f"  assigned: those of a keep their variant; {leave}."


def test_users_of_a_removed_arm_are_assigned_anew_where_the_author_says_so() -> None:
    changed = effect(running(), running({"a": 0.7, "c": 0.3}, reassign=True)).assigned
    assert changed
    assert (changed.keep, changed.leave, changed.anew, changed.anew_moved) == (("a",), (), ("b",), 1)


def test_a_bucket_version_alone_moves_nobody() -> None:
    assert (
        told(running(), running(bucket_version=1))[1]
        == "  assigned: all are assigned anew, to the variant that they had."
    )


def test_a_bucket_version_with_another_salt_moves_half() -> None:
    changed = effect(running(), running(bucket_version=1, salt="y")).assigned
    assert changed
    assert changed.anew == ("a", "b")
    assert changed.anew_moved == pytest.approx(0.5, abs=0.001)


def test_a_minimal_bucket_version_puts_the_assigned_out() -> None:
    changed = effect(running(), running(bucket_version=1, min_bucket_version=1)).assigned
    assert changed
    assert changed.leave == ("a", "b")


def test_a_namespace_keeps_the_assigned_and_leaves_new_users_out() -> None:
    changed = effect(running(), running(namespace=RANGE))
    assert changed.assigned
    assert (changed.assigned.keep, changed.new.left, changed.new.after) == (
        ("a", "b"),
        0.5,
        {"a": 0.25, "b": 0.25},
    )


@pytest.mark.parametrize(
    ("after", "left", "entered"),
    [
        ({"id": "n", "start": 0.25, "end": 1.0}, 0.25, 0.5),
        ({"id": "n", "start": 0.5, "end": 1.0}, 0.5, 0.5),
        ({"id": "m", "start": 0.0, "end": 0.5}, 0.25, 0.25),
    ],
)
def test_a_moved_range_is_compared_where_it_overlaps(after: dict[str, Any], left: float, entered: float) -> None:
    changed = effect(running(namespace=RANGE), running(namespace=after)).new
    assert (changed.left, changed.entered, changed.moved) == (left, entered, 0)


def test_another_unit_finds_no_assignment() -> None:
    changed = effect(running(), running(unit="subscription")).assigned
    assert changed
    assert changed.anew == ("a", "b")


@pytest.mark.parametrize(("after", "what"), [(None, REMOVED), (running(state="stopped"), "state")])
def test_all_leave_an_experiment_that_ends(after: dict[str, Any] | None, what: str) -> None:
    assert told(running(), after) == [
        f"The users of x, of which {what} changed:",
        "  assigned: all leave the experiment and get the campaign's own offer.",
        "  new: a 50%, b 50% before, nobody from now on; 100% of them are left out who entered before.",
    ]


def test_nobody_is_assigned_to_an_experiment_that_is_not_sticky() -> None:
    changed = effect(running(sticky=False), running({"a": 0.9, "b": 0.1}, sticky=False))
    assert changed.assigned is None
    assert [*sentences(changed)][1].startswith("  all: a 50%, b 50% before, a 90%")


def test_a_policy_takes_over_for_all() -> None:
    assert told(running(), {"variants": ARMS, "policy": "p"})[1:] == [
        "  assigned: all are assigned anew, by a policy, for each cause.",
        "  new: a 50%, b 50% before, as a policy says from now on.",
    ]


@pytest.mark.parametrize("before", [running(state="draft"), running(state="stopped"), None])
def test_only_an_experiment_that_runs_has_users(before: dict[str, Any] | None) -> None:
    assert effects(before or {}, running({"a": 0.9, "b": 0.1})) == []


def test_other_offers_and_metrics_move_nobody() -> None:
    assert effects(running(), running(goal_metrics=["accepted"])) == []


@pytest.mark.parametrize(
    "after",
    [
        {"weights": {"a": 0.9, "b": 0.1}, "bucket_version": 1},
        {"weights": {"b": 0.3, "c": 0.7}, "reassign": True},
        {"salt": "y", "bucket_version": 1, "coverage": 0.6, "namespace": RANGE},
        {"weights": {"b": 0.4, "a": 0.6}, "unit": "subscription"},
        {"hash_version": 1, "bucket_version": 1},
    ],
)
def test_what_is_told_is_what_the_engine_does(after: dict[str, Any]) -> None:
    """Of 4,000 users, decided before and after, as many move as is told, within three percent."""
    old = Experiment.of("x", catalog(experiments={"x": running()}).document.experiments["x"])
    document = catalog(experiments={"x": running(**after)}).document
    new = Experiment.of("x", document.experiments["x"])
    moves: Counter[str] = Counter()
    for number in range(4000):
        first = old.choice(user(user_id=f"user-{number}"), moment(), {})
        assert isinstance(first, Choice)
        assert first.assignment
        second = new.choice(user(user_id=f"user-{number}", assignments=(first.assignment,)), moment(), {})
        moves[first.variant] += second is None or getattr(second, "variant", "") != first.variant
    expected = effect(running(), running(**after)).assigned
    assert expected
    assert sum(moves[arm] for arm in expected.anew) / (2000 * len(expected.anew)) == pytest.approx(
        expected.anew_moved, abs=0.03
    )
    assert sum(moves[arm] for arm in expected.keep) == 0
