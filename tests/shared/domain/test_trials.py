"""Trials: one is kept, whatever the status; it waits behind paid time, and a payment converts one that runs."""

import pytest

from shared.domain.subscription import Status
from tests.support.story import (
    Story,
    after,
    auto_renew_off,
    awaited,
    cancelled,
    course,
    day,
    failed,
    failed_next,
    paid,
    paused,
    refunded,
    trial,
)

BEFORE = {
    "pending": (after(awaited(0)), 1),
    "trialing": (after(trial(0, ends=9)), 1),
    "grace": (after(paid(0), failed(30)), 31),
    "on hold": (after(paid(0), failed(30, grace_until=31)), 32),
    "paused": (after(paid(0), paused(1, effective=30)), 31),
    "expired": (after(paid(0), cancelled(1)), 2),
    "revoked": (after(paid(0), refunded(1, start=0)), 2),
    "none": (Story(), 1),
}


@pytest.mark.parametrize(("story", "on"), BEFORE.values(), ids=BEFORE)
def test_a_trial_runs_from_its_start_to_its_end_whatever_was_before(story: Story, on: float) -> None:
    started = story.then(trial(on, ends=on + 20))
    assert started.statuses(on, on + 19.9, on + 20) == [Status.TRIALING, Status.TRIALING, Status.GRACE]
    assert started.sub(on).trial_ends_at == day(on + 20)


@pytest.mark.parametrize(
    ("status", "moments"), [(name, [] if name == "trialing" else ["trial.started"]) for name in BEFORE]
)
def test_a_trial_that_begins_brings_its_moment(status: str, moments: list[str]) -> None:
    story, on = BEFORE[status]
    told = story.then(trial(on, ends=on + 20)).last
    assert [moment.kind for moment in told if moment.at == day(on)] == moments


class TestALaterTrialStart:
    def test_replaces_the_one_that_runs_also_by_a_shorter_one(self) -> None:
        assert after(trial(0, ends=20), trial(5, ends=40)).statuses(39.9, 40) == [Status.TRIALING, Status.GRACE]
        assert after(trial(0, ends=20), trial(5, ends=10)).statuses(9.9, 10) == [Status.TRIALING, Status.GRACE]

    def test_replaces_the_one_that_waits(self) -> None:
        story = after(paid(0), trial(5, ends=60), trial(6, ends=40, plan="max"))
        assert story.statuses(30, 39.9, 40) == [Status.TRIALING, Status.TRIALING, Status.GRACE]
        assert story.sub(31).plan == "max"

    def test_says_anew_if_it_renews(self) -> None:
        assert after(trial(0, ends=9, auto_renew=False), trial(5, ends=20)).status(20) is Status.GRACE
        assert after(trial(0, ends=9), trial(5, ends=20, auto_renew=False)).status(20) is Status.EXPIRED

    def test_that_says_nothing_of_renewal_leaves_what_the_user_said(self) -> None:
        story = after(trial(0, ends=9), auto_renew_off(3), trial(5, ends=20))
        assert story.status(20) is Status.EXPIRED

    def test_that_says_it_renews_overrides_what_was_said_before(self) -> None:
        story = after(trial(0, ends=9), auto_renew_off(3), trial(5, ends=20, auto_renew=True))
        assert story.status(20) is Status.GRACE

    def test_ends_a_failure_and_the_grace_that_was_told(self) -> None:
        story = after(paid(0), failed(30, grace_until=60), trial(31, ends=40))
        assert not story.sub(32).failing
        assert story.statuses(40, 46.9, 47) == [Status.GRACE, Status.GRACE, Status.ON_HOLD]


class TestBehindPaidTime:
    def test_it_waits_and_then_runs_until_its_end(self) -> None:
        story = after(paid(0), trial(5, ends=40))
        assert story.statuses(5, 29.9, 30, 39.9, 40) == [
            Status.ACTIVE,
            Status.ACTIVE,
            Status.TRIALING,
            Status.TRIALING,
            Status.GRACE,
        ]

    def test_it_is_never_seen_if_paid_time_outlasts_it(self) -> None:
        story = after(paid(0), trial(5, ends=20))
        assert story.statuses(20, 29.9, 30) == [Status.ACTIVE, Status.ACTIVE, Status.GRACE]
        assert story.brought(36) == []

    def test_it_runs_at_once_if_the_paid_time_is_refunded(self) -> None:
        story = after(paid(0), trial(5, ends=40), refunded(10, start=0))
        assert story.statuses(10, 39.9) == [Status.TRIALING, Status.TRIALING]

    def test_a_cancellation_cuts_it_too(self) -> None:
        story = after(paid(0), trial(5, ends=40), cancelled(10))
        assert story.statuses(10, 30) == [Status.EXPIRED, Status.EXPIRED]

    def test_the_renewal_of_the_paid_time_leaves_nothing_of_it(self) -> None:
        story = after(paid(0), trial(5, ends=40), paid(30))
        assert story.statuses(30, 59.9, 60) == [Status.ACTIVE, Status.ACTIVE, Status.GRACE]

    def test_a_renewal_that_is_paid_ahead_leaves_nothing_of_it(self) -> None:
        story = after(paid(0), trial(5, ends=40), paid(29, start=30))
        assert story.statuses(30, 59.9, 60) == [Status.ACTIVE, Status.ACTIVE, Status.GRACE]

    def test_a_payment_that_begins_while_paid_time_runs_converts_nothing(self) -> None:
        story = after(paid(0), trial(5, ends=60), paid(10, end=40, plan="premium"))
        assert story.moments == ["renewed", "plan.changed"]
        assert story.statuses(39.9, 40, 59.9) == [Status.ACTIVE, Status.TRIALING, Status.TRIALING]


