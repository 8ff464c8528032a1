"""Payments: what each grants, which of several is current, renewal and failure, and cancelled time."""

import pytest

from shared.domain.events import Event, PaymentOutcome
from shared.domain.instants import END_OF_TIME
from shared.domain.subscription import Status
from tests.support.story import (
    TERMS,
    Story,
    after,
    auto_renew_off,
    awaited,
    cancelled,
    day,
    failed,
    paid,
    paused,
    payment,
    refunded,
    resumed,
    trial,
)


class TestASuccess:
    def test_sets_plan_and_period(self) -> None:
        sub = after(paid(0, end=30, plan="family")).sub(1)
        assert (sub.plan, sub.period_start, sub.period_end) == ("family", day(0), day(30))

    def test_for_a_later_period_shows_when_that_begins(self) -> None:
        story = after(paid(0), paid(1, start=30, plan="family"))
        assert story.plans(2, 29.9, 30) == ["basic", "basic", "family"]
        assert [story.sub(on).period_end for on in (29.9, 30)] == [day(30), day(60)]
        assert story.brought(30) == ["plan.changed"]

    def test_gives_access_from_its_period_start_on(self) -> None:
        story = after(paid(0, start=5))
        assert [story.entitled(on) for on in (0, 4.9, 5)] == [False, False, True]
        assert story.moments == []
        assert story.brought(5) == ["activated"]

    def test_for_an_earlier_period_is_a_fact(self) -> None:
        story = after(paid(30), paid(31, start=0, plan="family"))
        assert (story.sub(32).plan, story.sub(32).period_start) == ("basic", day(30))
        assert story.sub(32).last_paid_at == day(31)
        assert story.moments == []

    def test_for_a_time_gone_by_does_not_end_expired(self) -> None:
        story = after(paid(30), cancelled(31), paid(40, start=0, end=35))
        assert story.status(41) is Status.EXPIRED
        assert story.moments == []
        assert story.sub(41).last_paid_at == day(40)

    def test_the_later_of_two_events_for_one_period_wins(self) -> None:
        sub = after(paid(0, plan="basic"), paid(1, start=0, end=365, plan="annual")).sub(2)
        assert (sub.plan, sub.period_end) == ("annual", day(365))

    @pytest.mark.parametrize(
        "before", [(), (awaited(0),), (paid(0), cancelled(1)), (paid(0), refunded(1, start=0))]
    )
    def test_from_none_pending_expired_or_revoked_turns_auto_renew_on(self, before: tuple[Event, ...]) -> None:
        story = after(*before, auto_renew_off(2), paid(2.5))
        assert story.sub(3).auto_renew
        assert story.sub(3).auto_renew_reason is None

    def test_that_pays_again_for_what_was_refunded_comes_from_revoked(self) -> None:
        story = after(paid(0), refunded(1, start=0), auto_renew_off(2), paid(3, start=0))
        assert story.sub(4).auto_renew
        assert story.moments == ["activated"]

    @pytest.mark.parametrize("before", [(trial(0),), (paid(0),), (paid(0), failed(30))])
    def test_from_any_other_status_leaves_auto_renew(self, before: tuple[Event, ...]) -> None:
        story = after(*before, auto_renew_off(31 if len(before) > 1 else 2), paid(32 if len(before) > 1 else 3))
        assert not story.sub(33).auto_renew

    def test_for_a_period_that_was_over_when_it_was_paid_gives_no_access_and_no_grace(self) -> None:
        story = after(paid(40, start=0, end=30))
        assert story.status(40) is Status.EXPIRED
        assert story.moments == []
        assert story.sub(40).first_paid_at == day(40)

    def test_after_a_period_that_expired_before_it_began_is_no_earlier_one(self) -> None:
        """The next period is charged a day ahead, the subscription is cancelled, and the user comes back."""
        story = after(paid(0), paid(29, start=30), cancelled(29.1), paid(29.2))
        assert story.status(30) is Status.ACTIVE

    def test_first_and_last_paid_are_the_first_and_the_last(self) -> None:
        sub = after(paid(0), paid(30)).sub(31)
        assert (sub.first_paid_at, sub.last_paid_at) == (day(0), day(30))

    def test_of_amount_0_is_no_payment_of_money(self) -> None:
        assert after(paid(0, amount=0)).sub(1).first_paid_at is None


