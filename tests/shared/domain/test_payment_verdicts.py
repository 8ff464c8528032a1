"""Refunds and disputes: two facts about a payment, by which it stands or not, and what its time is worth then."""

import pytest

from shared.domain.events import PaymentOutcome
from shared.domain.grants import Dispute, DisputeState, Grant, Refund
from shared.domain.subscription import Status
from shared.domain.verdicts import MAX_WAITING
from tests.support.story import (
    Story,
    after,
    auto_renew_off,
    auto_renew_on,
    awaited,
    cancelled,
    course,
    day,
    disputed,
    failed,
    lost,
    paid,
    paused,
    payment,
    refund_reversed,
    refunded,
    report,
    trial,
    won,
)


def verdicts(*outcomes: PaymentOutcome) -> Story:
    """A payment for the days 0 to 30, with one report on it on each of the following days."""
    reports = [payment(outcome, on, start=0) for on, outcome in enumerate(outcomes, start=1)]
    return after(paid(0), *reports)


def grants(story: Story, on: float) -> list[Grant]:
    return list(story.sub(on).all_grants)


@pytest.mark.parametrize(
    ("outcomes", "shown"),
    [
        ([PaymentOutcome.REFUNDED], Status.REVOKED),
        ([PaymentOutcome.REFUNDED, PaymentOutcome.REFUND_REVERSED], Status.ACTIVE),
        ([PaymentOutcome.REFUNDED, PaymentOutcome.REFUND_REVERSED, PaymentOutcome.REFUNDED], Status.REVOKED),
        ([PaymentOutcome.DISPUTED], Status.ACTIVE),
        ([PaymentOutcome.DISPUTED, PaymentOutcome.DISPUTE_LOST], Status.REVOKED),
        ([PaymentOutcome.DISPUTED, PaymentOutcome.DISPUTE_WON], Status.ACTIVE),
        ([PaymentOutcome.DISPUTE_LOST, PaymentOutcome.DISPUTE_WON], Status.ACTIVE),
        ([PaymentOutcome.REFUNDED, PaymentOutcome.SUCCEEDED], Status.ACTIVE),
    ],
)
def test_the_latest_word_on_the_granting_payment_counts(outcomes: list[PaymentOutcome], shown: Status) -> None:
    assert verdicts(*outcomes).status(10) is shown


@pytest.mark.parametrize(
    "outcomes",
    [
        [PaymentOutcome.DISPUTED, PaymentOutcome.REFUNDED, PaymentOutcome.DISPUTE_WON],
        [PaymentOutcome.REFUNDED, PaymentOutcome.DISPUTED],
        [PaymentOutcome.REFUNDED, PaymentOutcome.DISPUTE_LOST, PaymentOutcome.DISPUTE_WON],
        [PaymentOutcome.DISPUTE_LOST, PaymentOutcome.REFUND_REVERSED],
        [PaymentOutcome.REFUNDED, PaymentOutcome.DISPUTE_LOST, PaymentOutcome.REFUND_REVERSED],
    ],
)
def test_the_word_on_the_dispute_says_nothing_of_the_refund_nor_the_other_way(
    outcomes: list[PaymentOutcome],
) -> None:
    assert verdicts(*outcomes).status(10) is Status.REVOKED


def test_verdicts_are_latest_by_time_not_by_arrival() -> None:
    assert after(paid(0), won(2, start=0), lost(1, start=0)).status(3) is Status.ACTIVE
    assert after(paid(0), refund_reversed(2, start=0), refunded(1, start=0)).status(3) is Status.ACTIVE


def test_each_verdict_is_kept_as_a_fact_with_its_instant() -> None:
    kept = {}
    for outcome in PaymentOutcome:
        (known,) = grants(verdicts(outcome), 2)
        kept[outcome] = (known.refund, known.dispute)
    assert kept == {
        PaymentOutcome.PENDING: (None, None),
        PaymentOutcome.SUCCEEDED: (None, None),
        PaymentOutcome.FAILED: (None, None),
        PaymentOutcome.EXTENDED: (None, None),
        PaymentOutcome.REFUNDED: (Refund(day(1), gone=True), None),
        PaymentOutcome.REFUND_REVERSED: (Refund(day(1), gone=False), None),
        PaymentOutcome.DISPUTED: (None, Dispute(day(1), DisputeState.OPEN)),
        PaymentOutcome.DISPUTE_WON: (None, Dispute(day(1), DisputeState.WON)),
        PaymentOutcome.DISPUTE_LOST: (None, Dispute(day(1), DisputeState.LOST)),
    }


