from collections import Counter
from typing import Any

import pytest

from infra.catalog.load import load_catalog
from shared.decisioning.losses import LossReason
from shared.domain.account import Account
from shared.domain.events import Profile, Signal
from shared.domain.grants import GrantKind
from shared.domain.moments import MomentKind
from shared.domain.signals import BehaviouralSignal
from shared.domain.subscription import Renewal, Said, ScheduledPause, Status, Subscription
from shared.domain.user import User
from tests.support.builders import NOW, ago, decide, grant, moment, paying, trigger, user
from tests.support.candidates import candidates_of

CATALOG = load_catalog()

K = MomentKind
TWO_WEEKS = grant(ago(days=11), days=14, kind=GrantKind.TRIAL, amount=0)
TRIAL = Subscription("main", Status.TRIALING, since=ago(days=11), current=TWO_WEEKS, trial=TWO_WEEKS)
OFF = Renewal(on=False, by=Said.USER, at=NOW)
FORMER = paying(5, status=Status.EXPIRED, renewal=OFF)


def outcome(of: User, kind: K, offset: int | None = None) -> dict[str, Any]:
    """Every campaign that listened: None for a winner, else why it lost."""
    decision = decide(CATALOG, of, [moment(kind, offset=offset)])
    return {one.campaign_id: one.reason and (one.reason, one.detail) for one in candidates_of(decision)}


def leaving(**facts: Any) -> Subscription:
    return paying(4, **{"renewal": OFF, **facts})


def paying_for(plan: str) -> Subscription:
    """A subscription that is in its third month, which was paid for this plan."""
    current = grant(NOW, plan=plan)
    return paying(3, current=current, grants=(current,))


def test_it_holds_the_eight_campaigns_of_a_streaming_service() -> None:
    assert sorted(CATALOG.document.campaigns) == [
        "annual_upgrade",
        "family_upgrade",
        "pause_instead_of_cancel",
        "payment_recovery",
        "save_offer",
        "student_plan",
        "trial_ending",
        "win_back",
    ]


def test_every_part_of_it_is_used() -> None:
    campaigns = CATALOG.document.campaigns.values()
    variants = [variant for terms in CATALOG.document.experiments.values() for variant in terms.variants]
    assert {one.offer for one in (*campaigns, *variants)} == CATALOG.document.offers.keys()
    assert {one.experiment for one in campaigns} - {None} == CATALOG.document.experiments.keys()
    assert {one.placement for one in campaigns} == CATALOG.document.placements.keys()
    assert {one.audience for one in campaigns} - {None} == CATALOG.document.audiences.keys()


@pytest.mark.parametrize("days", [3, 1])
def test_a_trial_is_reminded_before_it_ends(days: int) -> None:
    assert outcome(user(TRIAL), K.TRIAL_ENDING, days) == {"trial_ending": None}


def test_a_failed_payment_is_recovered_but_not_several_times_a_day() -> None:
    failing = paying(failed_at=NOW)
    assert outcome(user(failing), K.PAYMENT_FAILED) == {"payment_recovery": None}
    again = user(failing, triggers=(trigger("payment_recovery", ago(hours=3)),))
    assert outcome(again, K.PAYMENT_FAILED) == {
        "payment_recovery": (LossReason.COOL_DOWN, "until 2026-06-02T09:00:00+00:00")
    }


def test_who_turns_auto_renew_off_gets_the_save_offer() -> None:
    assert outcome(user(leaving()), K.AUTO_RENEW_OFF) == {
        "save_offer": None,
        "pause_instead_of_cancel": (LossReason.EXCLUSIVITY, "save_offer"),
    }


def test_who_had_the_save_offer_is_asked_to_pause() -> None:
    saved = user(leaving(), triggers=(trigger("save_offer", ago(days=100)),))
    assert outcome(saved, K.AUTO_RENEW_OFF) == {
        "save_offer": (LossReason.CAP, "1 in 180 days"),
        "pause_instead_of_cancel": None,
    }


def test_who_has_a_pause_scheduled_is_not_asked_again() -> None:
    pausing = leaving(scheduled_pause=ScheduledPause(None, None, NOW))
    offered = outcome(user(pausing), K.AUTO_RENEW_OFF)
    assert offered["pause_instead_of_cancel"] == (LossReason.AUDIENCE, "no_pause_yet")


def test_who_lost_auto_renew_to_a_failed_payment_is_not_offered_a_discount() -> None:
    assert outcome(user(leaving(renewal=OFF._replace(by=Said.BILLING, reason="billing"))), K.AUTO_RENEW_OFF) == {
        "save_offer": (LossReason.AUDIENCE, "by_choice"),
        "pause_instead_of_cancel": (LossReason.AUDIENCE, "sold_to_renew"),
    }


