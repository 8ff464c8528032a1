from datetime import timedelta
from typing import Any

import pytest

from shared.decisioning.audience import Audience
from shared.decisioning.gates import GATES, Contender, judge
from shared.decisioning.losses import Loss, Reason
from shared.decisioning.situation import Situation
from shared.domain.user import User
from tests.decisioning.builders import (
    NOW,
    ago,
    campaign,
    catalog,
    catalog_with_audience,
    moment,
    paying,
    trigger,
    user,
)


def loss(of: User | None = None, kill_switch: bool = False, **terms: Any) -> Loss | None:
    """What stops the one campaign of a catalog, with these terms, at NOW."""
    asked = catalog(kill_switch=kill_switch, campaigns={"upgrade": campaign(**terms)})
    return judge(Contender(asked.listening(moment())[0], moment(), Situation(asked, of or user())))[0]


def test_the_gates_stand_in_the_order_of_the_design() -> None:
    names = [gate.__name__ for gate in GATES]
    assert names == [
        "kill_switch",
        "schedule",
        "plan",
        "audience",
        "suppression",
        "holdout",
        "exclusivity",
        "caps",
        "cool_down",
        "quiet_hours",
        "score",
    ]


def test_a_campaign_without_conditions_passes() -> None:
    assert loss() is None


def test_the_kill_switch_stops_everything() -> None:
    assert loss(kill_switch=True) == Loss(Reason.KILL_SWITCH)


def test_a_disabled_campaign_says_so() -> None:
    assert loss(state="paused") == Loss(Reason.STATE, "the campaign is paused")


def test_a_campaign_waits_for_its_start() -> None:
    start = NOW + timedelta(seconds=1)
    assert loss(starts_at=start) == Loss(Reason.NOT_STARTED, "starts_at 2026-06-01T12:00:01+00:00")


def test_a_campaign_begins_at_its_very_start() -> None:
    assert loss(starts_at=NOW) is None


def test_a_campaign_is_over_at_its_very_end() -> None:
    assert loss(ends_at=NOW) == Loss(Reason.ENDED, "ends_at 2026-06-01T12:00:00+00:00")


def test_a_campaign_runs_until_just_before_its_end() -> None:
    assert loss(ends_at=NOW + timedelta(seconds=1)) is None


@pytest.mark.parametrize(("plan", "expected"), [("basic", None), ("premium", Reason.PLAN), (None, Reason.PLAN)])
def test_an_offer_is_open_to_its_plans_only(plan: str | None, expected: Reason | None) -> None:
    asked = catalog(offers={"annual": {"cms_ref": "x", "validity_hours": 1, "plans_from": ["basic", "plus"]}})
    of = user(paying(plan=plan))
    lost = judge(Contender(asked.listening(moment())[0], moment(), Situation(asked, of)))[0]
    assert lost == (expected and Loss(expected, "plans_from basic, plus"))


def test_an_audience_that_fails_is_named_by_its_first_failing_clause() -> None:
    asked = catalog_with_audience({"live": "subscription.live"}, {"student": "profile.student == true"})
    contender = Contender(asked.listening(moment())[0], moment(), Situation(asked, user()))
    assert judge(contender)[0] == Loss(Reason.AUDIENCE, "student")


def test_an_error_in_a_clause_keeps_the_user_out_and_says_why() -> None:
    asked = catalog_with_audience({"loyal": "features.tenure > 3"})
    contender = Contender(asked.listening(moment())[0], moment(), Situation(asked, user()))
    assert judge(contender)[0] == Loss(Reason.AUDIENCE, 'loyal: NOT_FOUND: Key not found in map : "tenure"')


class Counting:
    """A program that lets everybody in and counts how often it was asked."""

    asked = 0

    def eval(self, _activation: Any) -> Any:
        self.asked += 1
        return self

    def value(self) -> int:
        return -1


def test_an_audience_is_asked_once_a_decision() -> None:
    program, situation = Counting(), Situation(catalog(), user())
    shared = Audience("a", (), all, program)
    assert (situation.failure(shared), situation.failure(shared), program.asked) == (None, None, 1)


@pytest.mark.parametrize(
    ("offered", "cap", "detail"),
    [
        ([], {"max": 1}, None),
        ([1000], {"max": 1}, "1 ever"),
        ([1000], {"max": 2}, None),
        ([1000, 500], {"max": 2}, "2 ever"),
        ([29, 1], {"max": 2, "window_days": 30}, "2 in 30 days"),
        ([30, 1], {"max": 2, "window_days": 30}, None),
        ([20], [{"max": 1, "window_days": 7}, {"max": 2, "window_days": 30}], None),
        ([20, 10], [{"max": 1, "window_days": 7}, {"max": 2, "window_days": 30}], "2 in 30 days"),
        ([1], [{"max": 1, "window_days": 7}, {"max": 2, "window_days": 30}], "1 in 7 days"),
    ],
)
def test_a_cap_counts_the_triggers_of_its_window(offered: list[int], cap: Any, detail: str | None) -> None:
    of = user(triggers=tuple(trigger(at=ago(days=days)) for days in offered))
    assert loss(of, cap=cap) == (detail and Loss(Reason.CAP, detail))


def test_a_revoked_trigger_keeps_its_cap() -> None:
    of = user(triggers=(trigger(at=ago(days=1), revoked=True),))
    assert loss(of, cap={"max": 1}) == Loss(Reason.CAP, "1 ever")


def test_triggers_of_other_campaigns_do_not_count() -> None:
    of = user(triggers=(trigger("other", ago(hours=1)),))
    assert loss(of, cap={"max": 1}, cool_down_hours=24) is None


def test_a_campaign_rests_after_its_latest_trigger() -> None:
    of = user(triggers=(trigger(at=ago(hours=1)), trigger(at=ago(hours=30))))
    assert loss(of, cool_down_hours=24) == Loss(Reason.COOL_DOWN, "until 2026-06-02T11:00:00+00:00")


def test_a_rest_is_over_to_the_second() -> None:
    assert loss(user(triggers=(trigger(at=ago(hours=24)),)), cool_down_hours=24) is None
    assert loss(user(triggers=(trigger(at=ago(hours=24, seconds=-1)),)), cool_down_hours=24) is not None


def test_the_first_gate_that_stops_gives_the_reason() -> None:
    of = user(triggers=(trigger(),))
    everything = {"state": "paused", "cap": {"max": 1}, "cool_down_hours": 1}
    assert loss(of, kill_switch=True, **everything) == Loss(Reason.KILL_SWITCH)
    assert loss(of, **everything) == Loss(Reason.STATE, "the campaign is paused")
    assert loss(of, **everything | {"state": "live"}) == Loss(Reason.CAP, "1 ever")
