"""Deadlines: pauses, cancellations, plan changes and ends, and their order at one instant."""

import pytest

from shared.domain.deadlines import next_announced_change, next_change
from shared.domain.events import Event, Signal
from shared.domain.subscription import Status
from shared.domain.terms import Terms
from tests.support.story import (
    TERMS,
    Story,
    after,
    auto_renew_off,
    auto_renew_on,
    awaited,
    cancelled,
    day,
    failed,
    paid,
    paused,
    refunded,
    resumed,
    signal,
    trial,
)


def downgraded(on: float, effective: float | None = None, to_plan: str = "basic") -> Event:
    return signal(Signal.DOWNGRADE_SCHEDULED, on, effective=effective, to_plan=to_plan)


class TestAPause:
    def test_without_effective_at_falls_due_at_the_period_end(self) -> None:
        story = after(paid(0), paused(5))
        assert [story.status(on) for on in (29.9, 30)] == [Status.ACTIVE, Status.PAUSED]

    def test_falls_due_at_its_effective_at(self) -> None:
        assert after(paid(0), paused(5, effective=10)).status(10) is Status.PAUSED

    def test_falls_due_only_with_auto_renew_on(self) -> None:
        story = after(paid(0), paused(5, effective=10), auto_renew_off(6))
        assert [story.status(on) for on in (10, 30)] == [Status.ACTIVE, Status.EXPIRED]

    def test_falls_due_at_once_if_auto_renew_is_turned_on_too_late_for_it(self) -> None:
        story = after(paid(0), paused(5, effective=10), auto_renew_off(6), auto_renew_on(12))
        assert story.status(12) is Status.PAUSED

    def test_falls_due_only_while_active(self) -> None:
        trialing, in_grace = (
            after(trial(0), paused(5, effective=10)),
            after(paid(0), failed(30), paused(31, effective=32)),
        )
        assert trialing.status(10) is Status.TRIALING
        assert in_grace.status(32) is Status.GRACE

    def test_without_effective_at_moves_with_the_period(self) -> None:
        assert after(paid(0), paused(5), paid(29, start=30)).status(59.9) is Status.ACTIVE

    def test_whose_resumption_is_past_when_it_falls_due_ends_at_once(self) -> None:
        story = after(paid(0), paused(5, effective=30, resume=20))
        assert story.status(30) is Status.GRACE
        assert story.brought(30) == ["paused", "resumed"]

    def test_is_undone_by_resumed_before_it_falls_due(self) -> None:
        story = after(paid(0), paused(5), resumed(6))
        assert story.moments == []
        assert story.status(30) is Status.GRACE

    def test_gives_back_no_less_than_the_paid_time_that_was_left(self) -> None:
        story = after(paid(0, end=60), paused(5, effective=10, resume=20))
        assert story.sub(20).grace_until == day(60)


class TestACancellation:
    def test_that_lies_ahead_is_undone_by_auto_renew_on(self) -> None:
        assert after(paid(0), cancelled(1, effective=20), auto_renew_on(2)).status(21) is Status.ACTIVE

    def test_that_lies_ahead_is_undone_by_a_payment_beyond_it(self) -> None:
        assert after(paid(0), cancelled(1, effective=30), paid(29, start=30)).status(31) is Status.ACTIVE

    def test_that_lies_ahead_stands_against_a_payment_for_time_before_it(self) -> None:
        assert after(paid(0), cancelled(1, effective=70), paid(30)).status(70) is Status.EXPIRED


class TestAPlanChange:
    def test_falls_due_at_its_effective_at(self) -> None:
        story = after(paid(0, plan="premium"), downgraded(1, effective=10))
        assert [story.sub(on).plan for on in (9.9, 10)] == ["premium", "basic"]
        assert story.brought(10) == ["plan.changed"]

    def test_without_effective_at_falls_due_at_the_period_end(self) -> None:
        story = after(paid(0, plan="premium"), downgraded(1))
        assert [story.sub(on).plan for on in (29.9, 30)] == ["premium", "basic"]

    def test_in_a_trial_falls_due_at_the_trial_end(self) -> None:
        story = after(trial(0, ends=14, plan="premium"), downgraded(1))
        assert [story.sub(on).plan for on in (13.9, 14)] == ["premium", "basic"]

    def test_can_be_undone(self) -> None:
        story = after(paid(0, plan="premium"), downgraded(1), signal(Signal.PLAN_CHANGE_UNDONE, 2))
        assert story.sub(31).plan == "premium"

    def test_is_fulfilled_by_a_payment_for_its_plan(self) -> None:
        story = after(paid(0, plan="premium"), downgraded(1), paid(29, start=30, plan="basic"))
        assert story.sub(31).plan_change is None
        assert story.brought(31) == []

    def test_has_a_cause_of_its_own_each_time(self) -> None:
        """Two changes within one paid year are two moments."""
        story = after(paid(0, end=365, plan="premium"), downgraded(1, effective=10))
        first = story.history.at(day(11), TERMS)[1]
        second = story.then(downgraded(20, effective=30, to_plan="family")).history.at(day(31), TERMS)[1]
        assert {moment.cause for moment in first}.isdisjoint(moment.cause for moment in second)


