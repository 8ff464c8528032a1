"""Every transition of the status table, brought by events and by time."""

import pytest

from shared.domain.events import Event, Signal
from shared.domain.machine import TABLE, Happening
from shared.domain.subscription import LIVE, Status
from tests.support.story import (
    Story,
    after,
    auto_renew_off,
    awaited,
    cancelled,
    day,
    failed,
    paid,
    paused,
    resumed,
    signal,
    trial,
)

ACTIVE = after(paid(0))
TRIALING = after(trial(0, ends=14))
GRACE = after(paid(0), failed(30))
ON_HOLD = after(paid(0), failed(30, grace_until=31))
PAUSED = after(paid(0), paused(1, effective=30))
PENDING = after(awaited(0))
EXPIRED = after(paid(0), cancelled(1))

STORIES = {
    Status.NONE: (Story(), 0),
    Status.PENDING: (PENDING, 1),
    Status.TRIALING: (TRIALING, 1),
    Status.ACTIVE: (ACTIVE, 1),
    Status.GRACE: (GRACE, 31),
    Status.ON_HOLD: (ON_HOLD, 32),
    Status.PAUSED: (PAUSED, 32),
    Status.EXPIRED: (EXPIRED, 2),
}
"""For every status of the machine, a story that reaches the status and a day on which the status holds."""


def test_a_payment_leads_on_from_every_status() -> None:
    assert set(TABLE) == set(STORIES)
    assert all(Happening.PAYMENT_SUCCEEDED in moves for moves in TABLE.values())


def test_each_story_reaches_its_status() -> None:
    assert [story.status(on) for story, on in STORIES.values()] == list(STORIES)


@pytest.mark.parametrize("nobody", [Story(), EXPIRED], ids=["none", "expired"])
class TestFromNoneOrExpired:
    def test_a_trial_that_starts_is_trialing(self, nobody: Story) -> None:
        assert nobody.then(trial(40, ends=54)).status(41) is Status.TRIALING

    def test_a_pending_payment_is_pending(self, nobody: Story) -> None:
        assert nobody.then(awaited(40)).status(41) is Status.PENDING

    def test_a_success_is_active(self, nobody: Story) -> None:
        assert nobody.then(paid(40)).status(41) is Status.ACTIVE

    @pytest.mark.parametrize("final", [False, True])
    def test_a_failure_changes_nothing(self, nobody: Story, final: bool) -> None:
        assert nobody.then(failed(40, final=final)).status(41) is nobody.status(41)

    @pytest.mark.parametrize("event", [cancelled(40), paused(40), resumed(40), auto_renew_off(40)])
    def test_no_signal_moves_it(self, nobody: Story, event: Event) -> None:
        assert nobody.then(event).status(41) is nobody.status(41)


class TestFromPending:
    def test_a_success_is_active(self) -> None:
        assert PENDING.then(paid(1)).status(2) is Status.ACTIVE

    def test_a_success_while_the_trial_runs_is_trialing(self) -> None:
        assert PENDING.then(trial(1, ends=14), paid(2)).status(3) is Status.TRIALING

    def test_the_paid_period_continues_when_that_trial_ends(self) -> None:
        """A user who paid beyond the trial is active after the trial, not in grace."""
        assert PENDING.then(trial(1, ends=14), paid(2, end=60)).status(15) is Status.ACTIVE

    def test_auto_renew_off_in_that_trial_takes_nothing_of_the_paid_period(self) -> None:
        story = PENDING.then(trial(1, ends=14), paid(2, end=60), auto_renew_off(3))
        assert [story.status(on) for on in (3, 14, 59, 60)] == [
            Status.TRIALING,
            Status.ACTIVE,
            Status.ACTIVE,
            Status.EXPIRED,
        ]

    def test_a_final_failure_expires_it(self) -> None:
        assert PENDING.then(failed(1, final=True)).status(1) is Status.EXPIRED

    def test_a_failure_with_retries_left_leaves_it_pending(self) -> None:
        assert PENDING.then(failed(1)).status(2) is Status.PENDING

    def test_72_hours_expire_it(self) -> None:
        assert PENDING.status(2.999) is Status.PENDING
        assert PENDING.status(3) is Status.EXPIRED

    def test_72_hours_while_the_trial_runs_leave_the_trial_which_will_not_renew(self) -> None:
        story = PENDING.then(trial(1, ends=14))
        assert story.status(4) is Status.TRIALING
        assert not story.sub(4).auto_renew
        assert story.status(14) is Status.EXPIRED

    def test_a_final_failure_while_the_trial_runs_leaves_the_trial_which_will_not_renew(self) -> None:
        story = PENDING.then(trial(1, ends=14), failed(2, final=True))
        assert (story.status(3), story.sub(3).auto_renew_reason) == (Status.TRIALING, "billing")
        assert story.status(14) is Status.EXPIRED


