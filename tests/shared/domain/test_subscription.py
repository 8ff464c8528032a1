"""Facts beside the status: the latest values that producers gave, never folded into the status."""

from shared.domain.events import Signal
from shared.domain.subscription import Pause, PlanChange, Status
from tests.support.story import (
    after,
    auto_renew_off,
    auto_renew_on,
    cancelled,
    day,
    paid,
    paused,
    signal,
    trial,
)


def test_a_trial_sets_plan_end_and_auto_renew() -> None:
    sub = after(trial(0, ends=14, plan="family", auto_renew=False)).sub(1)
    assert (sub.plan, sub.trial_ends_at, sub.auto_renew) == ("family", day(14), False)


def test_a_trial_start_while_live_only_sets_the_trial_end() -> None:
    sub = after(paid(0, plan="basic")).then(trial(1, ends=9, plan="family", auto_renew=False)).sub(2)
    assert (sub.plan, sub.trial_ends_at, sub.auto_renew) == ("basic", day(9), True)


def test_auto_renew_off_keeps_its_reason_until_it_is_on_again() -> None:
    story = after(paid(0), auto_renew_off(1, reason="price"))
    assert story.sub(2).auto_renew_reason == "price"
    assert story.then(auto_renew_on(3)).sub(4).auto_renew_reason is None


def test_scheduled_changes_are_shown() -> None:
    downgrade = signal(Signal.DOWNGRADE_SCHEDULED, 2, to_plan="mini", effective=20)
    sub = after(paid(0), paused(1, effective=10, resume=15), downgrade, cancelled(3, effective=25)).sub(4)
    assert sub.pause == Pause(day(10), day(15))
    assert sub.plan_change == PlanChange("mini", day(20))
    assert sub.cancel_at == day(25)


def test_a_pause_sets_the_time_of_its_end() -> None:
    assert after(paid(0), paused(1, effective=10, resume=15)).sub(11).resume_at == day(15)


def test_a_new_start_drops_everything_scheduled_before() -> None:
    sub = after(paid(0), paused(1), cancelled(2), paid(3)).sub(4)
    assert (sub.pause, sub.plan_change, sub.cancel_at) == (None, None, None)


def test_a_scheduled_cancellation_ends_with_the_subscription_it_was_meant_for() -> None:
    story = after(paid(0), auto_renew_off(1), cancelled(2, effective=80), paid(40))
    assert story.status(80) is Status.ON_HOLD


def test_signals_before_any_subscription_schedule_nothing() -> None:
    sub = after(
        paused(0), cancelled(0, effective=5), signal(Signal.DOWNGRADE_SCHEDULED, 0, to_plan="mini"), paid(1)
    ).sub(2)
    assert (sub.pause, sub.plan_change, sub.cancel_at) == (None, None, None)
