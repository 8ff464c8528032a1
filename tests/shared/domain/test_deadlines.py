"""Deadlines: pauses, cancellations, plan changes and ends, what overtakes them, and their order at one instant."""

import pytest
from hypothesis import given, settings

from shared.domain.deadlines import advance, next_announced_change, next_deadline
from shared.domain.events import Event, Signal
from shared.domain.subscription import Status, Subscription
from shared.domain.terms import Terms
from tests.support.histories import histories, in_order
from tests.support.story import (
    TERMS,
    Story,
    after,
    auto_renew_off,
    auto_renew_on,
    awaited,
    cancelled,
    course,
    day,
    downgraded,
    extended,
    failed,
    paid,
    paused,
    plan_change_scheduled,
    plan_changed,
    refunded,
    resumed,
    signal,
    trial,
)


class TestAPause:
    def test_without_effective_at_falls_due_at_the_period_end(self) -> None:
        story = after(paid(0), paused(5))
        assert story.statuses(29.9, 30) == [Status.ACTIVE, Status.PAUSED]

    def test_without_effective_at_falls_due_at_the_trial_end(self) -> None:
        story = after(trial(0, ends=14), paused(5))
        assert story.statuses(13.9, 14) == [Status.TRIALING, Status.PAUSED]

    def test_falls_due_at_its_effective_at(self) -> None:
        assert after(paid(0), paused(5, effective=10)).status(10) is Status.PAUSED

    def test_asked_with_auto_renew_off_falls_due_and_ends_with_the_period(self) -> None:
        story = after(paid(0), paused(5, effective=10), auto_renew_off(6))
        assert story.statuses(9.9, 10, 29.9, 30) == [
            Status.ACTIVE,
            Status.PAUSED,
            Status.PAUSED,
            Status.EXPIRED,
        ]

    def test_goes_on_beyond_the_period_if_auto_renew_is_turned_on_in_it(self) -> None:
        story = after(paid(0), paused(5, effective=10), auto_renew_off(6), auto_renew_on(12))
        assert story.statuses(12, 100) == [Status.PAUSED, Status.PAUSED]

    def test_without_effective_at_begins_no_more_where_nothing_covers_and_nothing_renews(self) -> None:
        story = after(paid(0), auto_renew_off(2), paused(5))
        assert story.status(30) is Status.EXPIRED
        assert story.brought(30) == ["expired"]

    def test_falls_due_while_trialing_and_in_grace_as_while_active(self) -> None:
        trialing = after(trial(0), paused(5, effective=10))
        in_grace = after(paid(0), failed(30), paused(31, effective=32))
        assert trialing.status(10) is Status.PAUSED
        assert in_grace.status(32) is Status.PAUSED

    def test_does_not_fall_due_on_hold(self) -> None:
        story = after(paid(0), paused(31, effective=40))
        assert story.statuses(39.9, 40, 41) == [Status.ON_HOLD] * 3
        assert story.then(paid(45)).status(46) is Status.ACTIVE

    def test_that_begins_at_once_begins_at_once(self) -> None:
        story = after(paid(0), paused(5, effective=5))
        assert story.status(5) is Status.PAUSED
        assert story.moments == ["paused"]

    def test_whose_resumption_is_past_when_it_falls_due_ends_at_once(self) -> None:
        story = after(paid(0), paused(5, effective=30, resume=20))
        assert story.status(30) is Status.GRACE

    def test_is_undone_by_resumed_before_it_falls_due(self) -> None:
        story = after(paid(0), paused(5), resumed(6))
        assert story.moments == []
        assert story.status(30) is Status.GRACE

    @pytest.mark.parametrize("asked", [paused(5), paused(5, effective=10), paused(5, effective=30)])
    def test_is_dropped_by_a_later_payment_for_a_period_beyond_it(self, asked: Event) -> None:
        life = [paid(0), asked, paid(9, start=30)]
        assert course(life, 10, 29.9, 30, 59.9, 60, 67) == [
            Status.ACTIVE,
            Status.ACTIVE,
            Status.ACTIVE,
            Status.ACTIVE,
            Status.GRACE,
            Status.ON_HOLD,
        ]

    def test_stands_against_a_payment_for_time_before_it(self) -> None:
        story = after(paid(0), paused(5, effective=70), paid(30), paid(60, end=65))
        assert story.statuses(69.9, 70) == [Status.GRACE, Status.PAUSED]

    def test_asked_after_the_payment_for_the_next_period_stands(self) -> None:
        story = after(paid(0), paid(28, start=30), paused(29, effective=29.5))
        assert story.statuses(29.4, 29.5, 30, 60) == [
            Status.ACTIVE,
            Status.PAUSED,
            Status.PAUSED,
            Status.PAUSED,
        ]

    @pytest.mark.parametrize("asked", [paused(5), paused(5, effective=30)])
    def test_does_not_begin_at_the_instant_of_a_payment(self, asked: Event) -> None:
        assert after(paid(0), asked, paid(30)).statuses(30, 59.9) == [Status.ACTIVE, Status.ACTIVE]

    def test_is_ended_by_a_payment_when_its_period_begins(self) -> None:
        story = after(paid(0), paused(5, effective=10), paid(20, start=30))
        assert story.statuses(20, 29.9, 30, 59.9) == [
            Status.PAUSED,
            Status.PAUSED,
            Status.ACTIVE,
            Status.ACTIVE,
        ]

    def test_gives_back_what_is_left_of_the_paid_time(self) -> None:
        story = after(paid(0, end=60), paused(5, effective=10, resume=20))
        assert story.statuses(10, 20, 59.9, 60, 67) == [
            Status.PAUSED,
            Status.ACTIVE,
            Status.ACTIVE,
            Status.GRACE,
            Status.ON_HOLD,
        ]

    def test_in_grace_gives_a_fresh_grace_back(self) -> None:
        story = after(paid(0), paused(31, effective=33, resume=35))
        assert story.statuses(32, 33, 35, 41.9, 42) == [
            Status.GRACE,
            Status.PAUSED,
            Status.GRACE,
            Status.GRACE,
            Status.ON_HOLD,
        ]

    def test_that_could_not_go_on_is_over_for_good(self) -> None:
        story = after(paid(0), paused(1, effective=10), auto_renew_off(40), auto_renew_on(41), paid(42))
        assert story.statuses(42, 71.9, 72) == [Status.ACTIVE, Status.ACTIVE, Status.GRACE]