def test_a_trial_that_was_never_paid_needs_no_save_offer() -> None:
    assert outcome(user(TRIAL._replace(renewal=OFF)), K.AUTO_RENEW_OFF) == {
        "save_offer": (LossReason.AUDIENCE, "has_paid"),
        "pause_instead_of_cancel": (LossReason.AUDIENCE, "active"),
    }


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(Signal.CANCEL_PAGE_VIEWED, None), (Signal.SUPPORT_CONTACT, (LossReason.AUDIENCE, "leaving"))],
)
def test_who_keeps_looking_at_the_cancel_page_is_asked_to_pause(kind: Signal, expected: Any) -> None:
    looking = user(
        paying(), signals=tuple(BehaviouralSignal(kind, ago(days=day), f"c{day}", "") for day in (1, 0))
    )
    assert outcome(looking, K.CHURN_RISK_RAISED) == {"pause_instead_of_cancel": expected}


@pytest.mark.parametrize("kind", [K.AUTO_RENEW_OFF, K.CHURN_RISK_RAISED])
def test_who_was_given_a_month_is_not_asked_to_pause(kind: K) -> None:
    """What was sold without renewal ends as it was meant to."""
    gift = grant(NOW, renews=False)
    offered = outcome(user(paying(4, current=gift, grants=(gift,))), kind)
    assert offered["pause_instead_of_cancel"] == (LossReason.AUDIENCE, "sold_to_renew")


def test_those_who_come_back_are_asked_in_one_of_two_ways() -> None:
    left = [User(f"user-{number}", NOW, Account((FORMER,)), Profile()) for number in range(100)]
    decisions = [decide(CATALOG, one, [moment(K.LAPSED, offset=7)]) for one in left]
    offers = Counter(issued.offer_id for decision in decisions for issued in decision.issued)
    assert offers.keys() == {"come_back", "come_back_for_longer"}
    assert min(offers.values()) > 30


@pytest.mark.parametrize("days", [7, 30])
def test_who_lapsed_is_won_back(days: int) -> None:
    assert outcome(user(FORMER), K.LAPSED, days) == {"win_back": None}


def test_who_was_won_back_at_a_week_is_asked_again_at_a_month() -> None:
    assert outcome(user(FORMER, triggers=(trigger("win_back", ago(days=23)),)), K.LAPSED, 30) == {"win_back": None}


def test_who_never_paid_is_not_won_back() -> None:
    never = TRIAL._replace(status=Status.EXPIRED)
    assert outcome(user(never), K.LAPSED, 7) == {"win_back": (LossReason.AUDIENCE, "has_paid")}


def test_a_new_payer_is_offered_nothing_yet() -> None:
    assert outcome(user(paying(2)), K.RENEWED) == {
        "student_plan": (LossReason.AUDIENCE, "student"),
        "annual_upgrade": (LossReason.AUDIENCE, "five_months"),
        "family_upgrade": (LossReason.AUDIENCE, "shares_or_stays"),
    }


def test_who_stays_three_months_is_offered_the_family_plan() -> None:
    assert outcome(user(paying(3)), K.RENEWED)["family_upgrade"] is None


def test_two_subscriptions_under_one_roof_are_offered_the_family_plan() -> None:
    other = paying(1)._replace(id="second")
    assert outcome(user(paying(1), other), K.ACTIVATED)["family_upgrade"] is None


def test_who_stays_half_a_year_is_offered_a_year() -> None:
    offered = outcome(user(paying(6)), K.RENEWED)
    assert offered["annual_upgrade"] is None
    assert offered["family_upgrade"] == (LossReason.OUTRANKED, "annual_upgrade")


def test_who_pays_by_the_year_is_not_offered_a_year() -> None:
    year = grant(ago(days=1), days=365)
    yearly = paying(8, current=year, grants=(year,))
    assert outcome(user(yearly), K.RENEWED)["annual_upgrade"] == (LossReason.AUDIENCE, "not_annual_yet")


def test_a_student_is_offered_the_student_plan_first() -> None:
    offered = outcome(user(paying(8), student=True), K.RENEWED)
    assert offered["student_plan"] is None
    assert offered["annual_upgrade"] == (LossReason.OUTRANKED, "student_plan")


def test_a_student_in_trial_is_offered_the_student_plan() -> None:
    assert outcome(user(TRIAL, student=True), K.TRIAL_STARTED) == {"student_plan": None}


def test_nobody_is_offered_the_plan_they_have() -> None:
    student = user(paying_for("student_monthly"), student=True)
    assert outcome(student, K.RENEWED)["student_plan"] == (LossReason.HAS_PLAN, "plan_to student_monthly")
    family = user(paying_for("family_monthly"))
    assert outcome(family, K.RENEWED)["family_upgrade"] == (LossReason.HAS_PLAN, "plan_to family_monthly")
