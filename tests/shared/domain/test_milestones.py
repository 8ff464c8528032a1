"""Milestones: when each comes, what moves it, and the states in which it is still true."""

from datetime import timedelta

import pytest

from shared.domain.account import Account
from shared.domain.conditions import is_still_true
from shared.domain.events import Event, cause_of
from shared.domain.history import History
from shared.domain.instants import END_OF_TIME
from shared.domain.milestones import OF_KIND, milestones, subject_of
from shared.domain.moments import MILESTONES, Moment, MomentKind
from shared.domain.subscription import Status
from tests.support.story import (
    Story,
    after,
    awaited,
    cancelled,
    day,
    extended,
    failed,
    paid,
    paused,
    refund_reversed,
    refunded,
    resumed,
    trial,
)

K = MomentKind
DAY = timedelta(days=1)
Planned = list[tuple[MomentKind, float, float]]
"""Kinds of milestones with their offsets and the days on which they come."""


def planned(story: Story, on: float, *kinds: MomentKind, offsets: tuple[float, ...] = (3, 1)) -> Planned:
    found = milestones(story.sub(on), {kind: [days * DAY for days in offsets] for kind in kinds})
    return [(one.kind, one.offset / DAY if one.offset else 0, (one.at - day(0)) / DAY) for one in found]


def coming(story: Story, on: float, kind: MomentKind, offset: float = 7) -> float | None:
    """The day of the milestone at an offset in days; None if there is none."""
    return next((at for _, _, at in planned(story, on, kind, offsets=(offset,))), None)


def at(story: Story, on: float, kind: MomentKind, offset: float = 7) -> Moment:
    return next(iter(milestones(story.sub(on), {kind: [offset * DAY]})))


def written(on: float) -> str:
    """The day as ISO 8601."""
    return day(on).isoformat()


def is_true(moment: Moment, story: Story, on: float) -> bool:
    return is_still_true(story.account(on), moment.kind, "main", moment.grant, moment.offset)


class TestATrialThatEnds:
    def test_is_ending_at_its_offsets(self) -> None:
        story = after(trial(0, ends=14))
        assert planned(story, 1, K.TRIAL_ENDING) == [(K.TRIAL_ENDING, 3, 11), (K.TRIAL_ENDING, 1, 13)]

    def test_is_ending_from_its_first_day_if_it_is_shorter_than_an_offset(self) -> None:
        story = after(trial(0, ends=2))
        assert planned(story, 1, K.TRIAL_ENDING) == [(K.TRIAL_ENDING, 3, 0), (K.TRIAL_ENDING, 1, 1)]

    def test_is_ending_at_an_offset_in_hours(self) -> None:
        moment = at(after(trial(0, ends=14)), 1, K.TRIAL_ENDING, 1.5)
        assert (moment.at, moment.offset, moment.cause.split("/")[2]) == (day(12.5), 1.5 * DAY, "36h")

    def test_is_ending_as_any_other_if_it_waited_behind_paid_time(self) -> None:
        story = after(paid(0), trial(5, ends=40))
        assert coming(story, 6, K.TRIAL_ENDING, 3) is None
        assert coming(story, 31, K.TRIAL_ENDING, 3) == 37

    def test_is_not_ending_if_the_time_after_it_is_paid(self) -> None:
        assert coming(after(trial(0, ends=14), paid(10, start=14)), 11, K.TRIAL_ENDING) is None

    def test_is_ending_again_once_the_payment_for_the_time_after_it_is_refunded(self) -> None:
        story = after(trial(0, ends=14), paid(5, start=14), refunded(6, start=14))
        assert coming(story, 7, K.TRIAL_ENDING, 3) == 11

    def test_has_the_cause_of_kind_subscription_offset_and_grant(self) -> None:
        story = after(trial(0))
        assert story.sub(1).trial
        assert at(story, 1, K.TRIAL_ENDING, 3).cause == f"trial.ending/main/3/{story.sub(1).trial.name}"

    @pytest.mark.parametrize(
        ("story", "kind", "grant"),
        [
            (after(paid(0)), K.PERIOD_ENDING, after(paid(0)).sub(3).granted_by),
            (after(paid(0), paused(1, effective=2, resume=20)), K.PAUSED_ENDING, cause_of("pause", written(20))),
            (after(paid(0)), K.ACTIVATED, cause_of("began", written(0))),
            (after(trial(0)), K.TRIAL_STARTED, cause_of("began", written(0))),
            (after(paid(0), cancelled(2)), K.LAPSED, after(paid(0), cancelled(2)).sub(3).granted_by),
        ],
    )
    def test_so_has_every_other_milestone_and_the_names_never_change(
        self, story: Story, kind: MomentKind, grant: str
    ) -> None:
        """Documents remember by them what was decided."""
        assert at(story, 3, kind, 1).cause == f"{kind}/main/1/{grant}"

    def test_ends_anew_if_it_is_extended(self) -> None:
        story = after(trial(0, ends=14))
        reminder, longer = at(story, 11, K.TRIAL_ENDING), story.then(trial(11, ends=30))
        assert reminder.cause != at(longer, 12, K.TRIAL_ENDING).cause
        assert is_true(reminder, story, 11)
        assert not is_true(reminder, longer, 11)

    def test_ends_once_if_it_is_reported_twice(self) -> None:
        story = after(trial(0, ends=14))
        again = story.then(trial(0.1, ends=14))
        assert at(story, 1, K.TRIAL_ENDING).cause == at(again, 1, K.TRIAL_ENDING).cause

    def test_is_untrue_once_the_time_after_it_is_paid(self) -> None:
        story = after(trial(0, ends=14))
        assert not is_true(at(story, 11, K.TRIAL_ENDING), story.then(paid(12, start=14)), 12)


