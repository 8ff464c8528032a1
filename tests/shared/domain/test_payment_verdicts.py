"""Refunds and disputes: the verdicts that show `revoked` in place of the machine's status, and the others."""

import pytest

from shared.domain.events import PaymentOutcome
from shared.domain.subscription import Status, Verdict
from tests.support.story import (
    Story,
    after,
    auto_renew_off,
    cancelled,
    day,
    failed,
    paid,
    paused,
    payment,
    refunded,
    trial,
)


def verdicts(*outcomes: PaymentOutcome) -> Story:
    """A payment for the days 0 to 30, with one report on it on each of the following days."""
    reports = [payment(outcome, on, start=0) for on, outcome in enumerate(outcomes, start=1)]
    return after(paid(0), *reports)


@pytest.mark.parametrize(
    ("outcomes", "shown"),
    [
        ([PaymentOutcome.REFUNDED], Status.REVOKED),
        ([PaymentOutcome.REFUNDED, PaymentOutcome.REFUND_REVERSED], Status.ACTIVE),
        ([PaymentOutcome.DISPUTED], Status.ACTIVE),
        ([PaymentOutcome.DISPUTED, PaymentOutcome.DISPUTE_LOST], Status.REVOKED),
        ([PaymentOutcome.DISPUTED, PaymentOutcome.DISPUTE_WON], Status.ACTIVE),
        ([PaymentOutcome.DISPUTE_LOST, PaymentOutcome.DISPUTE_WON], Status.ACTIVE),
        ([PaymentOutcome.REFUNDED, PaymentOutcome.SUCCEEDED], Status.ACTIVE),
    ],
)
def test_the_latest_verdict_on_the_granting_payment_stands(outcomes: list[PaymentOutcome], shown: Status) -> None:
    assert verdicts(*outcomes).status(10) is shown


def test_verdicts_are_latest_by_time_not_by_arrival() -> None:
    lost, won = payment(PaymentOutcome.DISPUTE_LOST, 1, start=0), payment(PaymentOutcome.DISPUTE_WON, 2, start=0)
    assert after(paid(0), won, lost).status(3) is Status.ACTIVE


def test_each_verdict_is_kept_by_its_name() -> None:
    kept = {
        outcome: verdicts(outcome).sub(2).payments[-1].verdict
        for outcome in PaymentOutcome
        if outcome not in {PaymentOutcome.PENDING, PaymentOutcome.FAILED}
    }
    assert kept == {
        PaymentOutcome.SUCCEEDED: Verdict.PAID,
        PaymentOutcome.REFUNDED: Verdict.REFUNDED,
        PaymentOutcome.REFUND_REVERSED: Verdict.REVERSED,
        PaymentOutcome.DISPUTED: Verdict.DISPUTED,
        PaymentOutcome.DISPUTE_WON: Verdict.WON,
        PaymentOutcome.DISPUTE_LOST: Verdict.LOST,
    }


def test_revoked_is_not_entitled() -> None:
    assert not verdicts(PaymentOutcome.REFUNDED).entitled(2)


def test_a_partial_refund_takes_nothing() -> None:
    story = after(paid(0), refunded(1, start=0, partial=True))
    assert story.status(2) is Status.ACTIVE
    assert story.moments == []


def test_verdicts_on_other_periods_are_facts() -> None:
    story = after(paid(0, payment_id="p1"), paid(30, payment_id="p2"), refunded(31, start=0, payment_id="p1"))
    assert story.status(32) is Status.ACTIVE
    assert [payment.verdict for payment in story.sub(32).payments] == [Verdict.REFUNDED, Verdict.PAID]


def test_a_payment_id_ties_a_refund_to_its_payment_whatever_period_it_names() -> None:
    story = after(paid(0, payment_id="p1"), paid(30, payment_id="p2"), refunded(31, start=0, payment_id="p2"))
    assert story.status(32) is Status.REVOKED


def test_without_a_payment_id_the_period_ties_them() -> None:
    assert after(paid(0), paid(30), refunded(31, start=0)).status(32) is Status.ACTIVE
    assert after(paid(0), paid(30), refunded(31, start=30)).status(32) is Status.REVOKED


def test_a_refund_that_arrives_before_its_payment_but_is_dated_after_it_revokes() -> None:
    assert after(refunded(1, start=0), paid(0)).status(2) is Status.REVOKED


def test_the_refund_of_a_double_charge_leaves_the_user_what_the_first_payment_bought() -> None:
    story = after(paid(0, payment_id="p1"), paid(0.1, start=0, payment_id="p2"))
    once = story.then(refunded(1, start=0, payment_id="p2"))
    assert once.status(2) is Status.ACTIVE
    assert once.then(refunded(3, start=0, payment_id="p1")).status(4) is Status.REVOKED


def test_a_zero_invoice_does_not_uphold_a_refunded_period() -> None:
    story = after(paid(0, amount=0, payment_id="p1"), paid(1, start=0, payment_id="p2"))
    assert story.then(refunded(2, start=0, payment_id="p2")).status(3) is Status.REVOKED


def test_the_newest_eight_payments_are_kept() -> None:
    story = after(*(paid(30 * month) for month in range(12)))
    assert [payment.period_start for payment in story.sub(331).payments] == [
        day(30 * month) for month in range(4, 12)
    ]