class TestACancellation:
    def test_that_lies_ahead_is_undone_by_auto_renew_on(self) -> None:
        assert after(paid(0), cancelled(1, effective=20), auto_renew_on(2)).status(21) is Status.ACTIVE

    @pytest.mark.parametrize("paid_on", [29, 30])
    def test_that_lies_ahead_is_undone_by_a_payment_beyond_it(self, paid_on: int) -> None:
        story = after(paid(0), cancelled(1, effective=30), paid(paid_on, start=30))
        assert story.statuses(31, 59.9, 60) == [Status.ACTIVE, Status.ACTIVE, Status.GRACE]

    def test_that_lies_ahead_stands_against_a_payment_for_time_before_it(self) -> None:
        assert after(paid(0), cancelled(1, effective=70), paid(30)).status(70) is Status.EXPIRED

    def test_said_after_the_payment_for_the_next_period_stands(self) -> None:
        assert after(paid(0), paid(20, start=30), cancelled(21, effective=30)).status(30) is Status.EXPIRED

    def test_of_a_commitment_takes_effect_when_that_ends(self) -> None:
        """A yearly plan paid monthly: each month is paid, and the cancellation waits for the end of the year."""
        story = after(paid(0), cancelled(10, effective=360), *(paid(30 * month) for month in range(1, 12)))
        assert story.statuses(359.9, 360) == [Status.ACTIVE, Status.EXPIRED]