class TestAPeriodThatEnds:
    def test_is_ending_at_its_offsets(self) -> None:
        story = after(paid(0))
        assert planned(story, 1, K.PERIOD_ENDING) == [(K.PERIOD_ENDING, 3, 27), (K.PERIOD_ENDING, 1, 29)]

    @pytest.mark.parametrize("auto_renew", [True, False])
    def test_is_ending_whether_it_renews_or_not(self, auto_renew: bool) -> None:
        assert coming(after(paid(0, auto_renew=auto_renew)), 1, K.PERIOD_ENDING) == 23

    def test_is_ending_from_its_start_if_it_is_shorter_than_the_offset(self) -> None:
        assert coming(after(paid(0, end=5)), 1, K.PERIOD_ENDING) == 0

    def test_moves_when_it_is_extended(self) -> None:
        story = after(paid(0))
        reminder, longer = at(story, 24, K.PERIOD_ENDING), story.then(extended(24, end=40))
        assert coming(longer, 25, K.PERIOD_ENDING) == 33
        assert not is_true(reminder, longer, 24)

    def test_ends_once_if_it_is_reported_twice(self) -> None:
        story = after(paid(0))
        assert at(story, 1, K.PERIOD_ENDING) == at(story.then(paid(1, start=0)), 2, K.PERIOD_ENDING)

    def test_is_untrue_once_it_is_renewed_before_its_end_or_after(self) -> None:
        story = after(paid(0))
        reminder = at(story, 24, K.PERIOD_ENDING)
        assert is_true(reminder, story, 29)
        for renewal in (paid(25, start=30), paid(30)):
            assert not is_true(reminder, story.then(renewal), 30)
            assert coming(story.then(renewal), 30, K.PERIOD_ENDING) == 53

    def test_is_not_ending_while_another_payment_goes_on_at_its_end(self) -> None:
        prepaid = after(paid(0), paid(1, start=30), paid(2, start=60))
        assert [coming(prepaid, on, K.PERIOD_ENDING) for on in (3, 31, 61)] == [None, None, 83]
        over_an_annual_one = after(paid(0, end=365, plan="annual"), paid(5, end=12, plan="extra"))
        assert coming(over_an_annual_one, 6, K.PERIOD_ENDING) is None

    def test_is_ending_if_the_next_one_starts_later_or_its_money_went_back(self) -> None:
        assert coming(after(paid(0), paid(1, start=33)), 2, K.PERIOD_ENDING) == 23
        story = after(paid(0), paid(1, start=30), refunded(2, start=30))
        assert coming(story, 3, K.PERIOD_ENDING) == 23

    def test_is_the_new_one_after_a_swap_of_plans(self) -> None:
        story = after(paid(0))
        reminder, swapped = at(story, 24, K.PERIOD_ENDING), story.then(paid(25, end=390, plan="annual"))
        assert not is_true(reminder, swapped, 25)
        assert coming(swapped, 26, K.PERIOD_ENDING) == 383

    @pytest.mark.parametrize(
        ("story", "on"),
        [
            (after(paid(0)), 31),
            (after(paid(0)), 40),
            (after(paid(0), refunded(1, start=0)), 2),
            (after(paid(0), cancelled(1)), 2),
            (after(paid(0), paused(1, effective=2)), 3),
            (after(awaited(0)), 1),
            (after(trial(0)), 1),
            (after(paid(0, start=9)), 1),
        ],
        ids=["grace", "hold", "revoked", "expired", "paused", "pending", "trial", "waiting"],
    )
    def test_is_of_an_active_subscription_alone(self, story: Story, on: float) -> None:
        assert story.sub(on).status is not Status.ACTIVE
        assert planned(story, on, K.PERIOD_ENDING) == []

    def test_is_over_while_its_plan_lingers_above_an_older_payment(self) -> None:
        story = after(paid(0, end=365), paid(5, end=12, plan="extra"))
        lingering = story.sub(13)
        assert (lingering.status, lingering.plan) == (Status.ACTIVE, "extra")
        assert planned(story, 13, K.PERIOD_ENDING) == []
        assert coming(story, 20, K.PERIOD_ENDING) == 358