def test_revoked_is_not_entitled() -> None:
    assert not verdicts(PaymentOutcome.REFUNDED).entitled(2)


def test_a_partial_refund_takes_nothing() -> None:
    story = after(paid(0), refunded(1, start=0, partial=True))
    assert story.status(2) is Status.ACTIVE
    assert story.moments == []


def test_a_refund_by_goodwill_leaves_the_user_the_time() -> None:
    story = after(paid(0), refunded(1, start=0, keeps_access=True))
    assert story.statuses(2, 29.9, 30) == [Status.ACTIVE, Status.ACTIVE, Status.GRACE]
    assert story.moments == []


def test_verdicts_on_other_periods_are_facts() -> None:
    story = after(paid(0, payment_id="p1"), paid(30, payment_id="p2"), refunded(31, start=0, payment_id="p1"))
    assert story.status(32) is Status.ACTIVE
    assert [known.stands for known in grants(story, 32)] == [False, True]


def test_a_payment_id_ties_a_refund_to_its_payment_whatever_period_it_names() -> None:
    story = after(paid(0, payment_id="p1"), paid(30, payment_id="p2"), refunded(31, start=0, payment_id="p2"))
    assert story.status(32) is Status.REVOKED


@pytest.mark.parametrize(
    ("outcome", "shown"),
    [
        (PaymentOutcome.REFUNDED, Status.REVOKED),
        (PaymentOutcome.DISPUTE_LOST, Status.REVOKED),
        (PaymentOutcome.DISPUTED, Status.ACTIVE),
    ],
)
def test_a_payment_id_alone_is_enough(outcome: PaymentOutcome, shown: Status) -> None:
    story = after(paid(0, payment_id="p1"), report(outcome, 1, payment_id="p1"))
    assert story.status(2) is shown


def test_without_a_payment_id_the_period_ties_them() -> None:
    assert after(paid(0), paid(30), refunded(31, start=0)).status(32) is Status.ACTIVE
    assert after(paid(0), paid(30), refunded(31, start=30)).status(32) is Status.REVOKED


def test_of_one_start_for_all_periods_the_end_ties_them() -> None:
    """Some stores give no other start than that of the first period."""
    story = after(paid(0, end=30), paid(30, start=0, end=60), paid(60, start=0, end=90))
    assert story.then(refunded(61, start=0, end=30)).status(62) is Status.ACTIVE
    assert story.then(refunded(61, start=0, end=90)).status(62) is Status.REVOKED


def test_a_refund_that_arrives_before_its_payment_but_is_dated_after_it_revokes() -> None:
    assert after(refunded(1, start=0), paid(0)).status(2) is Status.REVOKED


def test_the_refund_of_a_double_charge_leaves_the_user_what_the_first_payment_bought() -> None:
    story = after(paid(0, payment_id="p1"), paid(0.1, start=0, payment_id="p2"))
    once = story.then(refunded(1, start=0, payment_id="p2"))
    assert once.status(2) is Status.ACTIVE
    assert once.then(refunded(3, start=0, payment_id="p1")).status(4) is Status.REVOKED


def test_one_of_two_payments_for_a_period_that_is_lost_leaves_the_other() -> None:
    story = after(paid(0, payment_id="p1"), paid(1, start=0, payment_id="p2"), lost(2, start=0, payment_id="p1"))
    assert story.statuses(3, 29.9, 30) == [Status.ACTIVE, Status.ACTIVE, Status.GRACE]


def test_a_payment_of_nothing_stands_when_another_for_its_period_is_refunded() -> None:
    """A month that support gave away is a grant like any other."""
    story = after(paid(0, amount=0, payment_id="p1"), paid(1, start=0, payment_id="p2"))
    assert story.then(refunded(2, start=0, payment_id="p2")).status(3) is Status.ACTIVE


def test_the_eight_payments_that_ended_last_are_kept_beside_the_one_that_runs() -> None:
    story = after(*(paid(30 * month) for month in range(12)))
    assert [known.start for known in grants(story, 331)] == [day(30 * month) for month in range(3, 12)]


def test_the_granting_payment_is_known_though_eight_later_verdicts_wait() -> None:
    judged = [refunded(1, start=100 + n) for n in range(8)]
    assert after(paid(0), *judged, refunded(2, start=0)).status(3) is Status.REVOKED


