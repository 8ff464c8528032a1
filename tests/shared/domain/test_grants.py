"""Grants: which of several is current, extensions, payments told again, and the bounds of the ledger."""

from itertools import permutations

import pytest

from shared.domain.events import Event, PaymentOutcome
from shared.domain.ledger import MAX_GRANTS, MAX_PAST
from shared.domain.subscription import Status
from tests.support.story import (
    Story,
    after,
    auto_renew_off,
    cancelled,
    day,
    extended,
    failed,
    failed_next,
    lost,
    paid,
    refund_reversed,
    refunded,
    report,
    trial,
)


def current(story: Story, on: float) -> tuple[str | None, float | None]:
    """The plan on a day, and the day on which its period ends."""
    sub = story.sub(on)
    return sub.plan, None if sub.period_end is None else (sub.period_end - day(0)).total_seconds() / 86400


class TestTheCurrentGrant:
    def test_is_of_two_the_one_that_starts_later(self) -> None:
        story = after(paid(0, end=365, plan="annual"), paid(10, plan="premium"))
        assert (current(story, 9.9), current(story, 10)) == (("premium", 40), ("premium", 40))
        assert current(after(paid(10, plan="premium"), paid(11, start=0, end=365, plan="annual")), 12) == (
            "premium",
            40,
        )

    def test_is_of_two_that_start_together_the_one_of_the_later_event(self) -> None:
        story = after(paid(0, plan="basic", payment_id="p1"), paid(1, start=0, plan="premium", payment_id="p2"))
        assert current(story, 2) == ("premium", 30)

    def test_is_a_paid_one_rather_than_the_trial(self) -> None:
        story = after(paid(0, plan="premium"), trial(5, ends=20, plan="basic"))
        assert (story.status(6), current(story, 6)) == (Status.ACTIVE, ("premium", 30))

    def test_is_the_trial_rather_than_a_payment_of_nothing_that_ends_within_it(self) -> None:
        story = after(trial(0, ends=14, plan="premium"), paid(1, end=14, amount=0, plan="basic"))
        assert (story.status(2), current(story, 2)) == (Status.TRIALING, ("premium", None))

    def test_is_a_payment_of_nothing_that_outlasts_the_trial(self) -> None:
        story = after(trial(0, ends=14), paid(1, end=31, amount=0))
        assert (story.status(2), current(story, 2)) == (Status.ACTIVE, ("basic", 31))

    def test_is_none_that_has_not_begun(self) -> None:
        story = after(paid(0, plan="basic"), paid(1, start=30, plan="premium"))
        assert [current(story, on) for on in (29.9, 30)] == [("basic", 30), ("premium", 60)]

    def test_is_none_whose_money_went_back(self) -> None:
        story = after(paid(0, end=365, plan="annual"), paid(10, plan="premium"), refunded(11, start=10))
        assert current(story, 12) == ("annual", 365)

    def test_is_none_whose_dispute_was_lost(self) -> None:
        story = after(paid(0, end=365, plan="annual"), paid(10, plan="premium"), lost(11, start=10))
        assert current(story, 12) == ("annual", 365)

    def test_is_the_one_again_whose_refund_was_reversed(self) -> None:
        story = after(
            paid(0, end=365, plan="annual"),
            paid(10, plan="premium"),
            refunded(11, start=10),
            refund_reversed(12, start=10),
        )
        assert current(story, 13) == ("premium", 40)

    @pytest.mark.parametrize("order", list(permutations(range(3))))
    def test_does_not_depend_on_the_order_of_arrival(self, order: tuple[int, ...]) -> None:
        told = [paid(0, end=365, plan="annual"), paid(10, plan="premium"), refunded(11, start=10)]
        assert after(*(told[number] for number in order)).sub(12) == after(*told).sub(12)

    def test_of_the_same_plan_falls_back_at_once_and_silently(self) -> None:
        """A lifetime bought over a monthly plan under one id."""
        story = after(paid(0, end=36500), paid(5))
        assert current(story, 34.9) == ("basic", 35)
        assert (story.status(36), current(story, 36)) == (Status.ACTIVE, ("basic", 36500))
        assert story.brought(100) == []