class TestFromTrialing:
    def test_a_success_converts_it_to_active(self) -> None:
        assert TRIALING.then(paid(13, start=14)).status(13) is Status.ACTIVE

    def test_its_end_with_auto_renew_off_expires_it(self) -> None:
        assert TRIALING.then(auto_renew_off(3)).status(13.9) is Status.TRIALING
        assert TRIALING.then(auto_renew_off(3)).status(14) is Status.EXPIRED

    def test_a_trial_may_start_with_auto_renew_off(self) -> None:
        assert after(trial(0, ends=14, auto_renew=False)).status(14) is Status.EXPIRED

    def test_its_end_unpaid_is_grace(self) -> None:
        assert TRIALING.status(14) is Status.GRACE

    def test_a_failure_once_it_is_over_is_grace(self) -> None:
        assert TRIALING.then(failed(14)).status(14) is Status.GRACE

    def test_a_failure_while_it_runs_moves_nothing(self) -> None:
        assert TRIALING.then(failed(13, start=14)).status(13) is Status.TRIALING


class TestFromActive:
    def test_a_success_renews_it(self) -> None:
        assert ACTIVE.then(paid(30)).status(59) is Status.ACTIVE

    def test_a_failure_once_the_period_is_over_is_grace(self) -> None:
        assert ACTIVE.then(failed(30)).status(30) is Status.GRACE

    def test_a_failure_while_the_period_runs_moves_nothing(self) -> None:
        assert ACTIVE.then(failed(29, start=30)).status(29) is Status.ACTIVE

    def test_the_end_of_the_period_with_auto_renew_off_expires_it(self) -> None:
        assert ACTIVE.then(auto_renew_off(3)).status(30) is Status.EXPIRED

    def test_the_end_of_the_period_unpaid_is_grace(self) -> None:
        assert ACTIVE.status(29.999) is Status.ACTIVE
        assert ACTIVE.status(30) is Status.GRACE

    def test_a_pause_that_falls_due_pauses_it(self) -> None:
        assert ACTIVE.then(paused(1, effective=10)).status(10) is Status.PAUSED


class TestFromGrace:
    def test_a_success_recovers_it(self) -> None:
        assert GRACE.then(paid(32, start=30)).status(32) is Status.ACTIVE

    def test_its_end_is_on_hold(self) -> None:
        assert [GRACE.status(on) for on in (36.9, 37)] == [Status.GRACE, Status.ON_HOLD]

    def test_its_end_with_auto_renew_off_expires_it(self) -> None:
        assert GRACE.then(auto_renew_off(31)).status(36.9) is Status.GRACE
        assert GRACE.then(auto_renew_off(31)).status(37) is Status.EXPIRED


