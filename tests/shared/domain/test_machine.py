"""The status machine: every row of its table by a story, the order of the rows, and the moves from each status."""

import pytest

from shared.domain import settling
from shared.domain.deadlines import advance
from shared.domain.events import Event, Signal
from shared.domain.look import Look
from shared.domain.machine import CONDITIONS, Condition
from shared.domain.settling import settle
from shared.domain.subscription import LIVE, PriceIncrease, Status
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
    failed,
    failed_next,
    paid,
    paused,
    refund_reversed,
    refunded,
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
REVOKED = after(paid(0), refunded(1, start=0))

STORIES = {
    Status.NONE: (Story(), 0),
    Status.PENDING: (PENDING, 1),
    Status.TRIALING: (TRIALING, 1),
    Status.ACTIVE: (ACTIVE, 1),
    Status.GRACE: (GRACE, 31),
    Status.ON_HOLD: (ON_HOLD, 32),
    Status.PAUSED: (PAUSED, 32),
    Status.EXPIRED: (EXPIRED, 2),
    Status.REVOKED: (REVOKED, 2),
}
"""For every status, a story that reaches the status and a day on which the status holds."""

TRIAL, PAID, WITHDRAWN, PAUSE, LAPSED, SETTLING, WAITING, HELD, AWAITED, OVER, NOTHING = CONDITIONS
"""The rows of the table."""

PREPAID_WITH_A_GAP = after(paid(0), paid(1, start=60))
"""A period that ends on day 30, and one that is paid for from day 60."""


def row_at(story: Story, on: float) -> Condition:
    """The row that gives the status on a day: the first that holds."""
    reached = advance(story.history.head.best, day(on), TERMS).subscription
    look = Look(reached, day(on), TERMS)
    return next(row for row in CONDITIONS if row.holds(look))


REACHED_BY_EVENTS = {
    TRIAL: (TRIALING, 0),
    PAID: (ACTIVE, 0),
    WITHDRAWN: (REVOKED, 1),
    PAUSE: (after(paid(0), paused(1, effective=1)), 1),
    LAPSED: (GRACE, 30),
    SETTLING: (after(awaited(0, grace_until=5)), 0),
    WAITING: (after(paid(0, start=5)), 0),
    HELD: (after(paid(0), failed(30, grace_until=30)), 30),
    AWAITED: (PENDING, 0),
    OVER: (EXPIRED, 1),
    NOTHING: (after(auto_renew_off(0)), 0),
}
REACHED_BY_TIME = {
    TRIAL: (after(paid(0), trial(1, ends=40)), 30),
    PAID: (after(paid(0, start=5)), 5),
    WITHDRAWN: (after(paid(0), paid(20, start=30), refunded(21, start=30)), 30),
    PAUSE: (PAUSED, 30),
    LAPSED: (ACTIVE, 30),
    SETTLING: (after(paid(0), auto_renew_off(1), awaited(29, start=30, grace_until=35)), 30),
    WAITING: (PREPAID_WITH_A_GAP, 37),
    HELD: (ACTIVE, 37),
    AWAITED: (after(paid(0), auto_renew_off(1), awaited(29, start=30)), 30),
    OVER: (PENDING, 3),
}


@pytest.mark.parametrize(("row", "there"), REACHED_BY_EVENTS.items(), ids=[row.words for row in REACHED_BY_EVENTS])
def test_an_event_reaches_each_row_which_gives_its_status(row: Condition, there: tuple[Story, float]) -> None:
    story, on = there
    assert row_at(story, on) is row
    assert story.history.head.best.status is row.status


@pytest.mark.parametrize(("row", "there"), REACHED_BY_TIME.items(), ids=[row.words for row in REACHED_BY_TIME])
def test_time_reaches_each_row_but_the_last_which_gives_its_status(
    row: Condition, there: tuple[Story, float]
) -> None:
    story, on = there
    assert story.history.head.best.status is not row.status or row_at(story, on - 0.001) is not row
    assert row_at(story, on) is row
    assert story.status(on) is row.status


