"""Cancellations at once: they cut every grant, and what is told of the cut time afterwards brings nobody back."""

import pytest

from shared.domain.events import Event, ReasonCode
from shared.domain.subscription import Said, Status
from tests.support.story import (
    after,
    auto_renew_off,
    auto_renew_on,
    awaited,
    cancelled,
    course,
    day,
    extended,
    failed,
    paid,
    paused,
    refund_reversed,
    refunded,
    resumed,
    trial,
)


class TestACancellationAtOnce:
    def test_cuts_what_runs_and_what_waits(self) -> None:
        story = after(paid(0), paid(5, start=30), trial(6, ends=90), cancelled(10))
        assert story.statuses(10, 30, 60, 89) == [Status.EXPIRED] * 4
        assert story.brought(100) == []

    def test_ends_a_pending_payment(self) -> None:
        assert after(awaited(0), cancelled(1)).statuses(1, 2) == [Status.EXPIRED, Status.EXPIRED]

    @pytest.mark.parametrize("on", [1, 5])
    def test_ends_the_grace_of_a_payment_that_settles_in_days(self, on: int) -> None:
        assert after(awaited(0, grace_until=14), cancelled(on)).status(on) is Status.EXPIRED

    def test_keeps_its_instant_and_its_reason(self) -> None:
        sub = after(paid(0), cancelled(10, reason="moved", reason_code=ReasonCode.VOLUNTARY)).sub(11)
        assert (sub.auto_renew, sub.auto_renew_off_by) == (False, Said.CANCELLED)
        assert (sub.auto_renew_reason, sub.reason_code) == ("moved", ReasonCode.VOLUNTARY)

    @pytest.mark.parametrize(
        "event",
        [
            auto_renew_on(11),
            resumed(11),
            paused(11, effective=12),
            failed(11, start=30),
            extended(11, end=60),
            refunded(11, start=0),
            refund_reversed(11, start=0),
            cancelled(11),
        ],
    )
    def test_is_undone_by_no_signal_failure_or_verdict(self, event: Event) -> None:
        assert after(paid(0), cancelled(10), event).statuses(11, 29, 31) == [Status.EXPIRED] * 3

    def test_at_the_end_of_the_trial_cuts_nothing_of_it(self) -> None:
        assert after(trial(0, ends=14), cancelled(14)).sub(14).trial == after(trial(0, ends=14)).sub(14).trial

    def test_in_a_trial_cuts_the_trial(self) -> None:
        story = after(trial(0, ends=14), cancelled(5))
        assert story.statuses(5, 13, 14) == [Status.EXPIRED] * 3
        assert story.moments == ["trial.ended", "expired"]


class TestALaterSuccessForTheSamePlan:
    @pytest.mark.parametrize("start", [0, 10])
    def test_of_amount_0_that_starts_no_later_than_the_cut_changes_nothing(self, start: float) -> None:
        """The closing invoice of a billing system."""
        story = after(paid(0, payment_id="p1"), cancelled(10))
        closing = paid(10.001, start=start, end=30, amount=0, payment_id="p2")
        assert story.then(closing).statuses(11, 29, 31) == [Status.EXPIRED] * 3
        assert story.then(closing).moments == []

    def test_of_amount_0_that_starts_after_the_cut_is_a_new_purchase(self) -> None:
        story = after(paid(0), cancelled(10), paid(11, amount=0))
        assert story.statuses(11, 41) == [Status.ACTIVE, Status.GRACE]

    def test_paid_and_begun_before_the_cut_covers_and_does_not_renew(self) -> None:
        """An invoice that the user settles after the cancellation."""
        story = after(paid(0, payment_id="p1"), cancelled(35), paid(36, start=30, payment_id="p2"))
        assert story.statuses(36, 59.9, 60) == [Status.ACTIVE, Status.ACTIVE, Status.EXPIRED]
        assert not story.sub(37).auto_renew

    def test_paid_and_begun_before_the_cut_renews_if_it_says_so(self) -> None:
        story = after(
            paid(0, payment_id="p1"), cancelled(35), paid(36, start=30, payment_id="p2", auto_renew=True)
        )
        assert story.statuses(36, 60) == [Status.ACTIVE, Status.GRACE]

    @pytest.mark.parametrize("start", [35, 36])
    def test_paid_and_begun_with_the_cut_or_after_it_is_a_new_purchase(self, start: float) -> None:
        story = after(paid(0), cancelled(35), paid(36, start=start))
        assert story.moments == ["activated"]
        assert story.status(start + 30) is Status.GRACE

    def test_that_settles_cancelled_time_is_followed_by_a_renewing_payment_as_any_other(self) -> None:
        story = after(
            paid(0, payment_id="p1"), cancelled(35), paid(36, start=30, payment_id="p2"), paid(60, payment_id="p3")
        )
        assert story.statuses(60, 90) == [Status.ACTIVE, Status.GRACE]

    @pytest.mark.parametrize("end", [30, 60])
    def test_that_tells_a_known_payment_again_lifts_no_cut(self, end: int) -> None:
        story = after(paid(0, payment_id="p1"), cancelled(10), paid(11, start=0, end=end, payment_id="p1"))
        assert story.statuses(11, 29, 59) == [Status.EXPIRED] * 3
        assert story.moments == []

    def test_for_a_time_gone_by_is_a_fact(self) -> None:
        story = after(paid(30), cancelled(31), paid(61, start=0, end=30))
        assert story.status(61) is Status.EXPIRED
        assert story.moments == []

    def test_of_a_trial_that_was_cut_is_judged_alike(self) -> None:
        cut = after(trial(0, ends=14), cancelled(5))
        assert cut.then(paid(6, start=0, end=14, amount=0)).status(7) is Status.EXPIRED
        assert cut.then(paid(6, start=4, end=34)).statuses(7, 34) == [Status.ACTIVE, Status.EXPIRED]
        assert cut.then(paid(6, end=36)).statuses(7, 36) == [Status.ACTIVE, Status.GRACE]


