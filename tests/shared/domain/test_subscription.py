"""Facts beside the status: the latest values that producers gave, never folded into the status."""

from typing import Any

import pytest

from shared.domain.events import Ownership, Purchase, ReasonCode, Signal
from shared.domain.subscription import (
    Cancellation,
    Pause,
    PlanChange,
    PriceIncrease,
    Said,
    ScheduledPause,
    Status,
)
from tests.support.story import (
    after,
    auto_renew_off,
    auto_renew_on,
    awaited,
    cancelled,
    day,
    downgraded,
    event,
    failed,
    paid,
    paused,
    refunded,
    signal,
    trial,
)


def test_a_trial_sets_plan_end_and_auto_renew() -> None:
    sub = after(trial(0, ends=14, plan="family", auto_renew=False)).sub(1)
    assert (sub.plan, sub.trial_ends_at, sub.auto_renew) == ("family", day(14), False)


def test_a_trial_start_while_paid_time_runs_only_sets_the_trial_end() -> None:
    sub = after(paid(0, plan="basic")).then(trial(1, ends=9, plan="family", auto_renew=False)).sub(2)
    assert (sub.plan, sub.trial_ends_at, sub.auto_renew) == ("basic", day(9), True)


def test_auto_renew_off_keeps_its_reason_until_it_is_on_again() -> None:
    story = after(paid(0), auto_renew_off(1, reason="price"))
    assert story.sub(2).auto_renew_reason == "price"
    assert story.then(auto_renew_on(3)).sub(4).auto_renew_reason is None


def test_scheduled_changes_are_shown_each_with_the_instant_at_which_it_was_said() -> None:
    life = [paused(1, effective=10, resume=15), downgraded(2, "mini", effective=20), cancelled(3, effective=25)]
    sub = after(paid(0), *life).sub(4)
    assert sub.scheduled_pause == ScheduledPause(day(10), day(15), day(1))
    assert sub.plan_change == PlanChange("mini", day(20), day(2))
    assert sub.cancellation == Cancellation(day(25), day(3))
    assert (sub.scheduled_plan, sub.cancel_at, sub.resume_at) == ("mini", day(25), None)


def test_a_pause_sets_the_time_of_its_end() -> None:
    assert after(paid(0), paused(1, effective=10, resume=15)).sub(11).resume_at == day(15)


def test_a_pause_that_runs_keeps_when_it_was_asked_for_and_its_end() -> None:
    sub = after(paid(0), paused(1, effective=10, resume=15)).sub(11)
    assert (sub.pause, sub.scheduled_pause) == (Pause(day(1), day(15)), None)


def test_a_new_start_drops_everything_scheduled_before() -> None:
    sub = after(paid(0), paused(1), downgraded(1, "mini"), cancelled(2), paid(3)).sub(4)
    assert (sub.scheduled_pause, sub.pause, sub.plan_change, sub.cancel_at) == (None, None, None, None)


def test_a_scheduled_cancellation_ends_with_the_subscription_it_was_meant_for() -> None:
    story = after(paid(0), auto_renew_off(1), cancelled(2, effective=80), paid(40))
    assert story.status(80) is Status.ON_HOLD


def test_signals_before_any_subscription_schedule_nothing() -> None:
    sub = after(paused(0), cancelled(0, effective=5), downgraded(0, "mini"), paid(1)).sub(2)
    assert (sub.scheduled_pause, sub.pause, sub.plan_change, sub.cancel_at) == (None, None, None, None)


def test_none_shows_nothing() -> None:
    sub = after(auto_renew_on(0)).sub(1)
    assert (sub.status, sub.plan, sub.period_start, sub.period_end) == (Status.NONE, None, None, None)
    assert (sub.trial_ends_at, sub.granted_by, sub.converted, sub.failing) == (None, "", False, False)


def test_a_pending_payment_shows_its_plan_and_no_period() -> None:
    sub = after(awaited(0, plan="premium")).sub(1)
    assert (sub.plan, sub.period_start, sub.period_end) == ("premium", None, None)


def test_a_pending_payment_for_another_plan_does_not_show_while_paid_time_runs() -> None:
    assert after(paid(0), awaited(1, plan="premium")).sub(2).plan == "basic"


def test_a_trial_has_no_paid_period() -> None:
    sub = after(trial(0)).sub(1)
    assert (sub.period_start, sub.period_end, sub.plan) == (None, None, "basic")


