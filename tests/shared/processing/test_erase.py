"""Erasure: what is dated after it stays, and of a user of whom nothing is, a tombstone alone."""

from datetime import datetime
from typing import Any

import pytest

from shared.contracts.topics import Topic
from shared.domain.arrival import Arrival
from shared.domain.assignments import Assignment
from shared.domain.attributes import AttributeFact, Attributes, Place
from shared.domain.errors import Rejected
from shared.domain.events import (
    ErasureRequested,
    Event,
    FeedbackGiven,
    FeedbackKind,
    Key,
    OfferRequested,
    Signal,
    TimePassed,
)
from shared.domain.history import History
from shared.domain.instants import MICROSECOND, to_micros
from shared.domain.moments import Deferred, Moment, MomentKind
from shared.domain.profiles import ProfileFact
from shared.domain.requests import AnsweredRequest
from shared.domain.signals import BehaviouralSignal
from shared.domain.tallies import Count, Tallies, Tally
from shared.domain.triggers import Feedback
from shared.processing.erase import erased
from shared.processing.process import Processed, process
from shared.processing.rules import Rules
from shared.record.codec import pack, unpack
from shared.record.user_record import Announced, Fired, Pending, UserRecord, tombstone
from tests.support.catalogs import EVERYTHING
from tests.support.histories import USER
from tests.support.story import OFFER, TERMS, day, event, paid, trial

RULES = Rules(EVERYTHING, TERMS)
T = day(10)
PAID_AFTER = paid(11)
GONE, JUST_GONE, KEPT, NOW = day(2), T, day(11), day(20)


def erasure(on: float = 10, **identity: Any) -> Event:
    return event(on, Topic.USER_ERASURE, ErasureRequested(), **identity)


def feedback(on: float, trigger_id: str) -> Event:
    return event(on, Topic.TRIGGER_FEEDBACK, FeedbackGiven(trigger_id, FeedbackKind.CLICKED))


def told(record: UserRecord, *events: Event, now: datetime = NOW) -> Processed:
    last = Processed(record, Arrival.APPLIED)
    for one in events:
        last = process(last.record, one, now, RULES)
    return last


WHOLE = UserRecord(
    USER,
    profile=tuple(
        ProfileFact(name, name, at, "")
        for name, at in zip(("country", "locale", "time_zone"), (GONE, JUST_GONE, KEPT), strict=True)
    ),
    signals=tuple(BehaviouralSignal(Signal.INACTIVITY, at, "c", "d") for at in (GONE, JUST_GONE, KEPT)),
    triggers=(
        OFFER._replace(trigger_id="old", decided_at=GONE),
        OFFER._replace(trigger_id="of an old moment", decided_at=KEPT, moment_at=GONE),
        OFFER._replace(
            trigger_id="new",
            decided_at=KEPT,
            moment_at=KEPT,
            feedback=(Feedback(FeedbackKind.CLICKED, KEPT), Feedback(FeedbackKind.DELIVERED, GONE)),
            impressions=(Feedback(FeedbackKind.IMPRESSION, GONE), Feedback(FeedbackKind.IMPRESSION, KEPT)),
        ),
    ),
    fired=Fired(((GONE, "a"), (KEPT, "b")), floor=GONE),
    announced=(Announced("main", {"status": "active"}),),
    next_due_at=day(40),
    sequence=77,
    tallies=Tallies((Tally("user", "", (Count("issued", 3, KEPT),)),)),
    assignments=tuple(Assignment(name, "", 1, "a", at) for name, at in (("x", GONE), ("y", KEPT))),
    deferred=tuple(
        Deferred(Moment(MomentKind.RENEWED, "main", at, "cause"), "campaign", day(12)) for at in (GONE, KEPT)
    ),
    raised=("churn",),
    as_of=day(19),
    attributes=Attributes(
        (AttributeFact("old", 1, GONE, ""), AttributeFact("new", 2, KEPT, "")), Place(GONE, "", "x")
    ),
    catalog_number=5,
    requests=(AnsweredRequest("old", "", GONE, None), AnsweredRequest("new", "", KEPT, None)),
    history=told(UserRecord(USER), paid(1), PAID_AFTER).record.history,
)
"""A record of parts of before and after the erasure."""