class TestAVerdictBeforeItsPayment:
    @pytest.mark.parametrize("outcome", [PaymentOutcome.REFUNDED, PaymentOutcome.DISPUTE_LOST])
    def test_waits_by_id_and_then_applies(self, outcome: PaymentOutcome) -> None:
        story = after(report(outcome, 0, payment_id="p1"))
        assert story.status(1) is Status.NONE
        assert story.then(paid(2, payment_id="p1")).statuses(2, 32) == [Status.REVOKED, Status.EXPIRED]

    def test_says_nothing_of_another_payment(self) -> None:
        assert (
            after(report(PaymentOutcome.REFUNDED, 0, payment_id="p1"), paid(2, payment_id="p2")).status(3)
            is Status.ACTIVE
        )

    def test_by_its_period_says_nothing_of_a_later_payment(self) -> None:
        """To pay anew for the period of a refunded payment is a new purchase."""
        assert after(report(PaymentOutcome.REFUNDED, 0, period_start=2), paid(2)).status(3) is Status.ACTIVE

    def test_brings_no_refunded_moment_to_a_user_who_has_nothing(self) -> None:
        story = after(report(PaymentOutcome.REFUNDED, 0, payment_id="p1"))
        assert story.moments == []
        assert story.then(paid(2, payment_id="p1")).moments == []

    def test_applies_in_the_order_of_the_verdicts(self) -> None:
        waiting = [lost(0, start=2, payment_id="p1"), won(1, start=2, payment_id="p1")]
        assert after(*waiting, paid(2, payment_id="p1")).status(3) is Status.ACTIVE
        assert after(*reversed(waiting), paid(2, payment_id="p1")).status(3) is Status.ACTIVE

    def test_is_known_among_the_eight_newest(self) -> None:
        assert MAX_WAITING == 8
        many = [report(PaymentOutcome.REFUNDED, on / 10, payment_id=f"p{on}") for on in range(9)]
        story = after(*many)
        assert [verdict.payment_id for verdict in story.sub(1).waiting] == [f"p{on}" for on in range(1, 9)]
        assert story.then(paid(2, payment_id="p1")).status(2) is Status.REVOKED
        assert story.then(paid(2, payment_id="p0")).status(2) is Status.ACTIVE

    def test_waits_no_more_once_it_applied(self) -> None:
        story = after(report(PaymentOutcome.REFUNDED, 0, payment_id="p1"), paid(2, payment_id="p1"))
        assert story.sub(2).waiting == ()


class TestWhileRevoked:
    def test_time_brings_only_the_end_of_the_period(self) -> None:
        story = verdicts(PaymentOutcome.REFUNDED)
        assert story.brought(200) == ["expired"]
        assert story.statuses(29.9, 30, 200) == [Status.REVOKED, Status.EXPIRED, Status.EXPIRED]

    def test_events_bring_no_moments(self) -> None:
        assert verdicts(PaymentOutcome.REFUNDED).then(auto_renew_off(5)).moments == []
        assert verdicts(PaymentOutcome.REFUNDED).then(failed(5, start=30)).moments == []

    def test_a_won_dispute_gives_back_what_is_left_of_the_time(self) -> None:
        story = verdicts(PaymentOutcome.DISPUTE_LOST)
        assert story.then(won(20, start=0)).statuses(20, 30) == [Status.ACTIVE, Status.GRACE]
        assert story.then(won(32, start=0)).status(32) is Status.EXPIRED

    def test_a_success_for_a_later_period_ends_it(self) -> None:
        assert verdicts(PaymentOutcome.REFUNDED).then(paid(5)).status(6) is Status.ACTIVE

    def test_a_trial_after_a_cancellation_ends_it(self) -> None:
        story = verdicts(PaymentOutcome.REFUNDED).then(cancelled(3), trial(5, ends=19))
        assert story.statuses(6, 19) == [Status.TRIALING, Status.GRACE]

    def test_a_refund_brings_only_its_own_moment(self) -> None:
        assert verdicts(PaymentOutcome.REFUNDED).moments == ["refunded"]

    def test_a_refund_told_twice_brings_its_moment_once(self) -> None:
        story = verdicts(PaymentOutcome.REFUNDED).then(refunded(2, start=0))
        assert story.moments == []
        assert story.status(3) is Status.REVOKED

    def test_a_scheduled_cancellation_expires_it(self) -> None:
        life = [paid(0), cancelled(5, effective=20), refunded(10, start=0)]
        assert course(life, 5, 10, 19.9, 20) == [Status.ACTIVE, Status.REVOKED, Status.REVOKED, Status.EXPIRED]

    def test_a_pending_payment_of_since_then_shows_pending(self) -> None:
        story = verdicts(PaymentOutcome.REFUNDED).then(awaited(5, start=0))
        assert story.statuses(5, 7.9, 8) == [Status.PENDING, Status.PENDING, Status.REVOKED]

    def test_a_pending_payment_that_gives_access_gives_it(self) -> None:
        story = verdicts(PaymentOutcome.REFUNDED).then(awaited(5, grace_until=9))
        assert story.statuses(5, 8.9, 9) == [Status.GRACE, Status.GRACE, Status.REVOKED]