class TestAfterALifeThatHadEndedByItself:
    """A billing system cancels once its retries are exhausted or the last period is over."""

    EXHAUSTED = after(paid(0, payment_id="p1"), failed(30), failed(33, start=30, final=True), cancelled(33.1))
    RUN_OUT = after(paid(0, payment_id="p1"), auto_renew_off(3), cancelled(30.1))

    def test_the_cancellation_moves_nothing(self) -> None:
        assert self.EXHAUSTED.moments == []
        assert (self.EXHAUSTED.status(34), self.EXHAUSTED.sub(34).since) == (Status.EXPIRED, day(33))

    def test_a_cancellation_without_a_reason_leaves_the_reason_of_the_end(self) -> None:
        assert self.EXHAUSTED.sub(34).reason_code is ReasonCode.BILLING

    def test_a_cancellation_without_a_reason_leaves_the_reason_of_the_user(self) -> None:
        """The billing system deletes at the end of the period what the user had turned off."""
        off = auto_renew_off(3, reason="too dear", reason_code=ReasonCode.PRICE_INCREASE)
        sub = after(paid(0), off, cancelled(30)).sub(31)
        assert (sub.auto_renew_reason, sub.reason_code) == ("too dear", ReasonCode.PRICE_INCREASE)

    def test_the_closing_invoice_of_nothing_brings_nobody_back(self) -> None:
        assert self.EXHAUSTED.then(paid(33.2, start=30, amount=0, payment_id="p2")).status(34) is Status.EXPIRED
        assert self.RUN_OUT.then(paid(30.2, start=30, amount=0, payment_id="p2")).status(31) is Status.EXPIRED

    def test_an_invoice_that_is_paid_after_it_covers_and_does_not_renew(self) -> None:
        story = self.EXHAUSTED.then(paid(40, start=30, payment_id="p2"))
        assert story.statuses(40, 59.9, 60) == [Status.ACTIVE, Status.ACTIVE, Status.EXPIRED]


class TestAnotherPlan:
    @pytest.mark.parametrize("amount", [0, 999])
    @pytest.mark.parametrize("start", [0, 10, 11])
    def test_is_a_new_purchase_whatever_its_amount_and_start(self, amount: int, start: float) -> None:
        story = after(paid(0), cancelled(10), paid(11, start=start, end=45, plan="premium", amount=amount))
        assert story.moments == ["activated"]
        assert story.statuses(11, 44.9, 45) == [Status.ACTIVE, Status.ACTIVE, Status.GRACE]

    def test_in_the_second_of_the_cancellation_is_a_swap(self) -> None:
        life = [paid(0), paid(10, plan="premium", event_id="a"), cancelled(10, event_id="b")]
        assert course(life, 9.9, 10, 39.9, 40) == [Status.ACTIVE, Status.ACTIVE, Status.ACTIVE, Status.GRACE]
        assert after(*life).sub(10).plan == "premium"

    def test_is_not_touched_by_the_closing_invoice_of_the_old_plan(self) -> None:
        """The invoice of nothing for the rest of the old plan comes minutes after the swap."""
        swap = after(paid(0, payment_id="p1"), cancelled(10), paid(10, plan="premium", payment_id="p2"))
        closing = paid(10.01, start=0, end=30, amount=0, payment_id="p3")
        assert swap.then(closing, refunded(11, start=10, payment_id="p2")).status(12) is Status.REVOKED
        off = swap.then(auto_renew_off(10.005), closing)
        assert off.statuses(39.9, 40) == [Status.ACTIVE, Status.EXPIRED]
        ahead = swap.then(cancelled(10.005, effective=25), closing)
        assert ahead.statuses(24.9, 25) == [Status.ACTIVE, Status.EXPIRED]


def test_a_scheduled_cancellation_cuts_what_was_paid_beyond_it_before_it_was_said() -> None:
    story = after(paid(0), paid(10, start=30), cancelled(11, effective=40))
    assert story.statuses(39.9, 40, 59) == [Status.ACTIVE, Status.EXPIRED, Status.EXPIRED]


def test_a_trial_after_a_cancellation_is_a_new_life() -> None:
    story = after(paid(0), cancelled(5), trial(10, ends=20))
    assert story.statuses(10, 20, 27) == [Status.TRIALING, Status.GRACE, Status.ON_HOLD]