def test_the_granting_payment_is_known_though_eight_later_ones_were_judged() -> None:
    judged = [refunded(1, start=100 + n) for n in range(8)]
    assert after(paid(0), *judged, refunded(2, start=0)).status(3) is Status.REVOKED


class TestWhileRevokedIsShown:
    def test_the_machine_runs_on_without_moments(self) -> None:
        story = verdicts(PaymentOutcome.REFUNDED)
        assert story.brought(200) == []
        assert story.sub(200).status is Status.EXPIRED
        assert story.status(200) is Status.REVOKED

    def test_events_bring_no_moments(self) -> None:
        assert verdicts(PaymentOutcome.REFUNDED).then(auto_renew_off(5)).moments == []

    def test_a_won_dispute_shows_the_status_that_the_machine_has_reached(self) -> None:
        story = verdicts(PaymentOutcome.DISPUTE_LOST)
        assert story.then(payment(PaymentOutcome.DISPUTE_WON, 20, start=0)).status(20) is Status.ACTIVE
        assert story.then(payment(PaymentOutcome.DISPUTE_WON, 32, start=0)).status(32) is Status.GRACE

    def test_a_success_for_a_later_period_ends_it(self) -> None:
        assert verdicts(PaymentOutcome.REFUNDED).then(paid(5)).status(6) is Status.ACTIVE

    def test_a_trial_after_the_machine_expired_ends_it(self) -> None:
        story = verdicts(PaymentOutcome.REFUNDED).then(cancelled(3), trial(5, ends=19))
        assert story.status(6) is Status.TRIALING

    def test_a_refund_brings_only_its_own_moment(self) -> None:
        assert verdicts(PaymentOutcome.REFUNDED).moments == ["refunded"]


class TestThePeriodNotYetBegun:
    def test_refunded_restores_the_one_before(self) -> None:
        before = after(paid(0, plan="basic"))
        story = before.then(paid(20, start=30, plan="annual"), refunded(21, start=30))
        was, now = before.sub(22), story.sub(22)
        assert (now.shown_status, now.plan, now.period_end) == (Status.ACTIVE, was.plan, was.period_end)
        assert story.status(30) is Status.GRACE

    def test_lost_restores_the_one_before(self) -> None:
        story = after(paid(0), paid(20, start=30), payment(PaymentOutcome.DISPUTE_LOST, 21, start=30))
        assert story.sub(22).period_end == day(30)

    def test_refunded_once_it_has_begun_revokes(self) -> None:
        assert after(paid(0), paid(20, start=30), refunded(30, start=30)).status(30) is Status.REVOKED

    def test_refunded_restores_the_trial(self) -> None:
        story = after(trial(0, ends=14), paid(10, start=14), refunded(11, start=14))
        assert [story.status(on) for on in (12, 14)] == [Status.TRIALING, Status.GRACE]

    def test_refunded_restores_the_end_of_grace(self) -> None:
        story = after(paid(0), failed(30), paid(31, start=31.001), refunded(31.0005, start=31.001))
        assert [story.status(on) for on in (32, 37)] == [Status.GRACE, Status.ON_HOLD]

    def test_refunded_restores_the_end_of_the_pause(self) -> None:
        story = after(paid(0), paused(1, effective=30, resume=60), paid(40, start=41), refunded(40.5, start=41))
        assert [story.status(on) for on in (59, 60)] == [Status.PAUSED, Status.GRACE]

    def test_refunded_leaves_a_pause_that_fell_due_since(self) -> None:
        story = after(paid(0), paused(1, effective=22, resume=28), paid(20, start=30), refunded(25, start=30))
        assert [story.status(on) for on in (26, 28)] == [Status.PAUSED, Status.GRACE]
        assert story.sub(28).grace_until == day(35)

    def test_refunded_restores_none_where_nothing_was_before(self) -> None:
        assert after(paid(0, start=5), refunded(1, start=5)).status(2) is Status.NONE

    @pytest.mark.parametrize("order", [(30, 60), (60, 30)])
    def test_two_of_them_refunded_in_either_order_restore_the_one_that_runs(self, order: tuple[int, int]) -> None:
        story = after(paid(0), paid(10, start=30), paid(11, start=60))
        for on, start in enumerate(order, start=12):
            story = story.then(refunded(on, start=start))
        assert story.status(20) is Status.ACTIVE
        assert story.sub(20).period_end == day(30)

    def test_refunded_and_reversed_grants_it_again(self) -> None:
        story = after(paid(0), paid(20, start=30), refunded(21, start=30))
        again = story.then(payment(PaymentOutcome.REFUND_REVERSED, 22, start=30))
        assert again.sub(23).period_end == day(60)

    def test_refunded_after_a_cancellation_lets_the_user_come_back_at_once(self) -> None:
        story = after(paid(0), paid(29, start=30), cancelled(29.1), refunded(29.2, start=30), paid(29.3))
        assert story.status(29.4) is Status.ACTIVE

    def test_refunded_after_a_cancellation_undoes_no_cancellation(self) -> None:
        story = after(paid(0), paid(29, start=30), cancelled(29.1), refunded(29.2, start=30))
        assert not story.entitled(29.3)

    def test_only_periods_not_yet_begun_are_kept_besides_the_current_one(self) -> None:
        """Stores charge each period a day ahead, so replaced states must not pile up."""
        story = after(paid(0), *(paid(30 * month - 1, start=30 * month) for month in range(1, 12)))
        assert len(story.sub(329.5).replaced) == 1