class TestAConversion:
    def test_ends_the_trial_where_the_paid_period_begins(self) -> None:
        story = after(trial(0, ends=14), paid(5))
        assert story.statuses(5, 34.9, 35) == [Status.ACTIVE, Status.ACTIVE, Status.GRACE]
        assert story.moments == ["trial.converted"]

    def test_leaves_nothing_of_the_trial_to_cover_a_later_failure(self) -> None:
        story = after(trial(0, ends=30), paid(5, end=10))
        assert story.then(failed(10, final=True)).status(10) is Status.EXPIRED
        assert story.status(17) is Status.ON_HOLD

    def test_leaves_nothing_of_the_trial_after_a_refund(self) -> None:
        story = after(trial(0, ends=30), paid(5), refunded(6, start=5))
        assert story.status(7) is Status.REVOKED

    def test_leaves_no_grace_of_the_trial_when_the_refunded_time_is_over(self) -> None:
        story = after(trial(0, ends=14), paid(10, end=40), refunded(11, start=10))
        assert story.statuses(11, 39.9, 40, 41) == [Status.REVOKED] * 2 + [Status.EXPIRED] * 2

    def test_comes_with_the_payment_though_its_period_begins_later(self) -> None:
        story = after(trial(0, ends=14), paid(10, start=14))
        assert story.moments == ["trial.converted"]
        assert story.statuses(10, 13.9, 14) == [Status.TRIALING, Status.TRIALING, Status.ACTIVE]
        assert story.sub(10).converted
        assert story.brought(43) == []

    def test_for_a_period_that_begins_within_the_trial_ends_it_there(self) -> None:
        story = after(trial(0, ends=14), paid(5, start=10))
        assert story.statuses(9.9, 10, 39.9, 40) == [
            Status.TRIALING,
            Status.ACTIVE,
            Status.ACTIVE,
            Status.GRACE,
        ]

    def test_also_comes_in_the_grace_and_on_the_hold_after_the_trial(self) -> None:
        assert after(trial(0), paid(16, start=14)).moments == ["trial.converted"]
        assert after(trial(0), paid(30)).moments == ["trial.ended", "trial.converted"]

    def test_is_none_of_a_trial_that_is_over_and_was_followed_by_another_life(self) -> None:
        assert after(trial(0, auto_renew=False), paid(40)).moments == ["trial.ended", "expired", "activated"]

    def test_by_another_plan_gives_that_plan(self) -> None:
        story = after(trial(0, plan="basic"), paid(5, plan="premium"))
        assert story.moments == ["trial.converted", "plan.changed"]
        assert story.sub(6).plan == "premium"

    def test_does_not_renew_if_the_payment_says_so(self) -> None:
        story = after(trial(0), paid(5, auto_renew=False))
        assert story.statuses(34.9, 35) == [Status.ACTIVE, Status.EXPIRED]

    def test_of_a_trial_that_did_not_renew_renews(self) -> None:
        """A card was added in a trial that began without one."""
        story = after(trial(0, auto_renew=False), paid(10, start=14))
        assert story.statuses(44, 51) == [Status.GRACE, Status.ON_HOLD]


def test_a_first_payment_that_starts_later_comes_after_the_trial_and_its_grace() -> None:
    life = [paid(0, start=40), trial(1, ends=15)]
    assert course(life, 0, 1, 14.9, 15, 21.9, 22, 39.9, 40) == [
        Status.PENDING,
        Status.TRIALING,
        Status.TRIALING,
        Status.GRACE,
        Status.GRACE,
        Status.PENDING,
        Status.PENDING,
        Status.ACTIVE,
    ]


def test_a_failure_while_the_trial_runs_takes_nothing_of_it_and_is_about_the_time_after_it() -> None:
    story = after(trial(0, ends=14), failed_next(10, grace_until=20))
    assert story.statuses(13.9, 14, 19.9, 20) == [Status.TRIALING, Status.GRACE, Status.GRACE, Status.ON_HOLD]
    assert story.moments == ["payment.failed"]
