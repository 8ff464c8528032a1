"""Renewal: what a payment or a trial says of it, what overrides that, and which failures concern it."""

import pytest

from shared.domain.events import Event, Signal
from shared.domain.subscription import Renewal, Said, Status
from tests.support.story import (
    after,
    auto_renew_off,
    auto_renew_on,
    awaited,
    cancelled,
    course,
    day,
    downgraded,
    failed,
    failed_next,
    paid,
    paused,
    plan_changed,
    refunded,
    signal,
    trial,
)


class TestWhatAPaymentSays:
    def test_counts_where_nothing_else_was_said(self) -> None:
        assert after(paid(0)).statuses(29.9, 30) == [Status.ACTIVE, Status.GRACE]
        assert after(paid(0, auto_renew=False)).statuses(29.9, 30) == [Status.ACTIVE, Status.EXPIRED]

    def test_of_no_renewal_brings_no_moment_and_no_reason(self) -> None:
        """Gifts, prepaid months, passes and comps are no sign that a user wants to leave."""
        story = after(paid(0, auto_renew=False))
        assert story.moments == ["activated"]
        assert story.brought(29) == []
        assert (story.sub(1).auto_renew, story.sub(1).auto_renew_off_by) == (False, None)

    def test_of_the_current_one_decides_else_the_last(self) -> None:
        gift_first = after(paid(0, auto_renew=False), paid(30))
        renewing_first = after(paid(0), paid(30, auto_renew=False))
        assert gift_first.statuses(59.9, 60) == [Status.ACTIVE, Status.GRACE]
        assert renewing_first.statuses(59.9, 60) == [Status.ACTIVE, Status.EXPIRED]

    def test_of_one_to_come_does_not_decide_before_it_begins(self) -> None:
        story = after(paid(0), paid(10, start=40, auto_renew=False))
        assert [story.sub(on).auto_renew for on in (11, 29)] == [True, True]
        assert story.statuses(30, 40, 70) == [Status.GRACE, Status.ACTIVE, Status.EXPIRED]

    def test_is_overridden_by_what_the_user_said_since(self) -> None:
        assert after(paid(0, auto_renew=False), auto_renew_on(3)).status(30) is Status.GRACE
        assert after(paid(0, auto_renew=True), auto_renew_off(3)).status(30) is Status.EXPIRED

    def test_explicitly_overrides_what_the_user_said_before(self) -> None:
        assert after(paid(0), auto_renew_off(3), paid(10, start=30, auto_renew=True)).status(60) is Status.GRACE
        assert after(paid(0), auto_renew_on(3), paid(10, start=30, auto_renew=False)).status(60) is Status.EXPIRED


class TestAutoRenewOff:
    def test_of_the_user_survives_a_renewal(self) -> None:
        story = after(paid(0), auto_renew_off(3), paid(29, start=30))
        assert story.statuses(59.9, 60) == [Status.ACTIVE, Status.EXPIRED]

    def test_of_the_user_survives_a_recovery(self) -> None:
        story = after(paid(0), failed(30), auto_renew_off(31), paid(32, start=30))
        assert story.status(60) is Status.EXPIRED

    @pytest.mark.parametrize("event", [failed_next(20), refunded(10, start=0, partial=True), awaited(20)])
    def test_of_the_user_survives_everything_else(self, event: Event) -> None:
        story = after(paid(0), auto_renew_off(3), event)
        assert (story.sub(21).auto_renew, story.sub(21).auto_renew_off_by) == (False, Said.USER)

    def test_of_the_user_is_lifted_by_another_plan(self) -> None:
        story = after(paid(0), auto_renew_off(3), paid(20, start=30, end=395, plan="annual"))
        assert story.status(395) is Status.GRACE

    def test_of_the_user_is_lifted_by_a_new_life(self) -> None:
        assert after(paid(0), auto_renew_off(3), paid(40)).status(70) is Status.GRACE

    def test_of_billing_is_lifted_by_a_success_that_reaches_beyond_now(self) -> None:
        story = after(paid(0), failed_next(20, final=True), paid(25, start=30))
        assert story.moments == ["payment.recovered"]
        assert story.status(60) is Status.GRACE

    def test_of_billing_is_lifted_by_no_success_for_a_time_gone_by(self) -> None:
        story = after(paid(0), failed_next(20, final=True), paid(25, start=-30, end=0))
        assert story.statuses(29.9, 30) == [Status.ACTIVE, Status.EXPIRED]

    def test_of_the_user_and_then_of_billing_stays_the_users(self) -> None:
        story = after(paid(0), auto_renew_off(3), failed_next(20, final=True), paid(25, start=30))
        assert story.statuses(59.9, 60) == [Status.ACTIVE, Status.EXPIRED]

    def test_that_was_said_after_a_payment_occurred_stays_though_the_payment_arrives_later(self) -> None:
        assert after(paid(0), auto_renew_off(20), paid(15, start=30)).status(60) is Status.EXPIRED

    @pytest.mark.parametrize(("on", "ends"), [(31, 37), (36.9, 37)])
    def test_said_in_grace_lets_that_grace_run_out(self, on: float, ends: float) -> None:
        story = after(paid(0), auto_renew_off(on))
        assert story.statuses(on, ends - 0.01, ends) == [Status.GRACE, Status.GRACE, Status.EXPIRED]

    def test_said_in_grace_gives_no_grace_after_the_next_period(self) -> None:
        assert after(paid(0), auto_renew_off(31), paid(32, start=30)).status(60) is Status.EXPIRED

    def test_said_in_grace_is_of_no_use_after_the_last_retry(self) -> None:
        assert after(paid(0), auto_renew_off(31), failed_next(32, final=True)).status(32) is Status.EXPIRED

    def test_said_in_grace_can_be_undone_in_it(self) -> None:
        assert after(paid(0), auto_renew_off(31), auto_renew_on(32)).status(37) is Status.ON_HOLD


