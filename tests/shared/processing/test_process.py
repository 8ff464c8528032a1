"""One processing: what it decides, revokes, tells, and when the clock must look again."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog, empty_catalog
from shared.decisioning.compile import compile_catalog
from shared.domain.arrival import Arrival
from shared.domain.errors import Rejected
from shared.domain.events import Event, FeedbackGiven, FeedbackKind, Profile, Signal, TimePassed
from shared.domain.moments import MomentKind
from shared.processing.outbox import worth_republishing
from shared.processing.process import Processed, process
from shared.processing.rules import Rules
from shared.record.codec import pack, unpack
from shared.record.user_record import MAX_DEFERRED, MAX_FIRED, MAX_TRIGGERS, Fired, UserRecord
from tests.support.catalogs import EVERYTHING, FLEETING, LIBRARY, OFFSETS, RATIONED, SCORES
from tests.support.histories import USER
from tests.support.story import (
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

K = MomentKind


class Told:
    """A record, and what every processing so far said to the world."""

    def __init__(self, catalog: Catalog = EVERYTHING) -> None:
        self.policy = Rules(catalog, TERMS)
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
        told = Told(empty_catalog()).process(paid(0)).process(signal(Signal.INACTIVITY, 13.9))
        assert len(told.record.pending) == 1
        assert len(told.process(auto_renew_off(13.95)).record.pending) == 2
        told.process(auto_renew_on(14))
        assert [entry.committed_at for entry in told.record.pending] == [day(13.95), day(14)]

    @pytest.mark.parametrize(("out", "kept"), [(2, [0, 1, 2]), (4, [0, 1, 2, 3, 4]), (6, [2, 3, 4, 5, 6])])
    def test_keeps_of_what_is_out_the_newest_4_and_all_that_may_not_be(self, out: int, kept: list[int]) -> None:
        told = Told(empty_catalog())
        for number in range(out + 1):
            told.process(paid(number, plan=f"plan-{number}"))
        entries = [entry._replace(is_published=True) for entry in told.record.pending[:out]]
        told.record = told.record._replace(pending=(*entries, *told.record.pending[out:]))
        told.process(paid(out + 1, plan="another"))
        assert [entry.committed_at for entry in told.record.pending] == [
            day(number) for number in (*kept, out + 1)
        ]


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
            ([paid(0), refunded(1, start=0)], 30),
            ([trial(0, ends=14), paid(10, start=14)], 14),
        ],
    )
    def test_is_the_next_thing_somebody_must_hear_of(self, events: list[Event], due: float | None) -> None:
        """With milestones but without any campaign."""
        told = Told(replace(empty_catalog(), milestones=EVERYTHING.milestones))
        for one in events:
            told.process(one)
        assert told.due == due

    def test_is_earlier_while_an_offer_is_open_that_silence_would_leave_standing(self) -> None:
        assert Told().process(paid(0)).due == 30

    def test_is_earlier_where_silence_would_let_another_subscription_speak(self) -> None:
        told = Told(empty_catalog()).process(paid(0, sub="a")).process(trial(20, ends=60, sub="b"))
        assert told.due == 30
        told.time_passes(30)
        (change,) = [message.body for message in told.last.messages]
        assert (change["subscription_id"], change["after"]["status"]) == ("a", "grace")
        assert change["user_status"] == "trialing"

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
    def changed(self, told: Told) -> list[dict[str, Any]]:
        return [one.body for one in told.last.messages if one.topic == Topic.SUBSCRIPTION_CHANGE]

    def moments(self, told: Told) -> list[str]:
        return [moment["kind"] for change in self.changed(told) for moment in change["moments"]]

    def test_tell_the_moment_that_no_campaign_hears(self) -> None:
        told = Told(empty_catalog()).process(paid(0))
        (change,) = self.changed(told)
        (moment,) = change["moments"]
        assert moment == {
            "kind": "activated",
            "subscription_id": "main",
            "at": "2026-01-01T00:00:00Z",
            "offset": None,
            "cause": change["cause"],
        }

    def test_tell_a_moment_also_where_no_fact_changed(self) -> None:
        told = Told(empty_catalog()).process(paid(0)).process(failed(1, start=30)).process(paid(2, start=30))
        told.process(failed(3, start=60))
        (change,) = self.changed(told)
        assert (self.moments(told), change["changed"]) == ([K.PAYMENT_FAILED], [])
        assert change["before"] == change["after"] == {"status": "active", "entitled": True}

    def test_tell_the_cause_by_which_the_trigger_names_its_moment(self) -> None:
        told = Told().process(trial(0, ends=14, auto_renew=False)).time_passes(14)
        causes = {moment["cause"] for change in self.changed(told) for moment in change["moments"]}
        triggers = [one.body for one in told.last.messages if one.topic == Topic.UPSELL_TRIGGER]
        assert {body["cause"] for body in triggers if body["kind"] == "issued"} == causes

    def test_tell_a_moment_that_is_too_late_to_be_decided(self) -> None:
        told = Told().process(paid(0), on=20)
        assert (told.reasons(), self.moments(told)) == ({K.ACTIVATED: "stale"}, [K.ACTIVATED])
        assert self.changed(told)[0]["moments"][0]["at"] == "2026-01-01T00:00:00Z"

    def test_tell_a_moment_that_is_no_longer_true(self) -> None:
        told = Told(empty_catalog()).process(paid(0)).process(paid(31, start=30)).process(failed(30), on=31)
        assert self.moments(told) == [K.PAYMENT_FAILED]

    def test_tell_the_moments_of_a_subscription_that_does_not_speak(self) -> None:
        told = Told().process(paid(0, sub="best")).process(trial(1, sub="other"))
        (change,) = self.changed(told)
        assert (change["subscription_id"], self.moments(told)) == ("other", [K.TRIAL_STARTED])
        assert change["moments"][0]["subscription_id"] == "other"

    def test_tell_a_milestone_where_the_catalog_lists_it_alone(self) -> None:
        listed = (
            Told(replace(empty_catalog(), milestones=EVERYTHING.milestones))
            .process(trial(0, ends=14))
            .time_passes(11)
        )
        ((moment,),) = [change["moments"] for change in self.changed(listed)]
        assert (moment["kind"], moment["offset"], moment["at"]) == (K.TRIAL_ENDING, "3d", "2026-01-12T00:00:00Z")
        unlisted = Told(empty_catalog()).process(trial(0, ends=14)).time_passes(11)
        assert self.changed(unlisted) == []

    def test_tell_a_moment_of_time_once_though_every_look_finds_it_again(self) -> None:
        told = Told(empty_catalog()).process(trial(0, ends=14, auto_renew=False)).time_passes(14)
        assert self.moments(told) == [K.EXPIRED, K.TRIAL_ENDED]
        assert self.moments(told.process(cancelled(15))) == []

    def test_tell_a_raised_score_once(self) -> None:
        told = Told(one_campaign("renewed")).process(paid(0)).process(signal(Signal.INACTIVITY, 1))
        assert self.moments(told) == [K.CHURN_RISK_RAISED]
        assert self.moments(told.process(signal(Signal.INACTIVITY, 1.1))) == []

    def test_tell_all_facts_and_the_names_of_those_that_changed(self) -> None:
        (change,) = self.changed(Told(empty_catalog()).process(paid(0)).process(failed(30)))
        assert change["changed"] == ["status", "grace_until"]
        assert change["facts"] | change["after"] == change["facts"]
        assert change["facts"]["plan"] == "basic"

    def test_tell_the_money_of_the_payment_that_grants_the_period(self) -> None:
        told = Told(empty_catalog()).process(trial(0, ends=14))
        assert "period_amount" not in self.changed(told)[0]["facts"]
        facts = self.changed(told.process(paid(14)))[0]["facts"]
        assert (facts["period_amount"], facts["period_currency"]) == (999, "EUR")

    def test_tell_no_amount_that_was_stored_without_its_currency(self) -> None:
        told = Told(empty_catalog()).process(paid(0))
        head = told.record.history.head
        (main,) = head.subscriptions
        grants = tuple(grant._replace(currency=None) for grant in main.grants)
        bare = main._replace(current=grants[0], grants=grants)
        told.record = told.record._replace(history=told.record.history._replace(head=head.put(bare)))
        assert "period_amount" not in self.changed(told.process(auto_renew_off(1)))[0]["facts"]

    def test_are_told_with_what_was_and_what_is(self) -> None:
        (change,) = self.changed(Told(empty_catalog()).process(paid(0)).process(failed(30)))
        assert (change["before"]["status"], change["after"]["status"]) == ("active", "grace")

    def test_are_not_told_where_nothing_shown_changed(self) -> None:
        told = Told(empty_catalog()).process(paid(0)).process(signal(Signal.INACTIVITY, 1))
        assert self.changed(told) == []

    def test_of_a_subscription_that_does_not_speak_are_told_with_the_status_of_the_one_that_does(self) -> None:
        (change,) = self.changed(Told(empty_catalog()).process(paid(0, sub="a")).process(awaited(1, sub="b")))
        assert (change["subscription_id"], change["after"]["status"]) == ("b", "pending")
        assert (change["user_status"], change["user_entitled"]) == ("active", True)

    def test_of_two_subscriptions_at_one_instant_are_both_told(self) -> None:
        told = Told(empty_catalog()).process(paid(0, sub="a")).process(paid(0, sub="b")).time_passes(37)
        assert [(one["subscription_id"], one["after"]["status"]) for one in self.changed(told)] == [
            ("a", "on_hold"),
            ("b", "on_hold"),
        ]


class TestProfile:
    def test_is_merged_from_every_event_even_one_that_is_otherwise_known(self) -> None:
        """The second report of a click tells nothing new of the trigger, but something of the user."""
        told = Told().process(paid(0))
        trigger_id = told.record.triggers[0].trigger_id
        clicked = [event(on, "trigger-feedback", FeedbackGiven(trigger_id, FeedbackKind.CLICKED)) for on in (1, 2)]
        told.process(clicked[0]).process(clicked[1]._replace(profile=Profile(country="SE")))
        assert told.last.arrival is Arrival.DUPLICATE
        assert [said.value for said in told.record.profile] == ["SE"]

    def test_has_attributes_which_are_merged_and_stored(self) -> None:
        first = paid(0)._replace(attributes=(("likes", ["jazz", 1]), ("level", 1)))
        told = Told().process(first).process(failed(30)._replace(attributes=(("level", None),)))
        assert told.record.attributes.values == {"likes": ["jazz", 1]}
        assert unpack(pack(told.record)) == told.record
        known = told.record
        assert told.process(first).record is known

    def test_that_says_nothing_new_writes_nothing(self) -> None:
        one = paid(0)._replace(profile=Profile(country="DE"))
        told = Told().process(one)
        assert told.process(one).last == Processed(told.record, Arrival.DUPLICATE)


class TestCaps:
    def test_count_what_was_revoked(self) -> None:
        told = Told(RATIONED).process(paid(0)).process(failed(30)).process(paid(31, start=30))
        assert sum(trigger.campaign_id == "once" for trigger in told.record.triggers) == 1

    def test_outlive_the_memory_of_offers(self) -> None:
        told = Told(RATIONED).process(paid(0))
        made = [*told.record.triggers]
        for on in range(1, 200):
            told.process(paid(4 * on, plan=f"plan-{on}"))
            made += [one for one in told.record.triggers if one.decided_at == day(4 * on)]
        assert len(made) > 3 * MAX_TRIGGERS
        assert len(told.record.triggers) == MAX_TRIGGERS
        offered = [one.campaign_id for one in made]
        assert (offered.count("once"), offered.count("seldom")) == (1, 3)


class TestForgetting:
    """The 49th offer that is open at a time drives out the first, which nobody would watch any more."""

    def crowded(self) -> Told:
        campaigns = {"any": {"offer": "o", "placement": "p", "moments": ["plan.changed"], "priority": 1}}
        offers = {"o": {"cms_ref": "x", "validity_hours": 8760}}
        placements = {"p": {"channel": "in_app", "holds": "decision"}}
        told = Told(compile_catalog({"placements": placements, "offers": offers, "campaigns": campaigns}))
        told = told.process(paid(0))
        for on in range(1, MAX_TRIGGERS + 1):
            told.process(paid(on / 24, plan=f"plan-{on}"))
        return told

    def test_revokes_what_is_still_open(self) -> None:
        told = self.crowded()
        first = told.record.triggers[0]
        assert told.triggers("revoked") == []
        told.process(paid(3, plan="another"))
        assert told.triggers("revoked") == [K.PLAN_CHANGED]
        assert told.last.messages[-1].body["trigger_id"] == first.trigger_id
        assert first not in told.record.triggers
        (of_campaign, *_) = told.record.tallies.rows
        assert [(count.event, count.number) for count in of_campaign.counts] == [("issued", 1)]

    def test_publishes_what_was_revoked_never_again(self) -> None:
        """Not when the event that issued it is redelivered either, though the document knows it no more."""
        told = self.crowded()
        caused = told.record.pending[1]
        told.process(paid(3, plan="another"))
        kinds = [message.body.get("kind") for message in caused.messages]
        again = [message.body.get("kind") for message in worth_republishing(caused, told.record, day(3))]
        assert (kinds.count("issued"), again.count("issued")) == (1, 0)
        assert len(again) == len(kinds) - 1

    @pytest.mark.parametrize(("on", "is_known"), [(16.9, True), (17.1, False)])
    def test_takes_the_identity_of_feedback_only_when_its_event_cannot_be_redelivered_any_more(
        self, on: float, is_known: bool
    ) -> None:
        told = self.crowded()
        newest = told.record.triggers[-1].trigger_id
        told.process(event(3, Topic.TRIGGER_FEEDBACK, FeedbackGiven(newest, FeedbackKind.CLICKED)))
        told.process(paid(on, plan="another"))
        (trigger,) = [one for one in told.record.triggers if one.trigger_id == newest]
        assert [bool(report.cause) for report in trigger.feedback] == [is_known]


PLACES = {"p": {"channel": "in_app"}}


def one_campaign(*moments: str, **terms: Any) -> Catalog:
    """A catalog of one campaign `c`, whose offers last for a month; the risk of churn rises as in others."""
    sections = {name: terms.pop(name) for name in ("experiments", "holdouts", "audiences") if name in terms}
    campaigns = {"c": {"offer": "o", "placement": "p", "moments": [*moments], "priority": 1, **terms}}
    offers = {"o": {"cms_ref": "x", "validity_hours": 720}}
    known = {"placements": PLACES, "offers": offers, "milestones": OFFSETS, "scores": SCORES}
    return compile_catalog({**known, "campaigns": campaigns, **sections}, LIBRARY)


class TestPutOff:
    """Days begin at midnight UTC, which is quiet until 8 in the morning: a third of a day."""

    QUIET = {"start": "22:00", "end": "08:00"}  # noqa: RUF012 - JSON
    MORNING = 1 / 3

    def night(self, *moments: str, **terms: Any) -> Told:
        return Told(one_campaign(*moments, quiet_hours=self.QUIET, **terms))

    def test_is_on_record_and_makes_the_user_due(self) -> None:
        told = self.night("activated").process(paid(0))
        assert told.reasons() == {K.ACTIVATED: "deferred"}
        assert told.due == pytest.approx(self.MORNING)

    def test_is_decided_afresh_when_the_night_is_over(self) -> None:
        told = self.night("activated").process(paid(0)).time_passes(self.MORNING)
        assert told.triggers("issued") == [K.ACTIVATED]
        assert told.record.deferred == ()
        assert told.time_passes(self.MORNING + 1).triggers("issued") == []

    def test_is_decided_by_whatever_comes_next(self) -> None:
        told = self.night("activated").process(paid(0)).process(auto_renew_off(0.5))
        assert told.triggers("issued") == [K.ACTIVATED]
        assert told.record.deferred == ()

    def test_waits_for_its_time_whatever_comes_before(self) -> None:
        told = self.night("activated").process(paid(0)).process(auto_renew_off(0.1))
        assert told.triggers("issued") == []
        assert told.due == pytest.approx(self.MORNING)

    def test_that_ceased_to_be_true_is_stale_and_on_record(self) -> None:
        told = (
            self.night("auto_renew.off").process(paid(-1)).process(auto_renew_off(0)).process(auto_renew_on(0.1))
        )
        assert told.time_passes(self.MORNING).reasons() == {K.AUTO_RENEW_OFF: "stale"}
        assert told.record.deferred == ()

    def test_that_grew_too_old_is_stale(self) -> None:
        told = self.night("activated").process(paid(0), on=2.95).time_passes(3 + self.MORNING)
        assert told.reasons() == {K.ACTIVATED: "stale"}

    def test_of_a_milestone_fires_once(self) -> None:
        told = self.night("trial.ending@3").process(trial(0, ends=14)).time_passes(11)
        assert told.reasons() == {K.TRIAL_ENDING: "deferred"}
        assert told.due == pytest.approx(11 + self.MORNING)
        assert told.time_passes(11 + self.MORNING).triggers("issued") == [K.TRIAL_ENDING]
        assert told.time_passes(11.9).last.messages == ()

    def test_keeps_the_id_that_its_cause_gives_it(self) -> None:
        one = paid(0)
        put_off = self.night("activated").process(one).time_passes(self.MORNING)
        at_once = Told(one_campaign("activated")).process(one)
        assert put_off.record.triggers[0].trigger_id == at_once.record.triggers[0].trigger_id

    def test_tells_of_each_moment_once(self) -> None:
        """Two campaigns put one moment off; it is one moment when it comes back."""
        terms = {"offer": "o", "placement": "p", "moments": ["activated"], "quiet_hours": self.QUIET}
        campaigns = {name: {**terms, "priority": n} for n, name in enumerate("ab")}
        offers = {"o": {"cms_ref": "x", "validity_hours": 720}}
        told = Told(compile_catalog({"placements": PLACES, "offers": offers, "campaigns": campaigns}))
        told.process(paid(0)).time_passes(self.MORNING)
        (decision,) = [one.body for one in told.last.messages if one.topic == Topic.DECISION]
        assert decision["moments"] == [K.ACTIVATED]
        assert [(one["campaign_id"], one["reason"]) for one in decision["candidates"]] == [
            ("b", None),
            ("a", "outranked"),
        ]

    def test_on_a_friday_night_waits_for_monday_morning(self) -> None:
        """1 January 2026 is a Thursday."""
        night = {"start": "22:00", "end": "07:00"}
        told = Told(one_campaign("activated", quiet_hours=night, days=["mon-fri"])).process(paid(1 + 23 / 24))
        assert told.due == pytest.approx(4 + 7 / 24)
        for on in (2.5, 3.9):
            assert told.time_passes(on).triggers("issued") == []
        assert told.time_passes(4 + 7 / 24).triggers("issued") == [K.ACTIVATED]

    def test_is_by_the_clock_of_the_user(self) -> None:
        told = self.night("activated").process(paid(0)._replace(profile=Profile(time_zone="Asia/Tokyo")))
        assert told.triggers("issued") == [K.ACTIVATED]

    def test_has_a_bound(self) -> None:
        told = self.night("plan.changed").process(paid(0))
        for number in range(1, 3 * MAX_DEFERRED):
            told.process(paid(number / 1000, plan=f"plan-{number}"))
        assert len(told.record.deferred) == MAX_DEFERRED


class TestChurnRisk:
    """The score of these catalogs is high for three days after a sign of leaving."""

    def test_is_raised_by_how_a_user_behaves(self) -> None:
        told = Told().process(paid(0)).process(signal(Signal.CANCEL_PAGE_VIEWED, 1))
        assert told.triggers("issued") == [K.CHURN_RISK_RAISED]

    def test_is_of_the_subscription_that_speaks_whichever_the_signal_names(self) -> None:
        told = Told().process(paid(0, sub="car")).process(signal(Signal.INACTIVITY, 1))
        assert [one.subscription_id for one in told.record.triggers if one.moment is K.CHURN_RISK_RAISED] == [
            "car"
        ]

    def test_is_raised_once_while_it_lasts(self) -> None:
        told = Told().process(paid(0)).process(signal(Signal.INACTIVITY, 1))
        assert told.process(signal(Signal.INACTIVITY, 2)).triggers("issued") == []
        assert told.process(signal(Signal.CANCEL_PAGE_VIEWED, 2.5)).triggers("issued") == []

    def test_is_raised_again_after_it_has_fallen(self) -> None:
        told = Told().process(paid(0)).process(signal(Signal.INACTIVITY, 1)).process(auto_renew_off(9))
        assert told.record.raised == ()
        assert told.process(signal(Signal.INACTIVITY, 9.5)).triggers("issued") == [K.CHURN_RISK_RAISED]

    def test_falls_when_the_clock_looks(self) -> None:
        told = Told().process(paid(0)).process(signal(Signal.INACTIVITY, 1))
        assert told.record.raised == ("risk",)
        assert told.time_passes(9).record.raised == ()

    def test_rises_when_the_clock_looks(self) -> None:
        """An artifact that asks how long there was silence would: here the catalog learns of the score later."""
        told = Told(empty_catalog()).process(paid(0)).process(signal(Signal.INACTIVITY, 1))
        told.policy = Rules(EVERYTHING, TERMS)
        assert told.time_passes(2).triggers("issued") == [K.CHURN_RISK_RAISED]
        assert told.time_passes(2).triggers("issued") == []

    def test_is_not_raised_by_what_comes_again(self) -> None:
        one = signal(Signal.INACTIVITY, 1)
        told = Told().process(paid(0)).process(one)
        assert told.process(one, on=2).last == Processed(told.record, Arrival.DUPLICATE)

    def test_is_not_raised_by_a_signal_that_comes_too_late(self) -> None:
        told = Told().process(paid(0))
        for on in range(2, 10):
            told.process(signal(Signal.INACTIVITY, on))
        told.time_passes(20)
        assert told.process(signal(Signal.INACTIVITY, 1), on=20).last == Processed(told.record, Arrival.LATE)

    def test_of_somebody_who_left_is_not_raised(self) -> None:
        told = Told().process(paid(0)).process(cancelled(1)).process(signal(Signal.INACTIVITY, 2))
        assert K.CHURN_RISK_RAISED not in told.reasons()
        assert told.record.raised == ()


class TestExposures:
    def exposures(self, told: Told) -> list[dict[str, Any]]:
        return [one.body for one in told.last.messages if one.topic == Topic.EXPOSURE]

    def feedback(self, told: Told, on: float, kind: FeedbackKind = FeedbackKind.CLICKED) -> Event:
        return event(on, "trigger-feedback", FeedbackGiven(told.record.triggers[0].trigger_id, kind))

    def test_go_out_for_what_a_consumer_reports(self) -> None:
        told = Told().process(paid(0))
        (issued,) = [one.body for one in told.last.messages if one.topic == Topic.UPSELL_TRIGGER]
        (exposure,) = self.exposures(told.process(self.feedback(told, 1), on=2))
        assert (exposure["kind"], exposure["occurred_at"]) == ("clicked", "2026-01-02T00:00:00Z")
        shared = exposure.keys() & issued.keys() - {"kind", "sequence", "decided_at", "event", "message_id"}
        assert {"trigger_id", "decision_id", "campaign_id", "offer_id", "cause", "catalog_version"} <= shared
        assert {name: exposure[name] for name in shared} == {name: issued[name] for name in shared}

    @pytest.mark.parametrize("kind", list(FeedbackKind))
    def test_go_out_for_every_kind(self, kind: FeedbackKind) -> None:
        told = Told().process(paid(0))
        assert [one["kind"] for one in self.exposures(told.process(self.feedback(told, 1, kind)))] == [kind]

    def test_speak_of_the_trigger_reported_on_alone(self) -> None:
        told = Told().process(paid(0)).process(paid(30, plan="annual"))
        first, *others = told.record.triggers
        assert others
        exposures = self.exposures(told.process(self.feedback(told, 31)))
        assert [one["trigger_id"] for one in exposures] == [first.trigger_id]

    def test_do_not_go_out_for_what_is_known(self) -> None:
        told = Told().process(paid(0))
        one = self.feedback(told, 1)
        told.process(one)
        assert told.process(one).last.messages == ()
        assert told.process(self.feedback(told, 2)).last.messages == ()

    def test_go_out_anew_where_an_earlier_report_comes_late(self) -> None:
        """The earliest of a kind counts: whoever analyses takes the earliest too."""
        told = Told().process(paid(0))
        told.process(self.feedback(told, 3))
        (exposure,) = self.exposures(told.process(self.feedback(told, 1), on=4))
        assert exposure["occurred_at"] == "2026-01-02T00:00:00Z"

    def test_go_out_for_what_was_revoked_or_has_expired(self) -> None:
        told = Told(FLEETING).process(paid(0))
        assert len(self.exposures(told.process(self.feedback(told, 20)))) == 1

    def test_are_refused_for_triggers_that_nobody_knows(self) -> None:
        told = Told().process(paid(0))
        unknown = event(1, "trigger-feedback", FeedbackGiven("no such", FeedbackKind.CLICKED))
        with pytest.raises(Rejected, match="unknown_trigger"):
            told.process(unknown)

    def test_say_what_a_user_was_spared(self) -> None:
        holdouts = {"h": {"percent": 100}}
        told = Told(one_campaign("activated", holdouts=holdouts)).process(paid(0))
        (exposure,) = self.exposures(told)
        assert (exposure["kind"], exposure["reason"], exposure["detail"]) == ("suppressed", "holdout", "h")
        assert (exposure["campaign_id"], exposure["offer_id"]) == ("c", "o")
        assert [one.withheld for one in told.record.triggers] == ["holdout"]
        assert told.triggers("issued") == []

    def test_of_an_arm_of_nothing_name_no_offer(self) -> None:
        variants = [{"id": "none", "offer": None, "weight": 1.0}, {"id": "some", "offer": "o", "weight": 0.0}]
        told = Told(one_campaign("activated", experiment="x", experiments={"x": {"variants": variants}}))
        (exposure,) = self.exposures(told.process(paid(0)))
        assert (exposure["offer_id"], exposure["variant"], exposure["reason"]) == (None, "none", "variant")
        assert [(one.experiment_id, one.variant) for one in told.record.assignments] == [("x", "none")]


class TestJoins:
    """Every message about an offer names the decision that made it, whatever brought the message."""

    def test_a_trigger_its_decision_and_its_exposure_name_each_other(self) -> None:
        told = Told().process(paid(0))
        bodies = {one.topic: one.body for one in told.last.messages}
        issued, decision = bodies[Topic.UPSELL_TRIGGER], bodies[Topic.DECISION]
        assert issued["decision_id"] == decision["decision_id"]
        assert issued["trigger_id"] in {one.get("trigger_id") for one in decision["candidates"]}
        feedback = event(1, "trigger-feedback", FeedbackGiven(issued["trigger_id"], FeedbackKind.CLICKED))
        told.process(feedback, on=1)
        (exposure,) = [one.body for one in told.last.messages if one.topic == Topic.EXPOSURE]
        assert (exposure["decision_id"], exposure["issued_at"]) == (decision["decision_id"], issued["decided_at"])

    def test_a_moment_that_time_brought_names_the_decision_of_the_event_that_found_it(self) -> None:
        told = Told(one_campaign("expired")).process(paid(0)).process(auto_renew_off(1))
        told.process(event(31, Topic.LIFECYCLE_DUE, TimePassed()))
        bodies = {one.topic: one.body for one in told.last.messages}
        issued, decision = bodies[Topic.UPSELL_TRIGGER], bodies[Topic.DECISION]
        assert issued["cause"] != decision["cause"]
        assert issued["decision_id"] == decision["decision_id"]

    def test_a_trigger_and_its_candidate_and_exposure_say_when_the_moment_was(self) -> None:
        told = Told().process(trial(0, ends=14)).process(event(11.5, Topic.LIFECYCLE_DUE, TimePassed()))
        bodies = {one.topic: one.body for one in told.last.messages}
        issued, (candidate, *_) = bodies[Topic.UPSELL_TRIGGER], bodies[Topic.DECISION]["candidates"]
        told.process(event(12, "trigger-feedback", FeedbackGiven(issued["trigger_id"], FeedbackKind.CLICKED)))
        exposure = told.last.messages[0].body
        assert {(one["moment_at"], one["offset"]) for one in (issued, candidate, exposure)} == {
            ("2026-01-12T00:00:00Z", "3d")
        }

    def test_a_trigger_stored_without_its_instant_is_told_without_it(self) -> None:
        told = Told().process(paid(0)).process(failed(30))
        old = tuple(one._replace(moment_at=None, offset=None) for one in told.record.triggers)
        told.record = told.record._replace(triggers=old)
        told.process(paid(31, start=30))
        revoked = next(one.body for one in told.last.messages if one.body.get("kind") == "revoked")
        assert (revoked["moment_at"], revoked["offset"]) == (None, None)

    def test_every_message_holds_its_own_id(self) -> None:
        told = Told().process(paid(0))
        assert all(one.body["message_id"] == one.message_id for one in told.last.messages)


class TestCatalogNumber:
    def told(self, number: int) -> Told:
        return Told(replace(EVERYTHING, number=number))

    def test_is_remembered_with_a_commit_and_never_lowered(self) -> None:
        told = self.told(5).process(paid(0))
        assert told.record.catalog_number == 5
        for number, remembered in ((3, 5), (6, 6), (0, 6)):
            told.policy = replace(told.policy, catalog=replace(EVERYTHING, number=number))
            assert told.process(signal(Signal.INACTIVITY, 1 + number)).record.catalog_number == remembered

    def test_alone_is_no_reason_to_commit(self) -> None:
        told = self.told(5).process(paid(0))
        before = told.record
        told.policy = replace(told.policy, catalog=replace(EVERYTHING, number=6))
        assert told.time_passes(1).record is before

    def test_that_is_lower_takes_back_nothing_but_what_is_untrue(self) -> None:
        told = self.told(5).process(paid(0))
        told.policy = replace(told.policy, catalog=replace(empty_catalog(), number=4))
        assert told.time_passes(1).triggers("revoked") == []
        assert told.process(refunded(2, start=0)).triggers("revoked") == [K.ACTIVATED]
        told = self.told(5).process(paid(0))
        told.policy = replace(told.policy, catalog=replace(empty_catalog(), number=5))
        assert told.time_passes(1).triggers("revoked") == [K.ACTIVATED]

    def test_that_is_lower_keeps_the_due_time_that_a_newer_milestone_has_set(self) -> None:
        expired = Told(replace(EVERYTHING, number=5)).process(trial(0, ends=3, auto_renew=False)).time_passes(3)
        assert expired.due == 4  # lapsed@1
        for number, due in ((4, 4), (5, None)):
            told = Told(replace(empty_catalog(), number=number))
            told.record = expired.record
            assert told.process(signal(Signal.INACTIVITY, 3.5)).due == due
        told = Told(replace(empty_catalog(), number=4))
        told.record = expired.record
        assert told.process(signal(Signal.INACTIVITY, 4.5)).due is None, "it is over"

    def test_of_a_document_from_before_is_0(self) -> None:
        told = Told().process(paid(0))
        assert told.record.catalog_number == 0
        told.policy = replace(told.policy, catalog=empty_catalog())
        assert told.time_passes(1).triggers("revoked") == [K.ACTIVATED]


def test_open_campaigns_are_sorted_and_each_is_named_once() -> None:
    record = Told().process(paid(0)).process(auto_renew_off(1)).process(auto_renew_on(2)).record
    now = day(3)
    found = record.open_campaigns(now)
    assert found == tuple(sorted(set(found)))
    assert set(found) == {one.campaign_id for one in record.triggers if one.is_open(now)}
    assert record.open_campaigns(day(60)) == ()
    withheld = record._replace(triggers=tuple(one._replace(withheld="holdout") for one in record.triggers))
    assert withheld.open_campaigns(now) == found