def test_what_is_dated_after_the_erasure_stays_and_all_else_goes() -> None:
    new = WHOLE.triggers[2]
    assert erased(WHOLE, T, TERMS) == UserRecord(
        USER,
        history=told(UserRecord(USER), PAID_AFTER).record.history,
        profile=WHOLE.profile[2:],
        signals=WHOLE.signals[2:],
        triggers=(new._replace(feedback=new.feedback[:1], impressions=new.impressions[1:]),),
        fired=Fired(((KEPT, "b"),)),
        sequence=77,
        assignments=WHOLE.assignments[1:],
        deferred=WHOLE.deferred[1:],
        as_of=day(19),
        attributes=Attributes(WHOLE.attributes.facts[1:]),
        catalog_number=5,
        requests=WHOLE.requests[1:],
        erased_at=T,
    )


@pytest.mark.parametrize("part", ["history", "profile", "signals", "attributes", "requests"])
def test_each_part_of_after_the_erasure_keeps_the_user_from_being_a_tombstone(part: str) -> None:
    record = UserRecord(USER, **{part: getattr(WHOLE, part)})
    assert not erased(record, T, TERMS).is_tombstone
    assert erased(record, day(12), TERMS) == tombstone(USER, day(12))


def test_what_is_only_derived_does_not_keep_the_user_from_being_a_tombstone() -> None:
    """An offer at the end of a trial, say, that time brought before the erasure arrived."""
    known = {"history": History(), "profile": (), "signals": (), "attributes": Attributes(), "requests": ()}
    assert erased(WHOLE._replace(**known), T, TERMS) == tombstone(USER, T)


def test_offers_stay_for_a_subscription_or_a_request_that_is_left() -> None:
    of_another, asked_for = (
        OFFER._replace(trigger_id=cause, cause=cause, subscription_id="other", moment_at=KEPT)
        for cause in ("old", "new")
    )
    deferred = Deferred(Moment(MomentKind.RENEWED, "other", KEPT, "cause"), "campaign", day(12))
    record = WHOLE._replace(triggers=(of_another, asked_for), deferred=(deferred,))
    left = erased(record, T, TERMS)
    assert (left.triggers, left.deferred) == ((asked_for,), ())


def test_floors_that_lie_after_the_erasure_stay() -> None:
    floor = Place(KEPT, "", "x")
    record = WHOLE._replace(fired=Fired(floor=KEPT), attributes=WHOLE.attributes._replace(floor=floor))
    left = erased(record, T, TERMS)
    assert (left.fired, left.attributes.floor) == (Fired(floor=KEPT), floor)


def test_the_base_goes_whole_although_events_of_after_the_erasure_are_in_it() -> None:
    history = History()
    for on in (1, 11, 12, 13):
        history = history.add(paid(on, plan=f"plan-{on}"), TERMS, ring_size=2).history
    left = history.since(T, TERMS, USER)
    assert (left.base, left.mark, len(left.ring)) == (History().base, None, 2)
    assert {grant.plan for grant in left.head.best.all_grants} == {"plan-12", "plan-13"}


def test_a_trial_of_before_the_erasure_was_never_used() -> None:
    assert told(UserRecord(USER), trial(1), paid(11)).record.history.head.trial_used
    assert not told(UserRecord(USER), trial(1), paid(11), erasure()).record.history.head.trial_used


def test_messages_are_owed_for_what_occurred_after_the_erasure_alone() -> None:
    before, after = paid(9, event_id="before"), paid(11, event_id="after")
    record = told(UserRecord(USER), before, now=day(9)).record
    record = told(record, after, now=day(11)).record
    late = paid(8, event_id="late")
    record = told(record, late, now=day(12)).record
    assert {entry.cause for entry in record.pending} == {one.key.cause for one in (before, after, late)}
    assert [entry.cause for entry in told(record, erasure()).record.pending] == [after.key.cause]