class TestAZeroFirstInvoice:
    """Billing systems send an invoice of amount 0 when a trial starts."""

    def test_that_ends_within_the_trial_does_not_convert_it(self) -> None:
        story = after(trial(0, ends=14), paid(0.1, start=0, end=14, amount=0))
        assert story.status(1) is Status.TRIALING
        assert story.moments == []
        assert story.status(14) is Status.GRACE

    def test_ranks_below_the_trial_which_gives_the_plan(self) -> None:
        sub = after(trial(0, ends=14), paid(0.1, start=0, end=14, amount=0, plan="family")).sub(1)
        assert (sub.plan, sub.period_end) == ("basic", None)

    def test_neither_keeps_the_trial_from_converting_nor_brings_it_back(self) -> None:
        story = after(trial(0, ends=14), paid(0.1, start=0, end=14, amount=0), paid(5))
        assert story.moments == ["trial.converted"]
        assert story.then(refunded(6, start=5)).status(7) is Status.REVOKED

    def test_that_ends_after_the_trial_converts_it(self) -> None:
        assert after(trial(0, ends=14), paid(1, end=31, amount=0)).status(1) is Status.ACTIVE

    def test_above_0_converts_the_trial(self) -> None:
        assert after(trial(0, ends=14), paid(1, end=14, amount=1)).status(1) is Status.ACTIVE

    @pytest.mark.parametrize("invoiced", [-0.001, 0, 0.001])
    def test_just_before_with_or_just_after_the_trial_start_gives_the_same_trial(self, invoiced: float) -> None:
        events = [trial(0, ends=14, auto_renew=False), paid(invoiced, start=0, end=14, amount=0)]
        story = after(*sorted(events, key=lambda event: event.occurred_at))
        assert [story.status(on) for on in (1, 13.9, 14)] == [Status.TRIALING, Status.TRIALING, Status.EXPIRED]
        assert not story.sub(1).auto_renew

    def test_before_the_trial_start_lets_the_trial_start(self) -> None:
        story = after(paid(0, end=14, amount=0), trial(0.1, ends=14))
        assert story.moments == ["trial.started"]

    def test_before_the_trial_start_is_no_paid_time_of_its_own(self) -> None:
        story = after(paid(0, end=14, amount=0), trial(0.1, ends=14), refunded(1, start=0))
        assert story.status(2) is Status.TRIALING

    @pytest.mark.parametrize("period", [{"end": 14, "amount": 999}, {"end": 15, "amount": 0}])
    def test_a_trial_takes_no_period_that_was_paid_or_outlasts_it(self, period: dict[str, int]) -> None:
        assert after(paid(0, **period), trial(1, ends=14)).status(2) is Status.ACTIVE


class TestAFailure:
    def test_for_a_period_already_paid_changes_nothing(self) -> None:
        before = after(paid(0), paid(30))
        story = before.then(failed(31, start=30, final=True))
        assert story.sub(32) == before.sub(32)._replace(as_of=day(31))
        assert story.moments == []

    def test_for_an_earlier_period_changes_nothing(self) -> None:
        before = after(paid(30))
        assert before.then(failed(31, start=0, final=True)).sub(32) == before.sub(32)._replace(as_of=day(31))

    @pytest.mark.parametrize("final", [False, True])
    def test_takes_no_paid_time(self, final: bool) -> None:
        story = after(paid(0), failed(20, start=30, final=final, grace_until=21))
        assert [story.entitled(on) for on in (20, 29.9)] == [True, True]

    @pytest.mark.parametrize("final", [False, True])
    def test_takes_no_trial_time(self, final: bool) -> None:
        story = after(trial(0, ends=14), failed(10, start=14, final=final, grace_until=11))
        assert [story.entitled(on) for on in (10, 13.9)] == [True, True]

    def test_that_is_final_expires_where_no_time_remains(self) -> None:
        assert after(paid(0), failed(30, final=True)).status(30) is Status.EXPIRED
        assert after(paid(0), failed(30), failed(33, start=30, final=True)).status(33) is Status.EXPIRED

    def test_that_is_final_while_time_remains_turns_auto_renew_off(self) -> None:
        story = after(paid(0), failed(20, start=30, final=True))
        assert (story.sub(21).auto_renew, story.sub(21).auto_renew_reason) == (False, "billing")
        assert [story.status(on) for on in (29.9, 30)] == [Status.ACTIVE, Status.EXPIRED]

    def test_of_an_old_subscription_takes_nothing_of_a_later_life(self) -> None:
        story = after(paid(0), cancelled(1), paid(40), failed(41, start=30, final=True))
        assert story.status(42) is Status.ACTIVE