class TestAutoRenewOffInTheInstantOfThePurchase:
    """Some stores report a gift or a prepaid month as a purchase with auto-renew off in the same second."""

    @pytest.mark.parametrize("purchase", [paid(10), trial(10, ends=40)])
    def test_describes_it_and_brings_no_moment(self, purchase: Event) -> None:
        story = after(purchase, auto_renew_off(10))
        assert story.moments == []
        assert (story.sub(11).auto_renew, story.sub(11).auto_renew_off_by) == (False, None)
        assert story.status(40) is Status.EXPIRED

    def test_describes_it_whichever_arrives_first(self) -> None:
        purchase, off = paid(10, event_id="z"), auto_renew_off(10, event_id="a")
        assert after(off, purchase).sub(11) == after(purchase, off).sub(11)

    def test_says_nothing_of_a_payment_that_follows(self) -> None:
        assert after(paid(0), auto_renew_off(0), paid(30)).status(60) is Status.GRACE

    def test_describes_a_renewal_as_well(self) -> None:
        story = after(paid(0), paid(30), auto_renew_off(30))
        assert story.moments == []
        assert story.status(60) is Status.EXPIRED

    def test_describes_a_payment_for_a_period_to_come(self) -> None:
        story = after(paid(0), paid(10, start=30), auto_renew_off(10))
        assert story.moments == []
        assert story.status(60) is Status.EXPIRED

    def test_describes_a_trial_that_waits_behind_paid_time(self) -> None:
        story = after(paid(0), trial(10, ends=40), auto_renew_off(10))
        assert story.moments == []
        assert story.statuses(30, 40) == [Status.TRIALING, Status.EXPIRED]

    def test_can_be_undone(self) -> None:
        story = after(paid(0), auto_renew_off(0), auto_renew_on(1))
        assert story.moments == ["auto_renew.on"]
        assert story.status(30) is Status.GRACE

    def test_goes_before_auto_renew_on_of_that_instant(self) -> None:
        assert after(paid(0), auto_renew_on(0, event_id="a"), auto_renew_off(0, event_id="b")).status(30) is (
            Status.GRACE
        )