class TestAPauseThatEnds:
    def test_is_ending_at_its_offsets(self) -> None:
        story = after(paid(0), paused(1, effective=2, resume=20))
        assert planned(story, 3, K.PAUSED_ENDING) == [(K.PAUSED_ENDING, 3, 17), (K.PAUSED_ENDING, 1, 19)]

    def test_is_ending_from_its_first_day_if_it_is_shorter_than_the_offset(self) -> None:
        assert coming(after(paid(0), paused(1, effective=2, resume=5)), 3, K.PAUSED_ENDING) == 2

    def test_moves_when_it_is_extended(self) -> None:
        story = after(paid(0), paused(1, effective=2, resume=20))
        reminder, longer = at(story, 14, K.PAUSED_ENDING), story.then(paused(14, effective=14, resume=25))
        assert coming(longer, 15, K.PAUSED_ENDING) == 18
        assert is_true(reminder, story, 14)
        assert not is_true(reminder, longer, 14)

    def test_ends_once_if_it_is_told_again(self) -> None:
        story = after(paid(0), paused(1, effective=2, resume=20))
        again = story.then(paused(5, effective=5, resume=20))
        assert at(story, 3, K.PAUSED_ENDING) == at(again, 6, K.PAUSED_ENDING)

    def test_is_untrue_once_the_user_resumes(self) -> None:
        story = after(paid(0), paused(1, effective=2, resume=20))
        assert not is_true(at(story, 14, K.PAUSED_ENDING), story.then(resumed(15)), 15)

    def test_has_no_end_if_none_was_given_or_it_has_not_begun(self) -> None:
        assert planned(after(paid(0), paused(1, effective=2)), 3, K.PAUSED_ENDING) == []
        assert planned(after(paid(0), paused(1, effective=9, resume=20)), 3, K.PAUSED_ENDING) == []