class TestARefundOfAPeriodThatIsOver:
    """A grant covered until its withdrawal: one that ran out before keeps its end and its grace."""

    def test_changes_no_expired(self) -> None:
        story = after(paid(0), auto_renew_off(1)).then(refunded(40, start=0))
        assert story.status(40) is Status.EXPIRED
        assert story.sub(40).since == day(30)

    def test_leaves_its_grace(self) -> None:
        story = after(paid(0), refunded(32, start=0))
        assert story.statuses(32, 36.9, 37) == [Status.GRACE, Status.GRACE, Status.ON_HOLD]

    def test_leaves_its_hold(self) -> None:
        story = after(paid(0), refunded(42, start=0))
        assert story.statuses(42, 96.9, 97) == [Status.ON_HOLD, Status.ON_HOLD, Status.EXPIRED]

    def test_at_its_very_end_leaves_its_grace(self) -> None:
        assert after(paid(0), refunded(30, start=0)).status(30) is Status.GRACE

    def test_leaves_the_next_period_active(self) -> None:
        assert after(paid(0), paid(30), refunded(31, start=0)).status(31) is Status.ACTIVE


class TestAfterAWithdrawal:
    def test_revoked_is_followed_by_expired_never_by_grace(self) -> None:
        assert verdicts(PaymentOutcome.REFUNDED).statuses(29.9, 30) == [Status.REVOKED, Status.EXPIRED]

    def test_the_next_that_covers_takes_over(self) -> None:
        upgrade = paid(10, end=40, plan="premium")
        story = after(paid(0, end=365), upgrade, refunded(12, start=10))
        assert (story.status(12), story.sub(12).plan, story.sub(12).period_end) == (
            Status.ACTIVE,
            "basic",
            day(365),
        )
        assert story.moments == ["refunded", "plan.changed"]
        assert story.statuses(40, 364.9) == [Status.ACTIVE, Status.ACTIVE]

    def test_a_won_dispute_brings_the_newer_plan_back(self) -> None:
        story = after(paid(0, end=365), paid(10, plan="premium"), lost(12, start=10), won(14, start=10))
        assert (story.status(14), story.sub(14).plan) == (Status.ACTIVE, "premium")

    def test_the_one_that_took_over_has_its_own_grace(self) -> None:
        """The upgrade that was refunded would still run; the renewal of the plan that is paid is late."""
        story = after(paid(0), paid(10, plan="premium"), refunded(12, start=10))
        assert story.statuses(29.9, 30, 39.9) == [Status.ACTIVE, Status.GRACE, Status.ON_HOLD]
        assert story.then(paid(30.1, start=30)).moments == ["renewed"]

    def test_a_credit_for_the_older_plan_takes_nothing_from_the_newer(self) -> None:
        """The guide tells senders to report the credit of a swap as a refund of the older payment."""
        story = after(
            paid(0, end=365, plan="annual"), paid(10, end=40, plan="monthly"), refunded(10.1, start=0, end=365)
        )
        assert story.statuses(11, 39.9) == [Status.ACTIVE, Status.ACTIVE]
        assert story.statuses(40, 46.9, 47) == [Status.GRACE, Status.GRACE, Status.ON_HOLD]
        assert story.then(paid(40.1, start=40, plan="monthly")).moments == ["renewed"]

    def test_of_everything_cut_grants_never_show_revoked(self) -> None:
        story = after(paid(0), cancelled(5), refunded(6, start=0))
        assert story.statuses(6, 29.9, 30) == [Status.EXPIRED, Status.EXPIRED, Status.EXPIRED]