class TestAPlanChange:
    @pytest.mark.parametrize(
        "kind", [Signal.DOWNGRADE_SCHEDULED, Signal.PLAN_CHANGE_SCHEDULED, Signal.PLAN_CHANGED]
    )
    def test_falls_due_at_its_effective_at(self, kind: Signal) -> None:
        story = after(paid(0, plan="premium"), signal(kind, 1, effective=10, to_plan="basic"))
        assert story.plans(9.9, 10) == ["premium", "basic"]
        assert story.brought(10) == ["plan.changed"]

    @pytest.mark.parametrize("scheduled", [downgraded(1, "basic"), plan_change_scheduled(1, "basic")])
    def test_without_effective_at_falls_due_at_the_period_end(self, scheduled: Event) -> None:
        story = after(paid(0, plan="premium"), scheduled)
        assert story.plans(29.9, 30) == ["premium", "basic"]

    def test_that_has_happened_without_effective_at_happens_at_once(self) -> None:
        story = after(paid(0, plan="premium"), plan_changed(1, "basic"))
        assert story.sub(1).plan == "basic"
        assert story.moments == ["plan.changed"]
        assert (story.status(1), story.sub(1).period_end) == (Status.ACTIVE, day(30))

    def test_in_a_trial_falls_due_at_the_trial_end(self) -> None:
        story = after(trial(0, ends=14, plan="premium"), downgraded(1, "basic"))
        assert story.plans(13.9, 14) == ["premium", "basic"]

    def test_can_be_undone(self) -> None:
        story = after(paid(0, plan="premium"), downgraded(1, "basic"), signal(Signal.PLAN_CHANGE_UNDONE, 2))
        assert story.sub(31).plan == "premium"

    @pytest.mark.parametrize("scheduled", [{"effective": 10}, {}])
    def test_to_the_present_plan_is_no_change(self, scheduled: dict[str, float]) -> None:
        story = after(paid(0, plan="basic"), signal(Signal.PLAN_CHANGE_SCHEDULED, 1, to_plan="basic", **scheduled))
        assert story.plans(9.9, 10, 30) == ["basic"] * 3
        assert [kind for kind in story.brought(31) if kind == "plan.changed"] == []

    def test_without_a_plan_says_nothing(self) -> None:
        story = after(paid(0, plan="premium"), signal(Signal.PLAN_CHANGED, 1))
        assert (story.sub(2).plan, story.sub(2).plan_change) == ("premium", None)

    def test_takes_the_place_of_the_one_before(self) -> None:
        story = after(paid(0, plan="premium"), downgraded(1, "basic"), downgraded(2, "mini"))
        assert story.sub(30).plan == "mini"
        assert story.brought(30) == ["plan.changed"]

    def test_is_fulfilled_by_a_payment_for_its_plan(self) -> None:
        story = after(paid(0, plan="premium"), downgraded(1, "basic"), paid(29, start=30, plan="basic"))
        assert story.sub(29).plan_change is None
        assert story.plans(29.9, 30, 59.9) == ["premium", "basic", "basic"]
        assert story.brought(31) == ["plan.changed"]

    def test_is_overtaken_by_a_payment_for_yet_another_plan(self) -> None:
        story = after(paid(0, plan="premium"), downgraded(1, "basic"), paid(5, end=35, plan="max"))
        assert story.plans(5, 30, 34.9) == ["max", "max", "max"]

    def test_is_kept_by_a_payment_for_the_plan_before_it(self) -> None:
        story = after(paid(0, plan="premium"), downgraded(1, "basic", effective=45), paid(30, plan="premium"))
        assert story.plans(44.9, 45) == ["premium", "basic"]

    @pytest.mark.parametrize("scheduled", [downgraded(1, "basic"), downgraded(1, "basic", effective=30)])
    def test_does_not_strike_at_the_instant_of_a_payment(self, scheduled: Event) -> None:
        story = after(paid(0, plan="premium"), scheduled, paid(30, plan="premium"))
        assert story.plans(30, 59.9) == ["premium", "premium"]

    def test_that_has_happened_gives_way_to_a_payment_for_the_old_plan(self) -> None:
        story = after(paid(0, plan="basic"), plan_changed(5, "premium"), paid(30, plan="basic"))
        assert story.sub(30).plan == "basic"
        assert story.moments == ["renewed", "plan.changed"]

    def test_asked_in_grace_waits_for_the_period_that_follows_the_recovery(self) -> None:
        story = after(
            paid(0, plan="premium"), failed(30, plan="premium"), downgraded(32, "basic"),
            paid(33, start=30, plan="premium"),
        )  # fmt: skip
        assert story.plans(33, 59.9, 60) == ["premium", "premium", "basic"]

    def test_asked_in_grace_with_an_effective_at_takes_effect_then(self) -> None:
        story = after(paid(0, plan="premium"), downgraded(32, "basic", effective=34))
        assert story.plans(33.9, 34) == ["premium", "basic"]

    def test_has_a_cause_of_its_own_each_time(self) -> None:
        """Two changes within one paid year are two moments."""
        story = after(paid(0, end=365, plan="premium"), downgraded(1, "basic", effective=10))
        first = story.history.at(day(11), TERMS)[1]
        second = story.then(downgraded(20, "family", effective=30)).history.at(day(31), TERMS)[1]
        assert first
        assert {moment.cause for moment in first}.isdisjoint(moment.cause for moment in second)