class TestAFailure:
    @pytest.mark.parametrize("final", [False, True])
    @pytest.mark.parametrize("end", [20, 30])
    def test_for_a_period_that_ends_no_later_than_a_standing_grant_is_a_fact(self, final: bool, end: int) -> None:
        story = after(paid(0), failed(10, start=5, end=end, final=final))
        assert story.moments == []
        assert (story.sub(11).failing, story.sub(11).auto_renew) == (False, True)

    def test_for_a_period_that_ends_later_than_every_standing_grant_is_none(self) -> None:
        assert after(paid(0), failed(10, start=5, end=31)).sub(11).failing

    def test_for_the_time_of_a_refunded_payment_is_no_fact_alone(self) -> None:
        story = after(paid(0), paid(5, end=90, plan="basic"), refunded(6, start=5, end=90), failed(10, start=30))
        assert story.sub(11).failing

    def test_without_a_period_is_about_the_next(self) -> None:
        story = after(paid(0), failed_next(29))
        assert story.moments == ["payment.failed"]
        assert story.sub(29).failing
        assert after(paid(0), failed_next(29, final=True)).status(30) is Status.EXPIRED

    def test_of_an_upgrade_leaves_the_running_plan_as_it_is(self) -> None:
        upgrade = failed(10, start=10, plan="premium", final=True)
        story = after(paid(0), upgrade)
        assert story.moments == []
        assert (story.sub(11).failing, story.sub(11).auto_renew, story.sub(11).plan) == (False, True, "basic")
        assert story.statuses(29.9, 30) == [Status.ACTIVE, Status.GRACE]

    def test_of_the_scheduled_plan_concerns_the_renewal(self) -> None:
        story = after(paid(0, plan="premium"), downgraded(1, "basic"), failed(29, start=30, plan="basic"))
        assert story.moments == ["payment.failed"]

    def test_of_the_plan_that_was_changed_to_concerns_the_renewal(self) -> None:
        story = after(paid(0, plan="premium"), plan_changed(1, "basic"), failed(29, start=30, plan="basic"))
        assert story.moments == ["payment.failed"]

    def test_on_hold_gives_no_grace_any_more(self) -> None:
        story = after(paid(0), failed_next(40, grace_until=60))
        assert story.statuses(40, 59, 96.9, 97) == [
            Status.ON_HOLD,
            Status.ON_HOLD,
            Status.ON_HOLD,
            Status.EXPIRED,
        ]

    @pytest.mark.parametrize("final", [False, True])
    def test_when_nothing_runs_is_a_fact(self, final: bool) -> None:
        assert after(failed_next(0, final=final)).status(1) is Status.NONE
        assert after(paid(0), cancelled(1), failed_next(2, final=final)).status(3) is Status.EXPIRED
        assert after(paid(0), cancelled(1), failed_next(2, final=final)).moments == []

    @pytest.mark.parametrize("on", [1, 2, 5, 13])
    def test_that_is_final_ends_the_access_that_a_pending_payment_gave(self, on: int) -> None:
        """A direct debit that comes back unpaid, within three days or after a week."""
        story = after(awaited(0, grace_until=14), failed_next(on, final=True))
        assert story.status(on) is Status.EXPIRED

    def test_that_is_final_ends_a_pending_upgrade_but_not_the_plan_that_runs(self) -> None:
        story = after(
            paid(0), awaited(20, plan="premium", grace_until=40), failed_next(25, plan="premium", final=True)
        )
        assert story.statuses(25, 29.9, 30, 36.9, 37) == [
            Status.ACTIVE,
            Status.ACTIVE,
            Status.GRACE,
            Status.GRACE,
            Status.ON_HOLD,
        ]


class TestAPendingPayment:
    def test_for_a_renewal_with_auto_renew_off_is_pending_for_72_hours(self) -> None:
        life = [paid(0), auto_renew_off(1), awaited(30, start=30)]
        assert course(life, 29.9, 30, 32.9, 33) == [
            Status.ACTIVE,
            Status.PENDING,
            Status.PENDING,
            Status.EXPIRED,
        ]

    def test_gives_access_until_its_grace_has_passed(self) -> None:
        story = after(awaited(0, grace_until=14))
        assert story.statuses(0, 3, 13.9, 14) == [Status.GRACE, Status.GRACE, Status.GRACE, Status.EXPIRED]
        assert story.sub(1).grace_until is not None

    def test_that_settles_is_paid(self) -> None:
        story = after(awaited(0, grace_until=14), paid(6, start=0))
        assert story.statuses(6, 29.9, 30) == [Status.ACTIVE, Status.ACTIVE, Status.GRACE]

    def test_yields_to_no_success_that_occurred_before_it(self) -> None:
        story = after(paid(0), auto_renew_off(1), awaited(29.5, start=30), paid(29, start=0))
        assert story.status(31) is Status.PENDING


def test_a_late_success_for_a_past_period_leaves_the_hold() -> None:
    story = after(paid(0), paid(45, start=30, end=40))
    assert story.statuses(45, 96.9, 97) == [Status.ON_HOLD, Status.ON_HOLD, Status.EXPIRED]
    assert story.moments == []


def test_renewal_is_not_touched_by_a_price_increase_or_its_answer() -> None:
    asked = signal(Signal.PRICE_INCREASE_PENDING, 1, price=1299)
    declined = signal(Signal.PRICE_INCREASE_DECLINED, 2)
    assert after(paid(0), asked, declined).status(30) is Status.GRACE


def test_a_pause_ends_for_good_once_nothing_covers_and_nothing_renews() -> None:
    story = after(paid(0, auto_renew=False), paused(5, effective=10))
    assert story.statuses(10, 29.9, 30) == [Status.PAUSED, Status.PAUSED, Status.EXPIRED]
    assert story.brought(1000) == ["paused", "expired"]


def test_who_said_that_it_renews_is_kept() -> None:
    story = after(paid(0), auto_renew_off(1, reason="too dear"), auto_renew_on(2))
    assert story.sub(2).renewal == Renewal(on=True, by=Said.USER, at=day(2))


@pytest.mark.parametrize("said", [failed(30), cancelled(30, effective=40)], ids=["failure", "cancellation"])
def test_a_success_overtakes_what_was_said_in_its_very_instant(said: Event) -> None:
    sub = after(paid(0), said, paid(30)).sub(30)
    assert (sub.failing, sub.cancel_at) == (False, None)