class TestThePeriodNotYetBegun:
    def test_refunded_leaves_the_one_that_runs(self) -> None:
        before = after(paid(0, plan="basic"))
        story = before.then(paid(20, start=30, plan="annual"), refunded(21, start=30))
        was, now = before.sub(22), story.sub(22)
        assert (now.status, now.plan, now.period_end) == (Status.ACTIVE, was.plan, was.period_end)
        assert story.statuses(29.9, 30) == [Status.ACTIVE, Status.REVOKED]

    def test_lost_leaves_the_one_that_runs(self) -> None:
        story = after(paid(0), paid(20, start=30), lost(21, start=30))
        assert story.sub(22).period_end == day(30)

    def test_refunded_once_it_has_begun_revokes(self) -> None:
        assert after(paid(0), paid(20, start=30), refunded(30, start=30)).status(30) is Status.REVOKED

    def test_refunded_leaves_the_trial(self) -> None:
        story = after(trial(0, ends=14), paid(10, start=14), refunded(11, start=14))
        assert story.statuses(12, 13.9, 14, 44) == [
            Status.TRIALING,
            Status.TRIALING,
            Status.REVOKED,
            Status.EXPIRED,
        ]

    def test_refunded_leaves_the_grace_until_it_begins(self) -> None:
        story = after(paid(0), failed(30), paid(31, start=32), refunded(31.5, start=32))
        assert story.statuses(31.6, 31.9, 32) == [Status.GRACE, Status.GRACE, Status.REVOKED]

    def test_refunded_leaves_the_pause_until_it_begins(self) -> None:
        story = after(paid(0), paused(1, effective=30, resume=60), paid(40, start=41), refunded(40.5, start=41))
        assert story.statuses(40.6, 40.9, 41) == [Status.PAUSED, Status.PAUSED, Status.REVOKED]

    def test_refunded_leaves_a_pause_that_fell_due_since(self) -> None:
        story = after(paid(0), paid(20, start=30), paused(21, effective=22, resume=28), refunded(25, start=30))
        assert story.statuses(26, 28, 30) == [Status.PAUSED, Status.ACTIVE, Status.REVOKED]

    def test_refunded_leaves_expired_where_nothing_ran_before(self) -> None:
        assert after(paid(0, start=5), refunded(1, start=5)).status(2) is Status.EXPIRED

    @pytest.mark.parametrize("order", [(30, 60), (60, 30)])
    def test_two_of_them_refunded_in_either_order_leave_the_one_that_runs(self, order: tuple[int, int]) -> None:
        story = after(paid(0), paid(10, start=30), paid(11, start=60))
        for on, start in enumerate(order, start=12):
            story = story.then(refunded(on, start=start))
        assert story.status(20) is Status.ACTIVE
        assert story.sub(20).period_end == day(30)

    def test_refunded_and_reversed_grants_it_again(self) -> None:
        story = after(paid(0), paid(20, start=30), refunded(21, start=30))
        again = story.then(refund_reversed(22, start=30))
        assert again.statuses(30, 59.9) == [Status.ACTIVE, Status.ACTIVE]
        assert again.sub(30).period_end == day(60)

    def test_refunded_after_a_cancellation_lets_the_user_come_back_at_once(self) -> None:
        story = after(paid(0), paid(29, start=30), cancelled(29.1), refunded(29.2, start=30), paid(29.3))
        assert story.status(29.4) is Status.ACTIVE

    def test_refunded_after_a_cancellation_undoes_no_cancellation(self) -> None:
        story = after(paid(0), paid(29, start=30), cancelled(29.1), refunded(29.2, start=30))
        assert not story.entitled(29.3)

    def test_only_the_running_and_those_kept_of_the_past_pile_up(self) -> None:
        """Stores charge each period a day ahead, so what is over must not stay for ever."""
        story = after(paid(0), *(paid(30 * month - 1, start=30 * month) for month in range(1, 30)))
        sub = story.sub(30 * 29 - 0.5)
        assert [known.start for known in sub.grants] == [day(30 * 28), day(30 * 29)]
        assert len(sub.past) == 8


def test_an_open_dispute_is_a_fact_that_takes_nothing() -> None:
    story = after(paid(0), disputed(1, start=0))
    assert story.statuses(1, 29.9, 30) == [Status.ACTIVE, Status.ACTIVE, Status.GRACE]
    assert story.moments == []


def test_auto_renew_on_gives_nothing_back_that_was_refunded() -> None:
    assert verdicts(PaymentOutcome.REFUNDED).then(auto_renew_on(5)).statuses(5, 30) == [
        Status.REVOKED,
        Status.EXPIRED,
    ]