class TestATrialThatStarted:
    def test_comes_after_the_start(self) -> None:
        assert planned(after(trial(0)), 1, K.TRIAL_STARTED) == [(K.TRIAL_STARTED, 3, 3), (K.TRIAL_STARTED, 1, 1)]

    @pytest.mark.parametrize(
        "told",
        [trial(3, ends=20), trial(3, ends=5), trial(0.1), paid(3, start=14)],
        ids=["extended", "shortened", "told again", "paid"],
    )
    def test_stays_where_it_is(self, told: Event) -> None:
        story = after(trial(0))
        assert at(story, 1, K.TRIAL_STARTED) == at(story.then(told), 4, K.TRIAL_STARTED)
        assert is_true(at(story, 1, K.TRIAL_STARTED), story.then(told), 4)

    def test_keeps_its_start_through_a_pause(self) -> None:
        story = after(trial(0), paused(2, effective=2), resumed(4))
        assert story.sub(5).since == day(4)
        assert at(story, 5, K.TRIAL_STARTED) == at(after(trial(0)), 1, K.TRIAL_STARTED)

    def test_is_untrue_once_the_trial_is_over(self) -> None:
        story = after(trial(0, ends=14))
        assert not is_true(at(story, 8, K.TRIAL_STARTED), story, 14)
        assert not is_true(at(story, 8, K.TRIAL_STARTED), story.then(paid(9)), 9)

    def test_starts_anew_with_another_trial(self) -> None:
        story = after(trial(0), cancelled(3))
        assert coming(story, 4, K.TRIAL_STARTED) is None
        assert coming(story.then(trial(5, ends=20)), 6, K.TRIAL_STARTED) == 12

    def test_starts_when_the_paid_time_before_it_is_over(self) -> None:
        story = after(paid(0), trial(5, ends=60))
        assert coming(story, 31, K.TRIAL_STARTED) == 37
        assert coming(story.then(refunded(9, start=0)), 10, K.TRIAL_STARTED) == 16

    def test_moves_to_an_earlier_start_that_is_heard_of_later(self) -> None:
        second, first = trial(3, ends=20), trial(0)
        assert at(after(second, first), 4, K.TRIAL_STARTED) == at(after(first, second), 4, K.TRIAL_STARTED)

    def test_of_a_document_from_before_it_was_stored_begins_with_the_status(self) -> None:
        known, since = after(trial(0)).sub(1), day(0)
        assert known.trial_began_at == since
        before = known._replace(trial_began_at=None)
        assert subject_of(K.TRIAL_STARTED, before) == subject_of(K.TRIAL_STARTED, known)


class TestAnActivation:
    def test_is_followed_at_its_offsets(self) -> None:
        assert planned(after(paid(0)), 1, K.ACTIVATED) == [(K.ACTIVATED, 3, 3), (K.ACTIVATED, 1, 1)]

    @pytest.mark.parametrize(
        ("story", "on"),
        [
            (after(paid(0), failed(30), paid(33, start=30)), 34),
            (after(paid(0), failed(30)), 34),
            (after(paid(0), paid(30), paid(60)), 61),
            (after(paid(0), paid(45)), 46),
            (after(paid(0), paused(1, effective=2), resumed(9)), 10),
            (after(paid(0), refunded(2, start=0), refund_reversed(5, start=0)), 6),
            (after(paid(0), paid(5, plan="annual", end=370), refunded(6, start=0)), 7),
            (after(paid(0), extended(5, end=60)), 6),
            (after(paid(0), trial(5, ends=60)), 35),
        ],
        ids=["recovered", "grace", "renewed", "hold", "paused", "refund reversed", "swapped", "extended", "trial"],
    )
    def test_stays_where_it_is_while_access_goes_on(self, story: Story, on: float) -> None:
        assert story.sub(on).entitled
        assert at(story, on, K.ACTIVATED) == at(after(paid(0)), 1, K.ACTIVATED)

    @pytest.mark.parametrize(
        ("story", "on"),
        [
            (after(paid(0)), 40),
            (after(paid(0), refunded(2, start=0)), 3),
            (after(paid(0), cancelled(2)), 3),
            (after(paid(0), paused(1, effective=2)), 3),
            (after(trial(0)), 1),
            (after(trial(0, ends=14), paid(5, start=14)), 6),
            (after(paid(0), cancelled(2), trial(5, ends=20)), 6),
            (after(awaited(0, grace_until=9)), 1),
        ],
        ids=[
            "hold",
            "revoked",
            "expired",
            "paused",
            "trial",
            "trial paid",
            "trial after the end",
            "pending grace",
        ],
    )
    def test_is_nothing_without_paid_access(self, story: Story, on: float) -> None:
        assert planned(story, on, K.ACTIVATED) == []

    @pytest.mark.parametrize(
        ("story", "on", "activated"),
        [
            (after(paid(0), cancelled(2), paid(9)), 10, 9),
            (after(paid(0), refunded(2, start=0), paid(9)), 10, 9),
            (after(paid(0, end=5), paid(1, start=20)), 21, 20),
            (after(paid(0, start=4)), 5, 4),
            (after(trial(0), paid(9)), 10, 9),
            (after(trial(0, ends=14), paid(9, start=14)), 15, 14),
            (after(trial(0, ends=14), failed(14), paid(17)), 18, 17),
            (after(paid(0), cancelled(2), trial(5, ends=20), paid(20)), 21, 20),
            (after(awaited(0), paid(2)), 3, 2),
        ],
        ids=[
            "after the end",
            "after a refund",
            "after a gap",
            "when its period begins",
            "converted",
            "converted ahead",
            "converted late",
            "converted after the end",
            "settled",
        ],
    )
    def test_begins_with_the_first_paid_access(self, story: Story, on: float, activated: float) -> None:
        assert coming(story, on, K.ACTIVATED) == activated + 7

    def test_is_another_after_the_end(self) -> None:
        story = after(paid(0))
        moment, ended = at(story, 8, K.ACTIVATED), story.then(cancelled(20))
        assert is_true(moment, story, 19)
        assert not is_true(moment, ended, 20)
        assert not is_true(moment, ended.then(paid(21)), 21)

    def test_moves_to_an_earlier_payment_that_is_heard_of_later(self) -> None:
        first, second = paid(0), paid(30)
        assert at(after(second, first), 31, K.ACTIVATED) == at(after(first, second), 31, K.ACTIVATED)

    def test_of_a_document_from_before_it_was_stored_is_the_first_payment(self) -> None:
        known = after(paid(0), paid(30)).sub(31)
        assert known.activated_at == day(0)
        assert subject_of(K.ACTIVATED, known._replace(activated_at=None)) == subject_of(K.ACTIVATED, known)

    def test_of_such_a_document_is_unknown_once_access_has_ended(self) -> None:
        known = after(paid(0), cancelled(2), paid(9)).sub(10)
        assert subject_of(K.ACTIVATED, known._replace(activated_at=None)) is None

    def test_of_such_a_document_is_not_a_trial_that_was_paid_ahead(self) -> None:
        known = after(trial(0, ends=14), paid(9, start=14)).sub(10)
        assert subject_of(K.ACTIVATED, known) is None

    @pytest.mark.parametrize("recovery", [paid(33, start=30), paid(50)])
    def test_of_such_a_document_does_not_begin_with_a_recovery(self, recovery: Event) -> None:
        story = after(paid(0), cancelled(1), paid(2, end=30))
        old = story.sub(2)._replace(activated_at=None)
        recovered = Story(History(base=Account((old,)), head=Account((old,)))).then(recovery)
        assert recovered.sub(51).status is Status.ACTIVE
        assert recovered.sub(51).activated_at is None