class TestAtOneInstant:
    def test_events_precede_deadlines(self) -> None:
        story = after(paid(0), paid(30))
        assert story.status(30) is Status.ACTIVE
        assert story.moments == ["renewed"]

    def test_what_ends_at_the_instant_of_an_event_has_ended(self) -> None:
        story = after(paid(0), auto_renew_off(1)).then(auto_renew_on(30))
        assert story.status(30) is Status.GRACE

    def test_a_plan_change_goes_with_a_pause(self) -> None:
        story = after(paid(0, plan="premium"), downgraded(1, "basic"), paused(2))
        assert set(story.brought(30)) == {"plan.changed", "paused"}
        assert (story.status(30), story.sub(30).plan) == (Status.PAUSED, "basic")

    def test_a_pause_goes_before_the_end(self) -> None:
        assert after(paid(0), paused(2)).status(30) is Status.PAUSED

    def test_a_cancellation_leaves_nothing_to_pause(self) -> None:
        story = after(paid(0), paused(2, effective=20), cancelled(3, effective=20))
        assert story.brought(20) == ["expired"]
        assert story.status(20) is Status.EXPIRED

    def test_a_cancellation_ends_a_pause_that_would_be_resumed(self) -> None:
        story = after(paid(0), paused(2, effective=10, resume=20), cancelled(3, effective=20))
        assert story.brought(20) == ["paused", "expired"]

    def test_a_read_at_now_has_passed_the_deadlines_at_now(self) -> None:
        assert after(paid(0)).status(30) is Status.GRACE

    def test_two_events_go_by_their_content_whichever_came_first(self) -> None:
        one, other = paid(0, plan="one", event_id="b"), paid(0, plan="other", event_id="a")
        assert after(one, other).sub(1).plan == after(other, one).sub(1).plan == "other"

    def test_two_events_of_one_content_go_by_their_identity_whichever_came_first(self) -> None:
        one = paid(0, payment_id="p1", event_id="a")
        other = paid(0, payment_id="p2", event_id="b")
        assert after(one, other).sub(1) == after(other, one).sub(1)


@pytest.mark.parametrize(
    ("story", "on", "state"),
    [
        (after(paid(20, start=0, end=10)), 20, Status.EXPIRED),
        (after(paid(0), paused(1, effective=2), auto_renew_off(40)), 40, Status.EXPIRED),
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
            (after(awaited(0, grace_until=9)), 0, 9),
            (after(trial(0, ends=14)), 0, 21),
            (after(trial(0, ends=14, auto_renew=False)), 0, 14),
            (after(paid(0)), 0, 37),
            (after(paid(0, auto_renew=False)), 0, 30),
            (after(paid(0), auto_renew_off(1)), 1, 30),
            (after(paid(0), paused(1)), 1, 30),
            (after(paid(0), failed(10, start=30, grace_until=50)), 10, 50),
            (after(paid(0), cancelled(1, effective=35)), 1, 35),
            (after(paid(0), failed(30)), 30, 37),
            (after(paid(0)), 37, 97),
            (after(paid(0), refunded(1, start=0)), 1, 30),
            (after(paid(0, start=5)), 0, 5),
            (after(paid(0), paid(1, start=30)), 1, 30),
            (after(paid(0), trial(5, ends=40)), 5, 30),
            (after(paid(0), extended(5, end=50)), 5, 57),
            (after(paid(0, end=365, plan="annual"), paid(10, plan="monthly")), 10, 47),
            (after(paid(0, end=365, plan="annual"), paid(10, plan="monthly")), 41, 47),
            (after(paid(0, plan="premium"), downgraded(1, "basic")), 1, 30),
        ],
    )
    def test_entering_grace_is_not_announced_and_every_other_deadline_is(
        self, story: Story, on: float, announced: float | None
    ) -> None:
        assert next_announced_change(story.sub(on), TERMS) == (None if announced is None else day(announced))

    @pytest.mark.parametrize(
        ("story", "on", "due"),
        [
            (after(paid(0)), 0, 30),
            (Story(), 0, None),
            (after(paid(0), refunded(1, start=0)), 1, 30),
            (after(paid(0), paused(1, effective=5, resume=9)), 1, 5),
            (after(paid(0), paused(1, effective=5, resume=9)), 5, 9),
            (after(paid(0), paid(1, start=40)), 30, 37),
        ],
    )
    def test_the_next_deadline_is_the_next_instant_at_which_something_is_due(
        self, story: Story, on: float, due: float | None
    ) -> None:
        assert next_deadline(story.sub(on), TERMS) == (None if due is None else day(due))

    @pytest.mark.parametrize(
        "story", [after(paid(0), cancelled(1)), after(trial(0), cancelled(1)), after(awaited(0))]
    )
    def test_who_has_expired_is_visited_no_more(self, story: Story) -> None:
        assert next_announced_change(story.sub(90), TERMS) is None


@settings(max_examples=30)
@given(histories(only_main=True))
def test_until_the_announced_change_nothing_shows_but_grace_and_then_something_does(events: list[Event]) -> None:
    story = after(*in_order(events))
    sub = story.history.head.best
    at = next_announced_change(sub, TERMS)
    seen = shown(sub)
    for instant in sorted({sub.as_of, *(day(half / 2) for half in range(800))}):
        if sub.as_of <= instant and (at is None or instant < at):
            now = shown(advance(sub, instant, TERMS).subscription)
            assert now in (seen, ("grace", *seen[1:]))
    if at is not None:
        assert shown(advance(sub, at, TERMS).subscription) != seen


def shown(sub: Subscription) -> tuple[object, ...]:
    """The facts of a subscription that consumers are told: its status, plan and period."""
    return sub.status, sub.plan, sub.current