def test_messages_of_a_tick_after_the_erasure_are_owed() -> None:
    entry = Pending("tick", "digest", KEPT, "[]")
    record = WHOLE._replace(pending=(entry._replace(committed_at=GONE), entry))
    assert erased(record, T, TERMS).pending == (entry,)


def test_what_is_left_is_told_anew_by_the_next_tick() -> None:
    rest = told(UserRecord(USER), trial(1, plan="annual"), paid(11, plan="basic"), erasure())
    assert (rest.messages, rest.record.next_due_at, rest.record.as_of) == ((), day(20) + MICROSECOND, day(20))
    ticked = told(rest.record, event(20, Topic.LIFECYCLE_DUE, TimePassed()))
    (change,) = [one.body for one in ticked.messages if one.topic == Topic.SUBSCRIPTION_CHANGE]
    assert (change["before"]["status"], change["facts"]["plan"]) == ("none", "basic")
    assert ticked.record.next_due_at > day(21)


def test_what_is_left_is_due_anew_although_a_tick_came_at_the_same_instant() -> None:
    ticked = told(
        UserRecord(USER), trial(1, plan="annual"), paid(11), event(20, Topic.LIFECYCLE_DUE, TimePassed())
    )
    rest = told(ticked.record, erasure())
    assert rest.record.next_due_at > day(20)


def test_a_user_who_comes_back_starts_afresh_above_the_former_sequences() -> None:
    former = told(UserRecord(USER), trial(1), now=day(1)).record
    back = told(told(former, erasure(), now=day(10)).record, trial(11), now=day(11))
    assert back.arrival is Arrival.APPLIED
    assert back.messages[0].body["sequence"] == to_micros(day(11)) > former.sequence
    assert back.record.erased_at == T
    assert unpack(pack(back.record)) == back.record
    alone = told(UserRecord(USER), trial(11, event_id=back.record.history.ring[0][3]), now=day(11)).record
    assert back.record._replace(erased_at=None) == alone


def test_an_erasure_of_an_unknown_user_leaves_a_tombstone_for_what_comes_late() -> None:
    assert told(UserRecord(USER), erasure()).record == tombstone(USER, T)
    assert told(UserRecord(USER), erasure(), paid(10)).arrival is Arrival.IGNORED


def test_the_later_of_two_erasures_counts_in_either_order() -> None:
    for first, second in ((9, 10), (10, 9)):
        assert told(UserRecord(USER), paid(9.5), erasure(first), erasure(second)).record == tombstone(USER, T)


def test_feedback_on_a_trigger_that_went_is_ignored_and_brings_nobody_back() -> None:
    record = tombstone(USER, T)
    assert told(record, feedback(9, "gone")).arrival is Arrival.IGNORED
    late = told(record, feedback(11, "gone"))
    assert (late.arrival, late.record) == (Arrival.IGNORED, record)
    with pytest.raises(Rejected, match="unknown_trigger"):
        told(UserRecord(USER), feedback(11, "gone"))


def test_feedback_on_a_trigger_of_after_the_erasure_counts_if_it_was_given_after_it() -> None:
    record = erased(WHOLE, T, TERMS)
    assert told(record, feedback(10, "new")).arrival is Arrival.IGNORED
    given = event(12, Topic.TRIGGER_FEEDBACK, FeedbackGiven("new", FeedbackKind.DISMISSED))
    assert told(record, given).record.triggers[0].reported(FeedbackKind.DISMISSED) == day(12)


def test_a_request_of_before_the_erasure_is_answered_with_nothing() -> None:
    request = Event(Key(T, "offer-request", "", "r"), USER, "", OfferRequested("home"), "d")
    asked = told(tombstone(USER, T), request)
    assert (asked.arrival, asked.messages, asked.record.requests) == (Arrival.IGNORED, (), ())


def test_a_tick_passes_where_something_is_left_whenever_it_is_dated() -> None:
    record = told(UserRecord(USER), paid(11), erasure()).record
    assert told(record, event(9, Topic.LIFECYCLE_DUE, TimePassed())).arrival is Arrival.APPLIED
