from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.outbound.base import rfc3339
from shared.contracts.outbound.decision import Candidate, Outcome
from shared.decisioning.arbitration import trigger_id
from shared.decisioning.catalog import empty_catalog
from shared.decisioning.decide import Decision
from shared.decisioning.losses import LossReason
from shared.decisioning.staleness import why_stale
from shared.domain.instants import END_OF_TIME
from shared.domain.moments import Moment, MomentKind
from shared.domain.triggers import Trigger
from tests.support.builders import NOW, ago, campaign, catalog, content, decide, moment, user, written
from tests.support.candidates import candidates_of

RENEWED = moment()
PAUSED = moment(MomentKind.PAUSED, "c2")


def verdicts(decision: Decision) -> dict[str, tuple[str | None, str | None]]:
    return {candidate.campaign_id: (candidate.reason, candidate.detail) for candidate in candidates_of(decision)}


def test_where_nobody_listens_nothing_was_considered() -> None:
    asked = catalog()
    assert decide(asked, user(), [PAUSED], [PAUSED]) == Decision(asked.version)
    assert decide(empty_catalog(), user(), [RENEWED]) == Decision(empty_catalog().version)


def test_a_winner_becomes_a_trigger() -> None:
    asked = catalog()
    expected = Trigger(
        trigger_id=trigger_id("user-1", "c1", "upgrade"),
        campaign_id="upgrade",
        offer_id="annual",
        placement="banner",
        channel="in_app",
        moment=MomentKind.RENEWED,
        subscription_id="main",
        cause="c1",
        decided_at=NOW,
        expires_at=NOW + timedelta(hours=48),
        catalog_version=asked.version,
        moment_at=RENEWED.at,
    )
    candidate = Candidate(
        campaign_id="upgrade",
        offer_id="annual",
        placement="banner",
        moment=MomentKind.RENEWED,
        moment_at=RENEWED.at,
        cause="c1",
        subscription_id="main",
        outcome=Outcome.ISSUED,
        reason=None,
        detail=None,
        trigger_id=expected.trigger_id,
        given=True,
    )
    decision = decide(asked, user(), [RENEWED])
    assert content(decision) == (asked.version, (candidate,), (expected,), (), (), ())


def test_a_campaign_may_shorten_the_validity_of_its_offer() -> None:
    (issued,) = decide(catalog(campaigns={"upgrade": campaign(expires_after_hours=2)}), user(), [RENEWED]).issued
    assert issued.expires_at == NOW + timedelta(hours=2)


def test_a_trigger_at_the_end_of_time_expires_there() -> None:
    (issued,) = decide(catalog(), user(now=END_OF_TIME), [RENEWED]).issued
    assert issued.expires_at == END_OF_TIME


def test_a_trigger_id_depends_on_user_cause_and_campaign_alone() -> None:
    first, later = (decide(catalog(), user(now=now), [RENEWED]).issued[0] for now in (NOW, ago(days=-1)))
    assert first.trigger_id == later.trigger_id == trigger_id("user-1", "c1", "upgrade")
    assert len(first.trigger_id) == 32


def test_a_trigger_id_tells_its_parts_apart() -> None:
    parts = {"a", "b", "ab", ""}
    ids = {trigger_id(one, two, three) for one in parts for two in parts for three in parts}
    assert len(ids) == len(parts) ** 3


def test_the_trigger_id_is_part_of_the_contract() -> None:
    assert trigger_id("user-1", "c1", "upgrade") == "5642abb3df67226f8776ee413c32063c"


def test_a_stale_moment_loses_without_being_judged() -> None:
    decision = decide(catalog(kill_switch=True), user(), [], [RENEWED])
    assert verdicts(decision) == {"upgrade": (LossReason.STALE, why_stale(RENEWED, user()))}
    assert decision.issued == ()


@pytest.mark.parametrize(
    ("stale", "why"),
    [
        (moment(at=ago(days=4)), f"it is of {rfc3339(ago(days=4))}, too long ago"),
        (
            moment(MomentKind.EXPIRED),
            "expired is not true: status active, auto_renew yes, payment_failing no",
        ),
        (moment()._replace(subscription_id="other"), "subscription main decides the user's status, not other"),
    ],
)
def test_a_stale_moment_says_why(stale: Moment, why: str) -> None:
    campaigns = {"upgrade": campaign(moments=["renewed", "expired"])}
    assert verdicts(decide(catalog(campaigns=campaigns), user(), [], [stale])) == {
        "upgrade": (LossReason.STALE, why)
    }


def test_stale_moments_stand_beside_those_that_are_decided() -> None:
    decision = decide(catalog(), user(), [RENEWED], [moment(cause="c0", at=ago(days=4))])
    assert [(one.cause, one.outcome, one.reason) for one in candidates_of(decision)] == [
        ("c1", Outcome.ISSUED, None),
        ("c0", Outcome.LOST, LossReason.STALE),
    ]


def test_a_placement_goes_to_the_highest_priority() -> None:
    decision = decide(
        catalog(campaigns={"low": campaign(priority=10), "high": campaign(priority=90)}), user(), [RENEWED]
    )
    assert verdicts(decision) == {"high": (None, None), "low": (LossReason.OUTRANKED, "high")}
    assert [issued.campaign_id for issued in decision.issued] == ["high"]


def test_at_equal_priority_the_first_id_wins() -> None:
    decision = decide(catalog(campaigns={"b": campaign(), "a": campaign()}), user(), [RENEWED])
    assert verdicts(decision) == {"a": (None, None), "b": (LossReason.OUTRANKED, "a")}