class TestANewerPlanThatRunsOutOverAnOlder:
    """An annual plan swapped for a monthly one, whose months are paid by credit; the annual payment stands."""

    SWAPPED = after(paid(0, end=365, plan="annual"), paid(10, end=40, plan="monthly", amount=0))

    def test_leaves_access(self) -> None:
        assert self.SWAPPED.statuses(39.9, 40, 47, 364.9, 365) == [Status.ACTIVE] * 4 + [Status.GRACE]

    def test_keeps_its_plan_until_its_grace_is_over(self) -> None:
        assert self.SWAPPED.plans(39.9, 40, 46.9, 47) == ["monthly", "monthly", "monthly", "annual"]
        assert self.SWAPPED.brought(46.9) == []
        assert self.SWAPPED.brought(47) == ["plan.changed"]

    def test_that_is_renewed_in_time_never_falls_back(self) -> None:
        story = self.SWAPPED.then(paid(41, start=40, end=70, plan="monthly", amount=0))
        assert story.moments == ["renewed"]
        assert story.plans(41, 69.9, 76.9, 77) == ["monthly", "monthly", "monthly", "annual"]

    @pytest.mark.parametrize(
        "declined", [failed_next(41, plan="monthly"), failed(41, start=40, end=70, plan="monthly")]
    )
    def test_whose_renewal_is_declined_sets_failing_until_it_falls_back(self, declined: object) -> None:
        story = self.SWAPPED.then(declined)
        assert story.moments == ["payment.failed"]
        assert [story.sub(on).failing for on in (41, 46.9, 47)] == [True, True, False]
        assert story.statuses(41, 47) == [Status.ACTIVE, Status.ACTIVE]

    def test_falls_back_when_the_grace_that_was_told_is_over(self) -> None:
        story = self.SWAPPED.then(failed_next(40, plan="monthly", grace_until=56))
        assert story.plans(55.9, 56) == ["monthly", "annual"]

    def test_that_does_not_renew_falls_back_at_once(self) -> None:
        story = self.SWAPPED.then(auto_renew_off(20))
        assert story.plans(39.9, 40) == ["monthly", "annual"]

    def test_whose_credit_was_told_as_a_refund_leaves_no_older_one(self) -> None:
        story = self.SWAPPED.then(refunded(10.5, start=0, end=365))
        assert story.statuses(39.9, 40, 47, 107) == [
            Status.ACTIVE,
            Status.GRACE,
            Status.ON_HOLD,
            Status.EXPIRED,
        ]

    def test_is_no_trial_that_waited_behind_paid_time(self) -> None:
        story = after(paid(0, end=365, plan="annual"), paid(10, plan="annual"), trial(41, ends=50, plan="max"))
        assert story.plans(41, 50, 57) == ["annual", "annual", "annual"]
        assert story.brought(100) == []


class TestAnExtension:
    @pytest.mark.parametrize("named", [{"payment_id": "p1"}, {"start": 0}, {}])
    def test_moves_the_end_of_the_payment_it_names_or_of_the_current(self, named: dict[str, object]) -> None:
        story = after(paid(0, payment_id="p1"), extended(10, end=45, **named))
        assert current(story, 11) == ("basic", 45)
        assert story.statuses(44.9, 45) == [Status.ACTIVE, Status.GRACE]
        assert story.moments == []

    def test_moves_the_end_of_a_trial_that_is_current(self) -> None:
        story = after(trial(0, ends=14), extended(10, end=20))
        assert story.statuses(19.9, 20) == [Status.TRIALING, Status.GRACE]

    def test_of_an_ended_one_lets_it_run_again(self) -> None:
        story = after(paid(0), auto_renew_off(5)).then(extended(40, end=50))
        assert story.statuses(40, 49.9, 50) == [Status.ACTIVE, Status.ACTIVE, Status.EXPIRED]

    def test_on_hold_or_in_grace_recovers_it(self) -> None:
        assert after(paid(0), failed(30), extended(40, end=50)).statuses(40, 50, 57) == [
            Status.ACTIVE,
            Status.GRACE,
            Status.ON_HOLD,
        ]
        assert not after(paid(0), failed(30), extended(32, end=50)).sub(33).failing

    def test_to_an_end_that_is_past_recovers_nothing(self) -> None:
        assert after(paid(0), failed(30), extended(50, start=0, end=45)).sub(50).failing

    def test_alone_waits_with_its_new_end(self) -> None:
        waiting = after(extended(0, end=45, payment_id="p1"), refunded(1, start=0, payment_id="p2")).sub(1).waiting
        assert [(verdict.payment_id, verdict.period_end) for verdict in waiting] == [("p1", day(45)), ("p2", None)]

    def test_counts_only_if_the_end_is_later(self) -> None:
        assert current(after(paid(0), extended(10, end=25)), 11) == ("basic", 30)
        assert current(after(paid(0), extended(10, end=45), extended(11, end=40)), 12) == ("basic", 45)

    def test_of_a_cut_one_does_nothing(self) -> None:
        story = after(paid(0), cancelled(10), extended(11, end=45))
        assert story.statuses(11, 40) == [Status.EXPIRED, Status.EXPIRED]

    def test_of_a_refunded_one_is_a_fact(self) -> None:
        story = after(paid(0), refunded(10, start=0), extended(11, end=45))
        assert story.statuses(11, 29.9, 30) == [Status.REVOKED, Status.REVOKED, Status.EXPIRED]

    def test_of_a_payment_to_come_moves_its_end(self) -> None:
        story = after(paid(0), paid(10, start=30), extended(11, start=30, end=75))
        assert story.statuses(74.9, 75) == [Status.ACTIVE, Status.GRACE]

    def test_before_its_payment_waits_for_it(self) -> None:
        story = after(extended(0, end=45, payment_id="p1"), paid(1, payment_id="p1"))
        assert current(story, 2) == ("basic", 45)

    def test_of_nothing_does_nothing(self) -> None:
        assert after(extended(0, end=45)).status(1) is Status.NONE

    def test_is_no_renewal(self) -> None:
        story = after(paid(0), auto_renew_off(3), extended(10, end=45))
        assert story.statuses(44.9, 45) == [Status.ACTIVE, Status.EXPIRED]
        assert story.sub(11).first_paid_at == story.sub(11).last_paid_at == day(0)