class TestTheReason:
    def test_of_auto_renew_off_is_kept_with_its_code(self) -> None:
        sub = after(paid(0), auto_renew_off(1, reason="too dear", reason_code=ReasonCode.PRICE_INCREASE)).sub(2)
        assert (sub.auto_renew_reason, sub.reason_code) == ("too dear", ReasonCode.PRICE_INCREASE)
        assert sub.auto_renew_off_by is Said.USER

    @pytest.mark.parametrize("ahead", [{}, {"effective": 5}])
    def test_of_a_cancellation_is_kept_with_its_code(self, ahead: dict[str, Any]) -> None:
        sub = after(paid(0), cancelled(1, reason="moved", reason_code=ReasonCode.VOLUNTARY, **ahead)).sub(6)
        assert (sub.status, sub.auto_renew_reason, sub.reason_code) == (
            Status.EXPIRED,
            "moved",
            ReasonCode.VOLUNTARY,
        )
        assert sub.auto_renew_off_by is Said.CANCELLED

    def test_of_exhausted_retries_is_billing(self) -> None:
        sub = after(paid(0), failed(20, start=30, final=True)).sub(21)
        assert (sub.auto_renew_reason, sub.reason_code) == ("billing", ReasonCode.BILLING)
        assert sub.auto_renew_off_by is Said.BILLING

    def test_of_the_user_stays_when_retries_are_exhausted_later(self) -> None:
        sub = after(paid(0), auto_renew_off(1, reason="price"), failed(20, start=30, final=True)).sub(21)
        assert (sub.auto_renew_reason, sub.auto_renew_off_by) == ("price", Said.USER)

    def test_is_none_for_what_was_sold_without_renewal(self) -> None:
        sub = after(paid(0, auto_renew=False)).sub(1)
        assert (sub.auto_renew, sub.auto_renew_off_by, sub.auto_renew_reason) == (False, None, None)

    def test_is_forgotten_by_a_new_life(self) -> None:
        sub = after(paid(0), cancelled(1, reason="moved", reason_code=ReasonCode.VOLUNTARY), paid(40)).sub(41)
        assert (sub.auto_renew_reason, sub.reason_code) == (None, None)


class TestThePurchase:
    GIVEN = Purchase("app_store", "annual", Ownership.FAMILY, 2, 999, "EUR")

    def test_is_kept_from_a_payment_and_from_a_trial(self) -> None:
        assert after(paid(0, purchase=self.GIVEN)).sub(1).purchase == self.GIVEN
        started = trial(0)
        told = event(0, "trial-start", started.fact._replace(purchase=self.GIVEN))
        assert after(told).sub(1).purchase == self.GIVEN

    def test_keeps_what_a_later_event_leaves_out(self) -> None:
        later = Purchase(current_price=1299)
        sub = after(paid(0, purchase=self.GIVEN), paid(30, purchase=later), paid(60)).sub(61)
        assert sub.purchase == self.GIVEN._replace(current_price=1299)

    @pytest.mark.parametrize("fact", [refunded(1, start=0), failed(1, start=30)])
    def test_moves_no_status(self, fact: Any) -> None:
        told = fact._replace(fact=fact.fact._replace(purchase=self.GIVEN))
        assert after(paid(0), told).sub(2)._replace(purchase=Purchase()) == after(paid(0), fact).sub(2)


class TestAPriceIncrease:
    ASKED = signal(Signal.PRICE_INCREASE_PENDING, 1, effective=30, price=1299, agree_until=day(25))

    def test_that_is_pending_keeps_the_price_its_date_and_until_when_to_agree(self) -> None:
        sub = after(paid(0), self.ASKED).sub(2)
        assert sub.price_increase == PriceIncrease("pending", 1299, day(30), day(25))
        assert sub.price_consent == "pending"

    @pytest.mark.parametrize(
        ("kind", "consent"),
        [(Signal.PRICE_INCREASE_ACCEPTED, "accepted"), (Signal.PRICE_INCREASE_DECLINED, "declined")],
    )
    def test_that_is_answered_keeps_them_with_the_answer(self, kind: Signal, consent: str) -> None:
        sub = after(paid(0), self.ASKED, signal(kind, 2)).sub(3)
        assert sub.price_increase == PriceIncrease(consent, 1299, day(30), day(25))

    def test_moves_no_status(self) -> None:
        assert after(paid(0), self.ASKED).statuses(2, 25, 30) == after(paid(0)).statuses(2, 25, 30)