def test_who_fails_a_gate_does_not_take_the_placement() -> None:
    decision = decide(
        catalog(campaigns={"low": campaign(priority=10), "high": campaign(priority=90, state="paused")}),
        user(),
        [RENEWED],
    )
    assert verdicts(decision) == {"high": (LossReason.STATE, "the campaign is paused"), "low": (None, None)}


def test_every_placement_has_its_own_winner() -> None:
    decision = decide(catalog(campaigns={"a": campaign(), "b": campaign(placement="inbox")}), user(), [RENEWED])
    assert [(issued.campaign_id, issued.channel) for issued in decision.issued] == [
        ("a", "in_app"),
        ("b", "email"),
    ]


def test_a_campaign_is_offered_once_for_several_moments_for_the_newest() -> None:
    older, newest = moment(cause="c1", at=ago(hours=1)), moment(MomentKind.PLAN_CHANGED, "c2")
    asked = catalog(campaigns={"upgrade": campaign(moments=["renewed", "plan.changed"])})
    decision = decide(asked, user(), [older, newest])
    assert [(one.cause, one.reason, one.detail) for one in candidates_of(decision)] == [
        ("c2", None, None),
        ("c1", LossReason.OUTRANKED, "upgrade"),
    ]


CAMPAIGNS = {
    "first": campaign(priority=50, moments=["renewed", "plan.changed"]),
    "second": campaign(priority=50, moments=["plan.changed", "activated"]),
    "third": campaign(priority=70, moments=["activated"], placement="inbox"),
    "fourth": campaign(priority=70, moments=["lapsed"], placement="inbox"),
}
MOMENTS = (
    moment(MomentKind.RENEWED, "c1"),
    moment(MomentKind.PLAN_CHANGED, "c1"),
    moment(MomentKind.ACTIVATED, "c2", ago(hours=2)),
    moment(MomentKind.LAPSED, "c3", offset=7),
)


def test_no_order_of_moments_or_campaigns_changes_a_decision() -> None:
    decisions = {
        repr(content(decide(catalog(campaigns=dict(campaigns)), user(), moments[:3], moments[3:])))
        for campaigns in permutations(CAMPAIGNS.items())
        for moments in (MOMENTS, (*MOMENTS[2::-1], MOMENTS[3]), (*MOMENTS[1:3], MOMENTS[0], MOMENTS[3]))
    }
    assert len(decisions) == 1


@given(st.permutations(MOMENTS), st.permutations(list(CAMPAIGNS.items())))
def test_a_decision_is_a_function_of_what_happened(moments: Any, campaigns: Any) -> None:
    asked = catalog(campaigns=dict(campaigns))
    expected = decide(catalog(campaigns=CAMPAIGNS), user(), MOMENTS, MOMENTS)
    assert content(decide(asked, user(), moments, moments)) == content(expected)


CAPPED = catalog(
    campaigns={
        "often": campaign(cap=[{"max": 2, "window_days": 7}, {"max": 3, "window_days": 30}], priority=90),
        "rarely": campaign(cap={"max": 2}, cool_down_hours=240, placement="inbox"),
        "rests": campaign(cool_down_hours=48, moments=["renewed", "activated"]),
    }
)
STEPS = st.lists(
    st.tuples(
        st.integers(0, 24 * 12),
        st.sets(st.sampled_from([MomentKind.RENEWED, MomentKind.ACTIVATED]), min_size=1),
        st.booleans(),
    ),
    max_size=40,
)


@given(STEPS)
def test_caps_and_cool_downs_are_never_exceeded(steps: list[tuple[int, set[MomentKind], bool]]) -> None:
    now, log = datetime(2026, 1, 1, tzinfo=UTC), ()
    for number, (hours, kinds, revoke) in enumerate(steps):
        now += timedelta(hours=hours)
        moments = [moment(kind, f"c{number}", now) for kind in kinds]
        issued = decide(CAPPED, user(now=now, triggers=log), moments).issued
        log = (*log, *(one._replace(revoked=revoke) for one in issued))
    assert most_within(log, "often", days=7) <= 2
    assert most_within(log, "often", days=30) <= 3
    assert most_within(log, "rarely", days=100_000) <= 2
    assert most_within(log, "rarely", days=10) <= 1
    assert most_within(log, "rests", days=2) <= 1


def most_within(log: tuple[Trigger, ...], campaign_id: str, days: int) -> int:
    """The most triggers of a campaign in any window of that many days, its end excluded."""
    times = [one.decided_at for one in log if one.campaign_id == campaign_id]
    return max((sum(start <= at < start + timedelta(days=days) for at in times) for start in times), default=0)


def test_a_cap_lets_through_as_many_as_it_says() -> None:
    log: tuple[Trigger, ...] = ()
    for day in range(30):
        now = NOW + timedelta(days=day)
        issued = decide(CAPPED, user(now=now, triggers=log), [moment(cause=str(day), at=now)]).issued
        log = (*log, *issued)
    days = [(one.decided_at - NOW).days for one in log if one.campaign_id == "often"]
    assert days == [0, 1, 7]


@pytest.mark.parametrize("version", ["", "0" * 16])
def test_the_decision_names_the_catalog_it_was_made_with(version: str) -> None:
    asked = replace(catalog(**written()), version=version)
    assert decide(asked, user(), [RENEWED]).catalog_version == version