def test_a_payment_for_time_gone_by_that_never_ran_is_not_what_an_ended_one_had_last() -> None:
    story = after(paid(0, auto_renew=False), paid(50, start=32, end=40, plan="max"))
    assert (story.status(50), current(story, 50)) == (Status.EXPIRED, ("basic", 30))


class TestAPaymentToldAgain:
    def test_is_no_renewal(self) -> None:
        story = after(paid(0, payment_id="p1"), paid(1, start=0, payment_id="p1"))
        assert story.moments == []
        assert story.sub(2).recent_payments == 1

    def test_with_a_later_end_moves_it(self) -> None:
        story = after(paid(0, payment_id="p1"), paid(1, start=0, end=45, payment_id="p1"))
        assert current(story, 2) == ("basic", 45)

    def test_with_its_first_end_takes_no_extension(self) -> None:
        story = after(paid(0, payment_id="p1"), extended(5, end=45), paid(6, start=0, payment_id="p1"))
        assert story.statuses(44.9, 45) == [Status.ACTIVE, Status.GRACE]

    def test_with_an_earlier_end_takes_nothing(self) -> None:
        story = after(paid(0, payment_id="p1"), paid(1, start=0, end=20, payment_id="p1"))
        assert story.statuses(20, 29.9, 30) == [Status.ACTIVE, Status.ACTIVE, Status.GRACE]

    def test_with_nothing_to_pay_keeps_its_amount(self) -> None:
        story = after(paid(0, payment_id="p1"), paid(1, start=0, end=45, amount=0, payment_id="p1"))
        assert [known.amount for known in story.sub(2).grants] == [999]

    def test_brings_no_refunded_money_back(self) -> None:
        story = after(paid(0, payment_id="p1"), refunded(1, start=0, payment_id="p1"))
        assert story.then(paid(2, start=0, payment_id="p1")).status(3) is Status.REVOKED

    def test_of_one_period_under_another_id_is_another_payment(self) -> None:
        story = after(paid(0, payment_id="p1"), paid(1, start=0, payment_id="p2"))
        assert story.sub(2).recent_payments == 2

    def test_learns_its_id(self) -> None:
        story = after(paid(0), paid(1, start=0, payment_id="p1"))
        assert story.then(report(PaymentOutcome.REFUNDED, 2, payment_id="p1")).status(3) is Status.REVOKED


class TestAVerdictThatNamesAStart:
    """Two payments began together, and the report names no id."""

    TOLD = after(paid(0, end=30, plan="basic"), paid(0, end=365, plan="annual", payment_id="p1"))

    @pytest.mark.parametrize(("end", "gone"), [(30, "basic"), (365, "annual"), (99, "annual")])
    def test_is_about_the_one_with_its_end_else_about_the_current(self, end: float, gone: str) -> None:
        sub = self.TOLD.then(refunded(1, start=0, end=end)).sub(1)
        assert [known.plan for known in sub.grants if not known.stands] == [gone]