class TestAtOneInstant:
    def test_events_precede_deadlines(self) -> None:
        story = after(paid(0), paid(30))
        assert story.status(30) is Status.ACTIVE
        assert story.moments == ["renewed"]

    def test_a_plan_change_goes_before_a_pause(self) -> None:
        assert after(paid(0, plan="premium"), downgraded(1), paused(2)).brought(30) == ["plan.changed", "paused"]

    def test_a_pause_goes_before_the_end(self) -> None:
        assert after(paid(0), paused(2)).status(30) is Status.PAUSED

    def test_a_pause_goes_before_a_cancellation(self) -> None:
        story = after(paid(0), paused(2, effective=20), cancelled(3, effective=20))
        assert story.brought(20) == ["paused", "expired"]

    def test_a_resumption_goes_before_a_cancellation(self) -> None:
        story = after(paid(0), paused(2, effective=10, resume=20), cancelled(3, effective=20))
        assert story.brought(20) == ["paused", "resumed", "expired"]

    def test_a_read_at_now_has_passed_the_deadlines_at_now(self) -> None:
        assert after(paid(0)).status(30) is Status.GRACE

    def test_two_events_go_by_their_identity_whichever_came_first(self) -> None:
        one, other = paid(0, plan="one", event_id="a"), paid(0, plan="other", event_id="b")
        assert after(one, other).sub(1).plan == after(other, one).sub(1).plan == "other"


@pytest.mark.parametrize(
    ("story", "on", "state"),
    [
        (after(paid(20, start=0, end=10)), 20, Status.GRACE),
        (after(paid(0), paused(1, effective=2), auto_renew_off(3), failed(31, start=30)), 31, Status.EXPIRED),
        (after(paid(0), failed(30, grace_until=29)), 30, Status.ON_HOLD),
        (after(paid(0), paused(1, effective=0.5)), 1, Status.PAUSED),
        (after(paid(0), cancelled(1, effective=0.5)), 1, Status.EXPIRED),
    ],
)
def test_a_deadline_already_past_when_its_state_begins_takes_effect_at_that_event(
    story: Story, on: float, state: Status
) -> None:
    assert story.status(on) is state
    assert story.sub(on).since == day(on)


def test_the_defaults_are_7_days_of_grace_60_of_hold_72_hours_and_5_minutes() -> None:
    terms = Terms()
    assert (terms.grace.days, terms.hold.days) == (7, 60)
    assert (terms.pending.total_seconds(), terms.clock_skew.total_seconds()) == (72 * 3600, 300)


class TestTheNextTick:
    """The deadline at which the clock must visit a user."""

    @pytest.mark.parametrize(
        ("story", "on", "announced"),
        [
            (Story(), 0, None),
            (after(paid(0), cancelled(1)), 1, None),
            (after(awaited(0)), 0, 3),
            (after(trial(0, ends=14)), 0, 21),
            (after(trial(0, ends=14, auto_renew=False)), 0, 14),
            (after(paid(0)), 0, 37),
            (after(paid(0), auto_renew_off(1)), 1, 30),
            (after(paid(0), paused(1)), 1, 30),
            (after(paid(0), failed(10, start=30, grace_until=50)), 10, 50),
            (after(paid(0), cancelled(1, effective=35)), 1, 35),
            (after(paid(0), failed(30)), 30, 37),
            (after(paid(0)), 37, 97),
            (after(paid(0), refunded(1, start=0)), 1, None),
        ],
    )
    def test_entering_grace_is_not_announced_and_every_other_deadline_is(
        self, story: Story, on: float, announced: float | None
    ) -> None:
        assert next_announced_change(story.sub(on), TERMS) == (None if announced is None else day(announced))

    @pytest.mark.parametrize(
        ("story", "on", "changes"),
        [(after(paid(0)), 0, 30), (Story(), 0, None), (after(paid(0), refunded(1, start=0)), 1, None)],
    )
    def test_the_next_change_is_the_next_deadline(self, story: Story, on: float, changes: float | None) -> None:
        assert next_change(story.sub(on), TERMS) == (None if changes is None else day(changes))