def test_time_alone_begins_nothing() -> None:
    assert set(CONDITIONS) - set(REACHED_BY_TIME) == {NOTHING}
    assert Story().status(1000) is Status.NONE


def test_every_status_has_a_row_and_every_row_a_status() -> None:
    assert {row.status for row in CONDITIONS} == set(Status)


OVER_AN_OLDER = after(paid(0, end=365, plan="annual"), paid(10, end=40, plan="monthly"))
PAID_AHEAD_IN_A_PAUSE = after(paid(0), paused(1, effective=30), paid(40, start=45))

BOTH_HOLD = [
    (TRIAL, PAID, TRIALING, 1),
    (TRIAL, LAPSED, after(paid(0), failed(30), trial(31, ends=40)), 32),
    (TRIAL, WAITING, after(paid(0, start=40), trial(1, ends=15)), 2),
    (TRIAL, AWAITED, PENDING.then(trial(1)), 2),
    (PAID, LAPSED, OVER_AN_OLDER, 41),
    (PAID, SETTLING, after(paid(0), awaited(29, start=30, grace_until=35)), 29.5),
    (PAID, WAITING, after(paid(0), paid(1, start=30)), 2),
    (PAID, HELD, OVER_AN_OLDER, 50),
    (PAID, AWAITED, after(paid(0), awaited(1, start=30)), 2),
    (WITHDRAWN, PAUSE, PAID_AHEAD_IN_A_PAUSE.then(refunded(41, start=45)), 45),
    (WITHDRAWN, LAPSED, after(paid(0), paid(20, start=30), refunded(21, start=30)), 30),
    (WITHDRAWN, WAITING, after(paid(0), paid(3, start=30), refunded(5, start=0)), 6),
    (WITHDRAWN, HELD, after(paid(0), paid(20, start=40, end=80), refunded(21, start=40)), 40),
    (WITHDRAWN, AWAITED, after(paid(0), awaited(1, start=30), refunded(2, start=0)), 3),
    (PAUSE, LAPSED, PAUSED, 32),
    (PAUSE, SETTLING, PAUSED.then(awaited(31, grace_until=40)), 32),
    (PAUSE, WAITING, PAID_AHEAD_IN_A_PAUSE, 41),
    (PAUSE, HELD, PAUSED, 50),
    (PAUSE, AWAITED, PAUSED.then(awaited(31)), 32),
    (LAPSED, SETTLING, after(paid(0), awaited(30, grace_until=35)), 31),
    (LAPSED, WAITING, PREPAID_WITH_A_GAP, 31),
    (LAPSED, HELD, GRACE, 31),
    (LAPSED, AWAITED, after(paid(0), awaited(30)), 31),
    (SETTLING, WAITING, after(paid(0, start=40), awaited(1, grace_until=5)), 2),
    (SETTLING, HELD, ON_HOLD.then(awaited(40, grace_until=45)), 44),
    (SETTLING, AWAITED, after(awaited(0, grace_until=5)), 1),
    (WAITING, HELD, PREPAID_WITH_A_GAP, 40),
    (WAITING, AWAITED, after(paid(0, start=40), awaited(1)), 2),
    (HELD, AWAITED, ON_HOLD.then(awaited(40)), 41),
    (HELD, OVER, ON_HOLD, 32),
    (AWAITED, OVER, PENDING, 1),
    (OVER, NOTHING, EXPIRED, 2),
]