class TestTheBounds:
    def test_are_12_that_run_or_wait_and_8_that_ended_last(self) -> None:
        assert (MAX_GRANTS, MAX_PAST) == (12, 8)

    def test_of_40_that_overlap_those_that_end_latest_are_kept(self) -> None:
        story = after(*(paid(on / 10, end=100 + on, payment_id=f"p{on}") for on in range(40)))
        assert [known.payment_id for known in story.sub(5).grants] == [f"p{on}" for on in range(28, 40)]
        assert story.statuses(5, 138.9, 139) == [Status.ACTIVE, Status.ACTIVE, Status.GRACE]

    def test_the_current_one_is_never_evicted(self) -> None:
        longer = [paid(0, start=-1 - on, end=200 + on, payment_id=f"p{on}") for on in range(39)]
        story = after(*longer, paid(1, end=31, plan="premium"))
        assert current(story, 2) == ("premium", 31)
        assert {known.payment_id for known in story.sub(2).grants} == {None, *(f"p{on}" for on in range(28, 39))}

    @pytest.mark.parametrize(
        "others",
        [
            [paid(1.1, end=50, payment_id="gone"), report(PaymentOutcome.REFUNDED, 1.2, payment_id="gone")],
            [trial(0.5, ends=14, plan="premium"), paid(1.2, end=5, amount=0, payment_id="nothing")],
            [paid(1.1, start=1.5, end=40, payment_id="waits")],
        ],
        ids=["money went back", "nothing paid in a trial", "has not begun"],
    )
    def test_neither_is_it_for_one_that_starts_later_but_is_not_current(self, others: list[Event]) -> None:
        """Of all that cover, it ends first."""
        story = after(paid(1, end=4, plan="premium"), *others)
        longer = [paid(1.3, start=-1 - on, end=200 + on, payment_id=f"p{on}") for on in range(MAX_GRANTS)]
        assert "premium" in {known.plan for known in story.then(*longer).sub(1.4).grants}

    def test_those_that_stand_are_kept_before_those_that_do_not(self) -> None:
        gone = [paid(0, end=300 + on, payment_id=f"gone{on}") for on in range(6)]
        withdrawn = [report(PaymentOutcome.REFUNDED, 1, payment_id=f"gone{on}") for on in range(6)]
        stay = [paid(2, end=100 + on, payment_id=f"stay{on}") for on in range(12)]
        story = after(*gone, *withdrawn, *stay)
        assert {known.payment_id for known in story.sub(3).grants} == {f"stay{on}" for on in range(12)}

    def test_the_past_keeps_those_that_ended_last(self) -> None:
        story = after(*(paid(30 * month, payment_id=f"p{month}") for month in range(20)))
        assert [known.payment_id for known in story.sub(571).past] == [f"p{month}" for month in range(11, 19)]

    def test_the_past_keeps_its_order_whatever_the_order_of_the_reports(self) -> None:
        late = after(paid(0, end=20, payment_id="long"), paid(50, start=5, end=10, payment_id="short"))
        assert [known.payment_id for known in late.sub(50).past] == ["short", "long"]
        cut = after(paid(0, end=60, payment_id="b"), paid(1, start=-9, end=70, payment_id="a"), cancelled(5))
        assert [known.payment_id for known in cut.sub(5).past] == ["a", "b"]

    def test_take_none_of_12_that_wait(self) -> None:
        sub = after(*(paid(0, start=9, end=20 + on, payment_id=f"p{on}") for on in range(MAX_GRANTS))).sub(0)
        assert len(sub.grants) == MAX_GRANTS

    def test_hold_for_payments_of_which_none_has_begun(self) -> None:
        sub = after(*(paid(0, start=9, end=20 + on, payment_id=f"p{on}") for on in range(MAX_GRANTS + 1))).sub(0)
        assert {f"p{on}" for on in range(2, MAX_GRANTS + 1)} <= {known.payment_id for known in sub.grants}
        assert len(sub.grants) <= MAX_GRANTS

    @pytest.mark.parametrize(("length", "running", "over"), [(1, 1, 8), (10, 10, 8), (11, 11, 8), (60, 12, 0)])
    def test_hold_for_any_number_of_payments(self, length: int, running: int, over: int) -> None:
        many = [paid(on, end=on + length, payment_id=f"p{on}") for on in range(90)]
        sub = after(*many).sub(89)
        assert (len(sub.grants), len(sub.past)) == (running, over)