class TestFromOnHold:
    def test_a_success_recovers_it(self) -> None:
        assert ON_HOLD.then(paid(40)).status(40) is Status.ACTIVE

    @pytest.mark.parametrize("event", [failed(40, start=30, final=True), cancelled(40), auto_renew_off(40)])
    def test_exhausted_retries_a_cancellation_or_auto_renew_off_expire_it(self, event: Event) -> None:
        assert ON_HOLD.then(event).status(40) is Status.EXPIRED

    def test_another_failed_retry_leaves_it(self) -> None:
        assert ON_HOLD.then(failed(40)).status(40) is Status.ON_HOLD

    def test_60_days_expire_it(self) -> None:
        assert [ON_HOLD.status(31 + on) for on in (59.9, 60)] == [Status.ON_HOLD, Status.EXPIRED]


class TestFromPaused:
    def test_the_resumption_that_falls_due_is_grace_until_paid(self) -> None:
        story = after(paid(0), paused(1, effective=30, resume=60))
        assert [story.status(on) for on in (59.9, 60)] == [Status.PAUSED, Status.GRACE]
        assert story.then(paid(61)).status(61) is Status.ACTIVE

    def test_resumed_is_grace_until_paid(self) -> None:
        assert PAUSED.then(resumed(40)).status(40) is Status.GRACE

    def test_a_success_is_active(self) -> None:
        assert PAUSED.then(paid(40)).status(40) is Status.ACTIVE

    def test_a_failure_is_on_hold(self) -> None:
        assert PAUSED.then(failed(40)).status(40) is Status.ON_HOLD

    def test_cancelled_is_expired(self) -> None:
        assert PAUSED.then(cancelled(40)).status(40) is Status.EXPIRED

    def test_time_alone_leaves_it_paused(self) -> None:
        assert PAUSED.status(1000) is Status.PAUSED


@pytest.mark.parametrize(("live", "on"), [STORIES[status] for status in sorted(LIVE)], ids=sorted(LIVE))
class TestFromAnyLive:
    def test_cancelled_is_expired_at_once(self, live: Story, on: float) -> None:
        assert live.then(cancelled(on)).status(on) is Status.EXPIRED

    def test_or_at_its_effective_at(self, live: Story, on: float) -> None:
        story = live.then(cancelled(on, effective=on + 1))
        assert story.status(on + 0.9) is live.status(on)
        assert story.status(on + 1) is Status.EXPIRED

    def test_an_effective_at_that_is_past_is_at_once(self, live: Story, on: float) -> None:
        assert live.then(cancelled(on, effective=on - 1)).status(on) is Status.EXPIRED

    def test_a_trial_start_or_a_pending_payment_moves_no_status(self, live: Story, on: float) -> None:
        assert live.then(trial(on, ends=on + 9)).status(on) is live.status(on)
        assert live.then(awaited(on)).status(on) is live.status(on)


@pytest.mark.parametrize(("status", "there"), STORIES.items(), ids=list(STORIES))
def test_entitled_are_trialing_active_and_grace(status: Status, there: tuple[Story, float]) -> None:
    story, on = there
    assert story.entitled(on) is (status in {Status.TRIALING, Status.ACTIVE, Status.GRACE})


def test_active_with_auto_renew_off_is_entitled_until_its_period_end() -> None:
    story = ACTIVE.then(auto_renew_off(2))
    assert [story.entitled(on) for on in (2, 29.9, 30)] == [True, True, False]


def test_live_are_all_but_none_expired_and_revoked() -> None:
    assert set(Status) - LIVE == {Status.NONE, Status.EXPIRED, Status.REVOKED}


@pytest.mark.parametrize("kind", [Signal.PRICE_INCREASE_DECLINED, Signal.PRICE_INCREASE_ACCEPTED])
def test_price_consent_is_a_fact_and_moves_nothing(kind: Signal) -> None:
    consent = kind.removeprefix("price_increase_")
    assert ACTIVE.then(signal(kind, 3)).sub(3) == ACTIVE.sub(3)._replace(price_consent=consent, as_of=day(3))