@pytest.mark.parametrize(
    ("first", "second", "story", "on"),
    BOTH_HOLD,
    ids=[f"{first.words}, before: {second.words}" for first, second, *_ in BOTH_HOLD],
)
def test_of_two_rows_that_hold_the_first_gives_the_status(
    first: Condition, second: Condition, story: Story, on: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = advance(story.history.head.best, day(on), TERMS, inclusive=False).subscription
    assert settle(before, day(on), TERMS).status is first.status
    others = [row for row in CONDITIONS if row is not second]
    place = others.index(first)
    monkeypatch.setattr(settling, "CONDITIONS", (*others[:place], second, *others[place:]))
    assert settle(before, day(on), TERMS).status is second.status


def test_two_rows_of_grace_differ_in_the_end_that_they_show() -> None:
    story = after(paid(0), awaited(30, grace_until=50))
    assert [story.sub(on).grace_until for on in (36, 38)] == [day(37), day(50)]


def test_each_story_reaches_its_status() -> None:
    assert [story.status(on) for story, on in STORIES.values()] == list(STORIES)
    assert set(STORIES) == set(Status)


@pytest.mark.parametrize("status", Status)
def test_a_payment_leads_on_to_active_from_every_status(status: Status) -> None:
    story, on = STORIES[status]
    assert story.then(paid(on, payment_id="next")).status(on) is Status.ACTIVE


@pytest.mark.parametrize("nobody", [Story(), EXPIRED], ids=["none", "expired"])
class TestFromNoneOrExpired:
    def test_a_trial_that_starts_is_trialing(self, nobody: Story) -> None:
        assert nobody.then(trial(40, ends=54)).status(41) is Status.TRIALING

    def test_a_pending_payment_is_pending(self, nobody: Story) -> None:
        assert nobody.then(awaited(40)).status(41) is Status.PENDING

    def test_a_pending_payment_that_gives_access_until_it_settles_is_grace(self, nobody: Story) -> None:
        story = nobody.then(awaited(40, grace_until=47))
        assert story.statuses(40, 46.9, 47) == [Status.GRACE, Status.GRACE, Status.EXPIRED]

    def test_a_success_is_active(self, nobody: Story) -> None:
        assert nobody.then(paid(40)).status(41) is Status.ACTIVE

    def test_a_success_for_a_period_to_come_is_pending_until_it_begins(self, nobody: Story) -> None:
        story = nobody.then(paid(40, start=50))
        assert story.statuses(40, 49.9, 50) == [Status.PENDING, Status.PENDING, Status.ACTIVE]

    @pytest.mark.parametrize("final", [False, True])
    def test_a_failure_changes_nothing(self, nobody: Story, final: bool) -> None:
        assert nobody.then(failed(40, final=final)).status(41) is nobody.status(41)

    @pytest.mark.parametrize(
        "event", [cancelled(40), paused(40), resumed(40), auto_renew_off(40), auto_renew_on(40)]
    )
    def test_no_signal_moves_it(self, nobody: Story, event: Event) -> None:
        assert nobody.then(event).status(41) is nobody.status(41)


class TestFromPending:
    def test_a_success_is_active(self) -> None:
        assert PENDING.then(paid(1)).status(2) is Status.ACTIVE

    def test_a_trial_start_is_trialing(self) -> None:
        assert PENDING.then(trial(1, ends=14)).status(1) is Status.TRIALING

    def test_a_success_while_the_trial_runs_converts_it(self) -> None:
        story = PENDING.then(trial(1, ends=14), paid(2))
        assert story.status(3) is Status.ACTIVE
        assert story.moments == ["trial.converted"]

    def test_the_paid_period_continues_when_that_trial_would_have_ended(self) -> None:
        assert PENDING.then(trial(1, ends=14), paid(2, end=60)).status(15) is Status.ACTIVE

    def test_auto_renew_off_after_that_takes_nothing_of_the_paid_period(self) -> None:
        story = PENDING.then(trial(1, ends=14), paid(2, end=60), auto_renew_off(3))
        assert story.statuses(3, 14, 59, 60) == [Status.ACTIVE, Status.ACTIVE, Status.ACTIVE, Status.EXPIRED]

    def test_a_final_failure_expires_it(self) -> None:
        assert PENDING.then(failed(1, final=True)).status(1) is Status.EXPIRED

    def test_a_failure_with_retries_left_leaves_it_pending(self) -> None:
        assert PENDING.then(failed(1)).status(2) is Status.PENDING

    def test_72_hours_expire_it(self) -> None:
        assert PENDING.status(2.999) is Status.PENDING
        assert PENDING.status(3) is Status.EXPIRED

    def test_72_hours_while_the_trial_runs_leave_the_trial_and_its_renewal(self) -> None:
        """The payment that never settled says nothing of the trial that began after it."""
        story = PENDING.then(trial(1, ends=14))
        assert story.statuses(4, 14) == [Status.TRIALING, Status.GRACE]
        assert story.sub(4).auto_renew

    def test_a_final_failure_while_the_trial_runs_leaves_the_trial_which_will_not_renew(self) -> None:
        story = PENDING.then(trial(1, ends=14), failed(2, final=True))
        assert (story.status(3), story.sub(3).auto_renew_reason) == (Status.TRIALING, "billing")
        assert story.status(14) is Status.EXPIRED

    def test_a_refund_of_what_waits_expires_it(self) -> None:
        """Nothing ran that could be revoked, neither now nor when the period would begin."""
        story = after(paid(0, start=5, end=10), refunded(1, start=5))
        assert story.statuses(1, 5, 10) == [Status.EXPIRED, Status.EXPIRED, Status.EXPIRED]


class TestFromTrialing:
    def test_a_success_converts_it_to_active(self) -> None:
        assert TRIALING.then(paid(13)).status(13) is Status.ACTIVE

    def test_a_success_for_the_time_after_it_leaves_it_trialing_until_then(self) -> None:
        story = TRIALING.then(paid(13, start=14))
        assert story.statuses(13, 13.9, 14, 43.9) == [
            Status.TRIALING,
            Status.TRIALING,
            Status.ACTIVE,
            Status.ACTIVE,
        ]

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

    def test_a_pause_that_falls_due_pauses_it_and_what_is_left_of_it_comes_back(self) -> None:
        story = TRIALING.then(paused(1, effective=5, resume=9))
        assert story.statuses(4.9, 5, 9, 14) == [Status.TRIALING, Status.PAUSED, Status.TRIALING, Status.GRACE]


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

    def test_a_trial_start_waits_until_the_period_is_over(self) -> None:
        story = ACTIVE.then(trial(5, ends=40))
        assert story.statuses(5, 29.9, 30, 39.9, 40) == [
            Status.ACTIVE,
            Status.ACTIVE,
            Status.TRIALING,
            Status.TRIALING,
            Status.GRACE,
        ]

    def test_a_refund_revokes_it_until_the_period_would_have_ended(self) -> None:
        story = ACTIVE.then(refunded(10, start=0))
        assert story.statuses(10, 29.9, 30) == [Status.REVOKED, Status.REVOKED, Status.EXPIRED]


class TestFromGrace:
    def test_a_success_recovers_it(self) -> None:
        assert GRACE.then(paid(32, start=30)).status(32) is Status.ACTIVE

    def test_its_end_is_on_hold(self) -> None:
        assert GRACE.statuses(36.9, 37) == [Status.GRACE, Status.ON_HOLD]

    def test_its_end_with_auto_renew_off_expires_it(self) -> None:
        assert GRACE.then(auto_renew_off(31)).status(36.9) is Status.GRACE
        assert GRACE.then(auto_renew_off(31)).status(37) is Status.EXPIRED

    def test_a_final_failure_expires_it(self) -> None:
        assert GRACE.then(failed(32, start=30, final=True)).status(32) is Status.EXPIRED

    def test_a_pause_that_falls_due_pauses_it(self) -> None:
        assert GRACE.then(paused(31, effective=32)).statuses(31.9, 32) == [Status.GRACE, Status.PAUSED]

    def test_a_trial_start_is_trialing(self) -> None:
        assert GRACE.then(trial(31, ends=40)).statuses(31, 40) == [Status.TRIALING, Status.GRACE]


class TestFromOnHold:
    def test_a_success_recovers_it(self) -> None:
        assert ON_HOLD.then(paid(40)).status(40) is Status.ACTIVE

    @pytest.mark.parametrize("event", [failed(40, start=30, final=True), cancelled(40), auto_renew_off(40)])
    def test_exhausted_retries_a_cancellation_or_auto_renew_off_expire_it(self, event: Event) -> None:
        assert ON_HOLD.then(event).status(40) is Status.EXPIRED

    def test_another_failed_retry_leaves_it(self) -> None:
        assert ON_HOLD.then(failed(40)).status(40) is Status.ON_HOLD

    def test_a_failure_that_names_a_later_end_of_grace_leaves_it(self) -> None:
        """The grace is over: a sender that counts it from each retry gives no access back."""
        story = ON_HOLD.then(failed(40, start=30, grace_until=60))
        assert story.statuses(40, 59) == [Status.ON_HOLD, Status.ON_HOLD]

    def test_a_pause_that_falls_due_leaves_it(self) -> None:
        assert ON_HOLD.then(paused(40, effective=41)).status(42) is Status.ON_HOLD

    def test_a_trial_start_is_trialing(self) -> None:
        assert ON_HOLD.then(trial(40, ends=50)).statuses(40, 50) == [Status.TRIALING, Status.GRACE]

    def test_a_pending_payment_leaves_it(self) -> None:
        assert ON_HOLD.then(awaited(40)).status(40) is Status.ON_HOLD

    def test_a_pending_payment_that_gives_access_is_grace_until_then(self) -> None:
        story = ON_HOLD.then(awaited(40, grace_until=45))
        assert story.statuses(40, 44.9, 45) == [Status.GRACE, Status.GRACE, Status.ON_HOLD]

    def test_60_days_expire_it(self) -> None:
        assert ON_HOLD.statuses(31 + 59.9, 31 + 60) == [Status.ON_HOLD, Status.EXPIRED]


class TestFromPaused:
    def test_the_resumption_that_falls_due_is_grace_until_paid(self) -> None:
        story = after(paid(0), paused(1, effective=30, resume=60))
        assert story.statuses(59.9, 60) == [Status.PAUSED, Status.GRACE]
        assert story.then(paid(61)).status(61) is Status.ACTIVE

    def test_resumed_is_grace_until_paid(self) -> None:
        assert PAUSED.then(resumed(40)).status(40) is Status.GRACE

    def test_resumed_within_the_paid_period_is_active(self) -> None:
        story = after(paid(0), paused(1, effective=5), resumed(9))
        assert story.statuses(9, 29.9, 30) == [Status.ACTIVE, Status.ACTIVE, Status.GRACE]

    def test_resumed_with_auto_renew_off_is_what_still_covers_else_expired(self) -> None:
        story = after(paid(0), paused(1, effective=5, resume=9), auto_renew_off(6))
        assert story.statuses(6, 9, 30) == [Status.PAUSED, Status.ACTIVE, Status.EXPIRED]

    def test_a_success_is_active(self) -> None:
        assert PAUSED.then(paid(40)).status(40) is Status.ACTIVE

    def test_a_success_for_a_period_to_come_leaves_it_paused_until_then(self) -> None:
        story = PAUSED.then(paid(40, start=45))
        assert story.statuses(40, 44.9, 45, 75) == [Status.PAUSED, Status.PAUSED, Status.ACTIVE, Status.GRACE]

    def test_a_failure_leaves_it_paused_but_failing(self) -> None:
        story = PAUSED.then(failed(40))
        assert story.status(41) is Status.PAUSED
        assert story.sub(41).failing

    def test_a_final_failure_once_nothing_covers_expires_it(self) -> None:
        assert PAUSED.then(failed(40, final=True)).status(40) is Status.EXPIRED

    def test_a_trial_start_ends_it(self) -> None:
        story = PAUSED.then(trial(40, ends=50))
        assert story.statuses(40, 50) == [Status.TRIALING, Status.GRACE]

    def test_cancelled_is_expired(self) -> None:
        assert PAUSED.then(cancelled(40)).status(40) is Status.EXPIRED

    def test_auto_renew_off_once_nothing_covers_expires_it(self) -> None:
        story = PAUSED.then(auto_renew_off(40), auto_renew_on(41))
        assert story.status(41) is Status.EXPIRED

    def test_time_alone_leaves_it_paused(self) -> None:
        assert PAUSED.status(1000) is Status.PAUSED


class TestFromRevoked:
    def test_time_alone_expires_it_at_the_end_of_the_period(self) -> None:
        assert REVOKED.statuses(29.9, 30, 1000) == [Status.REVOKED, Status.EXPIRED, Status.EXPIRED]

    def test_a_success_is_active(self) -> None:
        assert REVOKED.then(paid(5)).status(5) is Status.ACTIVE

    def test_a_trial_start_is_trialing(self) -> None:
        story = REVOKED.then(trial(5, ends=19))
        assert story.statuses(5, 18.9, 19) == [Status.TRIALING, Status.TRIALING, Status.GRACE]

    def test_a_pending_payment_is_pending_while_it_may_settle(self) -> None:
        story = REVOKED.then(awaited(5))
        assert story.statuses(5, 7.9, 8) == [Status.PENDING, Status.PENDING, Status.REVOKED]

    def test_a_pending_payment_of_before_leaves_it(self) -> None:
        assert ACTIVE.then(awaited(1, start=30), refunded(2, start=0)).status(2) is Status.REVOKED

    def test_the_reversal_of_the_refund_is_active(self) -> None:
        assert REVOKED.then(refund_reversed(5, start=0)).statuses(5, 30) == [Status.ACTIVE, Status.GRACE]

    def test_cancelled_expires_it(self) -> None:
        assert REVOKED.then(cancelled(5)).status(5) is Status.EXPIRED

    @pytest.mark.parametrize(
        "event", [failed(5, start=30), failed_next(5, final=True), paused(5, effective=6), auto_renew_off(5)]
    )
    def test_failures_and_other_signals_leave_it(self, event: Event) -> None:
        assert REVOKED.then(event).statuses(7, 30) == [Status.REVOKED, Status.EXPIRED]


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

    def test_a_pending_payment_moves_no_status(self, live: Story, on: float) -> None:
        assert live.then(awaited(on)).status(on) is live.status(on)

    def test_a_trial_start_is_trialing_unless_paid_time_runs(self, live: Story, on: float) -> None:
        expected = Status.ACTIVE if live is ACTIVE else Status.TRIALING
        assert live.then(trial(on, ends=on + 9)).status(on) is expected


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
    increase = PriceIncrease(kind.removeprefix("price_increase_"))
    assert ACTIVE.then(signal(kind, 3)).sub(3) == ACTIVE.sub(3)._replace(price_increase=increase, as_of=day(3))


class TestALifeEndsOnce:
    def test_auto_renew_on_revives_nobody_who_expired(self) -> None:
        story = after(paid(0), auto_renew_off(1), auto_renew_on(31))
        assert story.statuses(31, 36) == [Status.EXPIRED, Status.EXPIRED]

    def test_auto_renew_on_revives_nobody_whose_payment_failed_for_good(self) -> None:
        assert GRACE.then(failed(32, start=30, final=True), auto_renew_on(33)).status(33) is Status.EXPIRED

    def test_auto_renew_on_revives_nobody_who_was_revoked(self) -> None:
        assert REVOKED.then(auto_renew_on(31)).status(31) is Status.EXPIRED

    def test_a_reversal_after_the_period_is_over_gives_no_grace(self) -> None:
        assert REVOKED.then(refund_reversed(31, start=0)).status(31) is Status.EXPIRED

    def test_a_reversal_within_the_period_gives_the_grace_after_it(self) -> None:
        assert REVOKED.then(refund_reversed(29, start=0)).statuses(29, 30) == [Status.ACTIVE, Status.GRACE]

    def test_a_new_life_has_its_own_grace_and_hold(self) -> None:
        story = EXPIRED.then(paid(40))
        assert story.statuses(69, 70, 77) == [Status.ACTIVE, Status.GRACE, Status.ON_HOLD]

    def test_a_pending_payment_that_lapses_after_an_end_gives_no_hold(self) -> None:
        life = [paid(0), auto_renew_off(1), awaited(35)]
        assert course(life, 30, 35, 37.9, 38) == [Status.EXPIRED, Status.PENDING, Status.PENDING, Status.EXPIRED]
