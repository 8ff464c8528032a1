"""A candidate tells how the user was assigned in its experiment, and whether what was due was given."""

from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.outbound.decision import Candidate
from shared.domain.assignments import Assignment
from shared.domain.subscription import Status
from tests.support.builders import NOW, campaign, catalog, decide, moment, paying, trigger, user
from tests.support.candidates import candidates_of

BOTH = [{"id": "all", "offer": "annual", "weight": 1.0}, {"id": "other", "offer": "annual", "weight": 0.0}]
NOTHING = [{"id": "none", "offer": None, "weight": 1.0}, {"id": "other", "offer": "annual", "weight": 0.0}]
EVERYBODY = {"percent": 100}


def told(
    variants: list[dict[str, Any]] = BOTH, assignments: tuple[Assignment, ...] = (), **sections: Any
) -> Candidate:
    """The candidate of a campaign whose experiment assigns everybody to its first variant."""
    terms = sections.pop("terms", {})
    experiments = {"x": {"variants": variants, "bucket_version": 2, **sections.pop("experiment", {})}}
    triggers = sections.pop("triggers", ())
    campaigns = {"upgrade": campaign(experiment="x", **terms)}
    asked = catalog(campaigns=campaigns, experiments=experiments, **sections)
    (candidate,) = candidates_of(decide(asked, user(assignments=assignments, triggers=triggers), [moment()]))
    return candidate


def test_a_first_decision_assigns() -> None:
    candidate = told()
    assert (candidate.unit, candidate.bucket_version) == ("user", 2)
    assert (candidate.assigned_at, candidate.newly_assigned) == (NOW, True)


def test_a_later_decision_says_when_the_user_was_assigned() -> None:
    known = Assignment("x", "", 2, "all", NOW - timedelta(days=9), 0.5)
    candidate = told(assignments=(known,))
    assert (candidate.assigned_at, candidate.newly_assigned) == (known.at, False)
    assert candidate.model_dump(mode="json")["newly_assigned"] is False


def test_an_assignment_at_other_buckets_is_made_anew() -> None:
    candidate = told(assignments=(Assignment("x", "", 1, "all", NOW - timedelta(days=9)),))
    assert (candidate.assigned_at, candidate.newly_assigned) == (NOW, True)


def test_an_experiment_that_keeps_no_assignments_assigns_each_time() -> None:
    assert told(experiment={"sticky": False}).newly_assigned is True


def test_an_experiment_may_assign_each_subscription() -> None:
    assert told(experiment={"unit": "subscription"}).unit == "subscription"


def test_what_a_cap_keeps_from_the_user_assigns_nobody() -> None:
    capped = {"cap": {"max": 1, "window_days": 30}}
    candidate = told(terms=capped, triggers=(trigger(at=NOW - timedelta(days=1)),))
    assert (candidate.reason, candidate.given) == ("cap", False)
    assert (candidate.assigned_at, candidate.newly_assigned, candidate.variant) == (None, False, "all")


@pytest.mark.parametrize(
    ("variants", "holdouts", "given"),
    [(BOTH, {}, True), (NOTHING, {}, True), (BOTH, {"h": EVERYBODY}, False), (NOTHING, {"h": EVERYBODY}, False)],
)
def test_an_arm_of_nothing_is_given_and_a_holdout_gives_nothing(
    variants: list[dict[str, Any]], holdouts: dict[str, Any], given: bool
) -> None:
    candidate = told(variants, holdouts=holdouts)
    assert candidate.given is given
    assert candidate.newly_assigned is True, "both arms are assigned alike"


def test_a_campaign_that_would_not_have_won_says_neither() -> None:
    paused = told(terms={"state": "paused"})
    assert (paused.given, paused.newly_assigned, paused.unit) == (None, None, None)
    assert not {"given", "newly_assigned", "unit", "assigned_at"} & paused.model_dump().keys()


def test_without_an_experiment_only_what_was_given_is_told() -> None:
    (candidate,) = candidates_of(decide(catalog(), user(paying(status=Status.ACTIVE)), [moment()]))
    assert (candidate.given, candidate.unit, candidate.newly_assigned) == (True, None, None)
