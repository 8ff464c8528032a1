from tests.support import analysts

analysts.required("numpy", "scipy")

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from infra.analytics.policies.allocation import Purpose
from infra.analytics.policies.outcomes import Outcome, Outcomes, of_rows, read_outcomes
from infra.analytics.policies.page import refresh_page
from infra.analytics.policies.refresh import Terms, refresh
from infra.errors import InfraError
from infra.terminal.console import console
from shared.decisioning.experiments.policy import parse_policy

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
TERMS = Terms(("a", "b"), (), 0.0, Purpose.EXPLOIT)


def row(arm: str, delay_hours: float | None = None, age_hours: float = 1000, **more: Any) -> dict[str, Any]:
    return {
        "user_id": "user-1",
        "arm": arm,
        "segment": None,
        "propensity": 0.5,
        "age_seconds": age_hours * 3600,
        "delay_seconds": None if delay_hours is None else delay_hours * 3600,
        **more,
    }


def rows(arm: str, decisions: int, successes: int, **more: Any) -> list[dict[str, Any]]:
    users = [{"user_id": f"{arm}-{more.get('segment')}-{number}"} for number in range(decisions)]
    return [row(arm, 1 if number < successes else None, **user, **more) for number, user in enumerate(users)]


class TestOutcomes:
    def test_a_success_after_the_instant_asked_about_is_not_known_yet(self) -> None:
        outcomes = of_rows([row("a", delay_hours=5, age_hours=4), row("a", delay_hours=5, age_hours=5)])
        assert outcomes.succeeded.tolist() == [False, True]

    def test_feedback_dated_before_its_decision_is_no_success(self) -> None:
        assert not of_rows([row("a", delay_hours=-1)]).succeeded.any()

    def test_a_success_at_once_is_one(self) -> None:
        assert of_rows([row("a", delay_hours=0, age_hours=0)]).succeeded.all()

    @pytest.mark.parametrize("propensity", [None, 0, -0.1, 1.5, float("nan")])
    def test_a_propensity_that_is_no_probability_is_refused(self, propensity: float | None) -> None:
        with pytest.raises(InfraError, match=r"policy_inputs\.propensity: expected a probability above 0, found"):
            of_rows([row("a", propensity=propensity)])

    def test_no_decision_is_refused_with_what_was_looked_for(self) -> None:
        class Empty:
            def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
                assert "accepted_at" in sql
                assert parameters["since"].isoformat() == "2026-10-25"
                return []

        expected = "arm of experiment words, from 2026-10-25 to 2026-11-01 09:00 UTC, found none"
        with pytest.raises(InfraError, match=expected):
            read_outcomes(Empty(), "words", NOW, 7, Outcome.ACCEPTED)


def test_the_arm_that_converts_more_gets_what_the_floor_leaves() -> None:
    done = refresh(of_rows(rows("a", 2000, 100) + rows("b", 2000, 300)), TERMS, NOW)
    assert done.document["arms"] == {"a": 0.02, "b": 0.98}
    assert done.document["policy_version"] == "2026-11-01T09:00:00Z"
    assert parse_policy("p", done.document).arms["b"] == pytest.approx(0.98)


def test_to_measure_leaves_every_arm_five_percent() -> None:
    outcomes = of_rows(rows("a", 2000, 100) + rows("b", 2000, 300))
    assert refresh(outcomes, TERMS._replace(purpose=Purpose.MEASURE), NOW).document["arms"] == {
        "a": 0.05,
        "b": 0.95,
    }


def test_an_arm_that_was_never_given_is_tried() -> None:
    done = refresh(of_rows(rows("a", 50, 5)), TERMS, NOW)
    assert done.document["arms"]["b"] > 0.1


def test_an_arm_that_the_catalog_does_not_have_is_counted_and_left_out() -> None:
    done = refresh(of_rows(rows("a", 100, 5) + rows("gone", 7, 7)), TERMS, NOW)
    assert done.unknown_arms == {"gone": 7}
    assert done.document["arms"].keys() == {"a", "b"}
    with console().capture() as _:
        text = rendered(done)
    assert "7 decisions gave gone, which the catalog does not have: left out" in text


def rendered(done: Any) -> str:
    output = console()
    output.width = 200
    with output.capture() as captured:
        output.print(refresh_page(done))
    return captured.get()


def test_nothing_but_successes_and_nothing_but_failures_give_a_policy() -> None:
    for successes in (0, 200):
        arms = refresh(of_rows(rows("a", 200, successes) + rows("b", 200, successes)), TERMS, NOW).document["arms"]
        assert arms["a"] == pytest.approx(0.5, abs=0.1)


def test_a_late_arm_is_not_punished_for_outcomes_that_are_still_to_come() -> None:
    """Half of the successes take 100 hours. Arm b was only given in the last 50 hours."""
    old = [row("a", 1 if n % 20 == 0 else 100 if n % 20 == 1 else None, age_hours=500) for n in range(4000)]
    young = [row("b", 1 if n % 20 == 0 else None, age_hours=50) for n in range(4000)]
    [a, b] = refresh(of_rows(old + young), TERMS, NOW).arms
    assert (a.arm.successes, b.arm.successes) == (400, 200)
    assert b.posterior.mean == pytest.approx(a.posterior.mean, rel=0.1)


class TestSegments:
    TERMS = TERMS._replace(segments=("loyal",))

    def outcomes(self, loyal_a: int, loyal_b: int) -> Outcomes:
        others = rows("a", 3000, 300) + rows("b", 3000, 600)
        loyal = rows("a", 3000, loyal_a, segment="loyal") + rows("b", 3000, loyal_b, segment="loyal")
        return of_rows(others + loyal)

    def test_are_told_apart_where_that_brings_more_than_the_best_fixed_arm(self) -> None:
        done = refresh(self.outcomes(loyal_a=900, loyal_b=300), self.TERMS, NOW)
        assert done.document["segments"] == {"loyal": {"a": 0.98, "b": 0.02}}
        assert done.document["arms"] == {"a": 0.02, "b": 0.98}, "those of users in no segment"
        assert "The policy tells segments apart." in rendered(done)

    def test_are_treated_alike_where_it_would_not(self) -> None:
        done = refresh(self.outcomes(loyal_a=300, loyal_b=600), self.TERMS, NOW)
        assert "segments" not in done.document
        assert done.evaluation is not None
        assert "The policy treats all users alike." in rendered(done)

    def test_that_the_experiment_no_longer_lists_count_as_no_segment(self) -> None:
        gone = of_rows(rows("a", 2000, 100, segment="gone") + rows("b", 2000, 300, segment="gone"))
        done = refresh(gone, self.TERMS, NOW)
        [first, _] = done.of_segments[""]
        assert first.arm.decisions == 2000


def test_the_same_outcomes_give_the_same_policy_in_any_order() -> None:
    outcomes = of_rows(rows("a", 300, 20) + rows("b", 300, 30))
    mixed = outcomes.only(np.random.default_rng(1).permutation(600) >= 0)
    order = np.random.default_rng(1).permutation(600)
    shuffled = Outcomes(*(getattr(mixed, name)[order] for name in Outcomes.__slots__))
    assert refresh(outcomes, TERMS, NOW).document == refresh(shuffled, TERMS, NOW).document