class TestASubscriptionThatExpired:
    def test_lapses_at_the_offsets(self) -> None:
        assert planned(after(paid(0), cancelled(5)), 6, K.LAPSED) == [(K.LAPSED, 3, 8), (K.LAPSED, 1, 6)]

    def test_lapses_within_the_calendar(self) -> None:
        story = after(paid(0), cancelled(5))
        forever = story.sub(6)._replace(since=END_OF_TIME)
        assert [one.at for one in milestones(forever, {K.LAPSED: [DAY]})] == [END_OF_TIME]


@pytest.mark.parametrize("story", [Story(), after(awaited(0)), after(paid(0), refunded(1, start=0))])
def test_without_access_or_an_end_there_are_no_milestones(story: Story) -> None:
    assert planned(story, 2, *MILESTONES) == []


def test_without_offsets_there_are_none() -> None:
    assert list(milestones(after(trial(0)).sub(1), {})) == []
    assert planned(after(trial(0)), 1, *MILESTONES, offsets=()) == []


def test_every_milestone_has_a_subject() -> None:
    assert set(OF_KIND) == MILESTONES


def test_milestones_are_those_of_the_best_subscription() -> None:
    story = after(paid(0, end=10, sub="a"), paid(1, sub="b"))
    moment = at(after(paid(0, end=10)), 8, K.PERIOD_ENDING)
    account = story.account(8)
    assert account.best.id == "b"
    assert not is_still_true(account, moment.kind, "a", moment.grant, moment.offset)


def test_a_moment_without_an_offset_stays_true_as_it_was() -> None:
    """An activation is a moment of its own, beside the milestones after it."""
    story = after(paid(0), failed(30))
    activated = at(story, 1, K.ACTIVATED)
    assert is_still_true(story.account(31), K.ACTIVATED, "main", activated.grant, activated.offset)
    assert not is_still_true(story.account(31), K.ACTIVATED, "main", None)
