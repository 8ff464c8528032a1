"""One processing: what it decides, revokes, tells, and when the clock must look again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.contracts.topics import Topic
from shared.decisioning.catalog import EMPTY, Catalog
from shared.domain.arrival import Arrival
from shared.domain.events import Event, FeedbackGiven, FeedbackKind, Profile, Signal, TimePassed
from shared.domain.moments import MomentKind
from shared.processing import Policy, Processed, process
from shared.record import MAX_FIRED, Fired, UserRecord
from tests.catalogs import EVERYTHING, FLEETING, RATIONED
from tests.domain.story import (
    TERMS,
    auto_renew_off,
    auto_renew_on,
    awaited,
    cancelled,
    day,
    event,
    failed,
    paid,
    paused,
    refunded,
    signal,
    trial,
)
from tests.histories import USER

K = MomentKind


class Told:
    """A record, and what every processing so far said to the world."""

    def __init__(self, catalog: Catalog = EVERYTHING) -> None:
        self.policy = Policy(catalog, TERMS)
        self.record = UserRecord(USER)
        self.last = Processed(self.record, Arrival.APPLIED)

    def process(self, one: Event, on: float | None = None) -> "Told":
        """Process an event on a day; by default on that on which it occurred."""
        now = one.occurred_at if on is None else day(on)
        self.last = process(self.record, one, now, self.policy)
        self.record = self.last.record
        return self

    def time_passes(self, until: float) -> "Told":
        return self.process(event(until, Topic.LIFECYCLE_DUE, TimePassed()))

    def triggers(self, kind: str) -> list[str]:
        """The moments of the triggers that the last processing issued, or revoked."""
        bodies = [one.body for one in self.last.messages if one.topic == Topic.UPSELL_TRIGGER]
        return [body["moment"] for body in bodies if body["kind"] == kind]

    def reasons(self) -> dict[str, str | None]:
        """Of the last decision, each moment with the reason why nothing was offered."""
        bodies = [one.body for one in self.last.messages if one.topic == Topic.DECISION]
        return {one["moment"]: one["reason"] for body in bodies for one in body["candidates"]}

    @property
    def due(self) -> float | None:
        at = self.record.next_due_at
        return None if at is None else (at - day(0)) / timedelta(days=1)


class TestMoments:
    def test_all_moments_of_one_commit_are_decided_together(self) -> None:
        told = Told().process(paid(0)).process(paid(30, plan="annual"))
        assert told.triggers("issued") == [K.PLAN_CHANGED, K.RENEWED]
        assert sum(message.topic == Topic.DECISION for message in told.last.messages) == 1

    def test_fire_only_for_the_best_subscription(self) -> None:
        told = Told().process(paid(0, sub="best")).process(trial(1, sub="other"))
        assert told.triggers("issued") == []
        assert told.reasons() == {}

    def test_that_time_brought_fire_with_whatever_comes_next(self) -> None:
        told = Told().process(trial(0, ends=14, auto_renew=False)).process(cancelled(15))
        assert {K.TRIAL_ENDED, K.EXPIRED} <= set(told.triggers("issued"))

    def test_that_time_brought_fire_once(self) -> None:
        told = Told().process(trial(0, ends=14, auto_renew=False)).time_passes(14)
        assert set(told.triggers("issued")) == {K.TRIAL_ENDED, K.EXPIRED}
        assert told.time_passes(14.1).last.messages == ()

    def test_that_were_decided_in_vain_do_not_fire_again(self) -> None:
        """`fired` keeps the causes decided, winner or not."""
        told = Told(RATIONED).process(trial(0, ends=14, auto_renew=False)).time_passes(14)
        causes = len(told.record.fired.causes)
        assert causes > 0
        assert told.time_passes(14.5).record.fired.causes == told.record.fired.causes

    def test_older_than_72_hours_are_stale(self) -> None:
        assert Told().process(paid(0), on=2.9).reasons() == {K.ACTIVATED: None}
        assert Told().process(paid(0), on=3).reasons() == {K.ACTIVATED: "stale"}

    def test_that_no_longer_hold_are_stale(self) -> None:
        told = Told().process(paid(0)).process(paid(31, start=30)).process(failed(30), on=31)
        assert told.reasons() == {K.PAYMENT_FAILED: "stale"}

    def test_churn_risk_is_raised_by_how_a_user_behaves(self) -> None:
        told = Told().process(paid(0)).process(signal(Signal.CANCEL_PAGE_VIEWED, 1))
        assert told.triggers("issued") == [K.CHURN_RISK_RAISED]

    def test_churn_risk_is_of_the_subscription_that_speaks_whichever_the_signal_names(self) -> None:
        told = Told().process(paid(0, sub="car")).process(signal(Signal.INACTIVITY, 1))
        assert told.triggers("issued") == [K.CHURN_RISK_RAISED]

    def test_churn_risk_is_not_raised_again_by_the_same_signal_nor_by_an_old_one(self) -> None:
        told = Told().process(paid(0))
        many = [signal(Signal.INACTIVITY, on) for on in range(1, 10)]
        for one in many[1:]:
            told.process(one)
        assert told.process(many[-1], on=10).last.messages == ()
        assert told.process(many[0], on=10).last == Processed(told.record, Arrival.LATE)

    def test_churn_risk_of_somebody_who_left_is_stale(self) -> None:
        told = Told().process(paid(0)).process(cancelled(1)).process(signal(Signal.INACTIVITY, 2))
        assert told.reasons()[K.CHURN_RISK_RAISED] == "stale"


class TestMilestones:
    def test_fire_when_they_are_reached(self) -> None:
        told = Told().process(trial(0, ends=14))
        assert told.time_passes(11).triggers("issued") == [K.TRIAL_ENDING]
        assert told.time_passes(13).triggers("issued") == [K.TRIAL_ENDING]

    def test_of_a_trial_shorter_than_the_offset_fire_at_its_start(self) -> None:
        assert set(Told().process(trial(0, ends=2)).triggers("issued")) == {K.TRIAL_STARTED, K.TRIAL_ENDING}

    def test_of_an_extended_trial_are_taken_back_and_fire_anew(self) -> None:
        told = Told().process(trial(0, ends=14)).time_passes(11)
        assert told.process(trial(12, ends=30)).triggers("revoked") == [K.TRIAL_ENDING]
        assert told.time_passes(27).triggers("issued") == [K.TRIAL_ENDING]

    def test_of_a_trial_told_twice_fire_once(self) -> None:
        told = Told().process(trial(0, ends=14)).time_passes(11)
        assert told.process(trial(12, ends=14)).triggers("issued") == []
        assert told.triggers("revoked") == []

    def test_missed_by_more_than_72_hours_are_stale(self) -> None:
        told = Told().process(paid(0)).process(cancelled(0.5)).time_passes(12)
        assert told.reasons() == {K.LAPSED: "stale"}


class TestFired:
    """What time brought and was decided stays decided, though only the newest causes are kept."""

    def decided(self, *days: float) -> Fired:
        fired = Fired()
        for on in days:
            fired = fired.plus(((day(on), f"cause of day {on}"),))
        return fired

    def test_covers_what_was_decided_and_no_more(self) -> None:
        fired = self.decided(1, 3)
        assert fired.covers(day(1), "cause of day 1")
        assert not fired.covers(day(2), "cause of day 2")

    def test_keeps_the_newest_and_covers_all_that_is_older(self) -> None:
        fired = self.decided(*range(MAX_FIRED + 10))
        assert len(fired.causes) == MAX_FIRED
        assert all(fired.covers(day(on), f"cause of day {on}") for on in range(MAX_FIRED + 10))
        assert not fired.covers(day(MAX_FIRED + 10), "another")

    def test_keeps_short_names_of_long_causes(self) -> None:
        fired = Fired().plus(((day(0), "x" * 500),))
        assert len(fired.causes[0][1]) == 16


class TestPending:
    def test_goes_by_age_after_the_longest_time_a_message_can_come_again(self) -> None:
        told = Told(EMPTY).process(paid(0)).process(failed(13.9, start=31))
        assert len(told.record.pending) == 1
        assert len(told.process(auto_renew_off(13.95)).record.pending) == 2
        told.process(auto_renew_on(14))
        assert [entry.committed_at for entry in told.record.pending] == [day(13.95), day(14)]


class TestRevocation:
    def test_goes_out_when_the_condition_ceases(self) -> None:
        told = Told().process(paid(0)).process(failed(30))
        assert told.process(paid(31, start=30)).triggers("revoked") == [K.PAYMENT_FAILED]

    def test_goes_out_once(self) -> None:
        told = Told().process(paid(0)).process(failed(30)).process(paid(31, start=30))
        assert told.process(auto_renew_off(32)).triggers("revoked") == []

    def test_is_not_told_of_what_has_expired(self) -> None:
        told = Told(FLEETING).process(paid(0)).process(failed(30))
        assert told.process(paid(31, start=30)).triggers("revoked") == []

    def test_goes_out_when_another_subscription_comes_to_speak(self) -> None:
        told = Told().process(trial(0, sub="a"))
        assert told.process(paid(1, sub="b")).triggers("revoked") == [K.TRIAL_STARTED]

    def test_of_a_trial_goes_out_when_it_turns_to_grace(self) -> None:
        """Silent as grace is, the offer to keep listening before the trial ends is not true any more."""
        told = Told().process(trial(0, ends=14)).time_passes(13)
        assert told.due == 14
        assert K.TRIAL_ENDING in told.time_passes(14).triggers("revoked")


class TestWhenTheClockLooksAgain:
    @pytest.mark.parametrize(
        ("events", "due"),
        [
            ([awaited(0)], 3),
            ([trial(0, ends=14)], 11),
            ([paid(0)], 37),
            ([paid(0), auto_renew_off(1)], 30),
            ([paid(0), paused(1)], 30),
            ([paid(0), cancelled(1, effective=9)], 9),
            ([paid(0), cancelled(1)], 2),
            ([paid(0), refunded(1, start=0)], None),
        ],
    )
    def test_is_the_next_thing_somebody_must_hear_of(self, events: list[Event], due: float | None) -> None:
        """With milestones but without any campaign."""
        told = Told(replace(EMPTY, milestones=EVERYTHING.milestones))
        for one in events:
            told.process(one)
        assert told.due == due

    def test_is_earlier_while_an_offer_is_open_that_silence_would_leave_standing(self) -> None:
        assert Told().process(paid(0)).due == 30

    def test_is_earlier_where_silence_would_let_another_subscription_speak(self) -> None:
        told = Told(EMPTY).process(paid(0, sub="a")).process(trial(20, ends=60, sub="b"))
        assert told.due == 30
        told.time_passes(30)
        assert [message.body["after"]["status"] for message in told.last.messages] == ["trialing"]

    def test_is_always_ahead(self) -> None:
        told = Told().process(trial(0, ends=14))
        looked = []
        while (due := told.due) is not None:
            assert not looked or due > looked[-1]
            looked.append(due)
            told.time_passes(due)
        assert looked == [11, 13, 14, 21, 81, 82, 88, 111]

    def test_finds_nothing_to_write_when_it_looks_in_vain(self) -> None:
        told = Told().process(paid(0))
        before = told.record
        assert told.time_passes(5).record is before


class TestChanges:
    def changed(self, told: Told) -> list[dict[str, object]]:
        return [one.body for one in told.last.messages if one.topic == Topic.SUBSCRIPTION_CHANGE]

    def test_are_told_with_what_was_and_what_is(self) -> None:
        (change,) = self.changed(Told(EMPTY).process(paid(0)).process(failed(30)))
        assert (change["before"]["status"], change["after"]["status"]) == ("active", "grace")

    def test_are_not_told_where_nothing_shown_changed(self) -> None:
        told = Told(EMPTY).process(paid(0)).process(signal(Signal.INACTIVITY, 1))
        assert self.changed(told) == []

    def test_of_a_subscription_that_does_not_speak_are_not_told(self) -> None:
        told = Told(EMPTY).process(paid(0, sub="a")).process(awaited(1, sub="b"))
        assert self.changed(told) == []


class TestProfile:
    def test_is_merged_from_every_event_even_one_that_is_otherwise_known(self) -> None:
        """The second report of a click tells nothing new of the trigger, but something of the user."""
        told = Told().process(paid(0))
        trigger_id = told.record.triggers[0].trigger_id
        clicked = [event(on, "trigger-feedback", FeedbackGiven(trigger_id, FeedbackKind.CLICKED)) for on in (1, 2)]
        told.process(clicked[0]).process(replace(clicked[1], profile=Profile(country="SE")))
        assert told.last.arrival is Arrival.DUPLICATE
        assert [said.value for said in told.record.profile] == ["SE"]

    def test_that_says_nothing_new_writes_nothing(self) -> None:
        one = replace(paid(0), profile=Profile(country="DE"))
        told = Told().process(one)
        assert told.process(one).last == Processed(told.record, Arrival.DUPLICATE)


class TestCaps:
    def test_count_what_was_revoked(self) -> None:
        told = Told(RATIONED).process(paid(0)).process(failed(30)).process(paid(31, start=30))
        assert sum(trigger.campaign_id == "once" for trigger in told.record.triggers) == 1

    def test_outlive_sixty_four_other_offers(self) -> None:
        """What caps count is forgotten last: an offer made once stays made."""
        told = Told(RATIONED).process(paid(0))
        for on in range(1, 400):
            told.process(paid(4 * on, plan=f"plan-{on}"))
        offered = [trigger.campaign_id for trigger in told.record.triggers]
        assert len(offered) == 64
        assert (offered.count("once"), offered.count("seldom")) == (1, 3)