class TestGrace:
    def test_lasts_7_days_where_the_event_gives_no_end(self) -> None:
        assert after(paid(0), failed(30)).sub(30).grace_until == day(37)
        assert after(paid(0)).sub(31).grace_until == day(37)

    def test_lasts_as_long_as_the_event_says(self) -> None:
        story = after(paid(0), failed(30, grace_until=46))
        assert [story.status(on) for on in (45.9, 46)] == [Status.GRACE, Status.ON_HOLD]

    def test_lasts_as_long_as_a_failure_before_the_period_end_says(self) -> None:
        story = after(paid(0), failed(29, start=30, grace_until=33))
        assert [story.status(on) for on in (29.9, 30, 32.9, 33)] == [
            Status.ACTIVE,
            Status.GRACE,
            Status.GRACE,
            Status.ON_HOLD,
        ]

    def test_ends_no_earlier_than_the_period(self) -> None:
        story = after(paid(0), failed(20, start=30, grace_until=25))
        assert story.sub(20).grace_until == day(30)

    def test_ends_no_earlier_than_the_trial(self) -> None:
        assert after(trial(0, ends=14), failed(2, start=14, grace_until=3)).sub(2).grace_until == day(14)

    def test_is_left_for_a_trial_that_is_extended_in_it_and_has_its_own_grace(self) -> None:
        story = after(trial(0, ends=14), trial(15, ends=40))
        assert story.statuses(15, 39.9, 40, 47) == [
            Status.TRIALING,
            Status.TRIALING,
            Status.GRACE,
            Status.ON_HOLD,
        ]

    def test_that_is_past_when_it_begins_leads_on_to_hold(self) -> None:
        assert after(paid(0), failed(30, grace_until=29)).status(30) is Status.ON_HOLD

    def test_is_prolonged_by_a_retry_that_says_so(self) -> None:
        assert after(paid(0), failed(30), failed(33, start=30, grace_until=50)).status(49) is Status.GRACE

    def test_of_one_period_does_not_shorten_that_of_the_next(self) -> None:
        story = after(paid(0), failed(30, grace_until=31), paid(30.5, start=30), failed(60))
        assert story.sub(60).grace_until == day(67)

    def test_after_a_pause_is_not_cut_short_by_a_failure_during_the_pause(self) -> None:
        story = after(paid(0), paused(1, effective=10), failed(20, start=30, grace_until=25), resumed(40))
        assert [story.status(on) for on in (46.9, 47)] == [Status.GRACE, Status.ON_HOLD]

    def test_entered_by_time_is_silent(self) -> None:
        assert after(paid(0)).brought(31) == []
        assert after(trial(0)).brought(15) == []


def test_a_pending_payment_that_expires_after_another_life_takes_nothing_that_was_paid() -> None:
    story = after(paid(0), cancelled(1), awaited(2), paid(3))
    assert [story.status(on) for on in (6, 32.9)] == [Status.ACTIVE, Status.ACTIVE]


@pytest.mark.parametrize("outcome", list(PaymentOutcome))
@pytest.mark.parametrize("before", [Story(), after(paid(0)), after(trial(0))])
def test_a_period_may_end_at_the_end_of_the_calendar(before: Story, outcome: PaymentOutcome) -> None:
    report = payment(outcome, 1, final=True, grace_until=2)
    lifetime = report._replace(fact=report.fact._replace(period_end=END_OF_TIME))
    assert before.then(lifetime).history.at(END_OF_TIME, TERMS)[0].best.status in Status
