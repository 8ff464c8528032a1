"""Impressions: every reported one counts, once, in any order of arrival; the newest 32 are kept one by one."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.decisioning.catalog import empty_catalog
from shared.domain.arrival import Arrival
from shared.domain.errors import Rejected
from shared.domain.events import Event, FeedbackGiven, FeedbackKind
from shared.domain.impressions import MAX_IMPRESSIONS
from shared.domain.tallies import events_of
from shared.domain.triggers import forget_feedback_events
from shared.processing.process import Processed, process
from shared.processing.rules import Rules
from shared.record.codec import pack, unpack
from shared.record.user_record import UserRecord
from tests.support.histories import TERMS, USER
from tests.support.story import OFFER, day, event

RULES = Rules(empty_catalog(), TERMS)
SHOWN = FeedbackKind.IMPRESSION
NOW = day(100)
TWO = (OFFER, OFFER._replace(trigger_id="t2", campaign_id="d"))
"""Two offers of two campaigns."""


def shown(on: float, trigger_id: str = "t1", name: str | None = None) -> Event:
    return event(on, "trigger-feedback", FeedbackGiven(trigger_id, SHOWN), event_id=name or f"{trigger_id}@{on}")


def told(*events: Event, record: UserRecord | None = None) -> UserRecord:
    """The record after these events, in this order."""
    known = record or UserRecord(USER, triggers=TWO)
    for each in events:
        known = after(known, each).record
    return known._replace(as_of=None, pending=(), sequence=0)


def after(record: UserRecord, one: Event) -> Processed:
    return process(record, one, NOW, RULES)


def counted(record: UserRecord, campaign: str = "c") -> int:
    """The impressions of a campaign, stored and tallied."""
    stored = sum(
        kind is SHOWN for one in record.triggers if one.campaign_id == campaign for kind, _ in events_of(one)
    )
    rows = (row for row in record.tallies.rows if row[:2] == ("campaign", campaign))
    return stored + sum(count.number for row in rows for count in row.counts if count.event == SHOWN)


def kept(record: UserRecord) -> int:
    return sum(len(trigger.impressions) for trigger in record.triggers)


def test_each_one_counts_and_the_first_is_the_feedback() -> None:
    record = told(shown(3), shown(1), shown(2))
    (trigger, _) = record.triggers
    assert [report.at for report in trigger.feedback] == [day(1)]
    assert [report.at for report in trigger.impressions] == [day(2), day(3)]


def test_only_the_first_is_told_as_an_exposure() -> None:
    record = UserRecord(USER, triggers=TWO)
    first = after(record, shown(1))
    again = after(first.record, shown(2))
    assert [message.topic for message in first.messages] == ["exposure"]
    assert (again.messages, again.arrival) == ((), Arrival.APPLIED)


def test_of_other_feedback_the_first_alone_is_kept() -> None:
    clicks = [event(on, "trigger-feedback", FeedbackGiven("t1", FeedbackKind.CLICKED)) for on in (1, 2)]
    record = told(*clicks)
    assert (len(record.triggers[0].feedback), record.triggers[0].impressions) == (1, ())


def test_a_redelivery_is_a_duplicate_and_an_id_with_other_content_is_rejected() -> None:
    record = told(shown(1), shown(2))
    for one in (shown(1), shown(2)):
        again = after(record, one)
        assert (again.record, again.arrival) == (record, Arrival.DUPLICATE)
        with pytest.raises(Rejected, match="id_reused"):
            after(record, one._replace(digest="other"))


def test_on_a_trigger_that_is_withheld_or_unknown_it_is_rejected() -> None:
    record = UserRecord(USER, triggers=(OFFER._replace(withheld="holdout"),))
    for trigger_id in ("t1", "t3"):
        with pytest.raises(Rejected, match="unknown_trigger"):
            after(record, shown(1, trigger_id))


def test_one_whose_event_was_forgotten_is_counted_once_all_the_same() -> None:
    """Forgetting goes by the time that is reported, which may be long before the report and its redelivery."""
    record = told(shown(1), shown(2))
    forgotten = record._replace(triggers=forget_feedback_events(record.triggers, NOW))
    assert {report.cause for report in forgotten.triggers[0].reports} == {""}
    for one in (shown(1), shown(2)):
        assert after(forgotten, one).arrival is Arrival.DUPLICATE
    assert counted(told(shown(3), record=forgotten)) == 3


def test_more_than_32_are_tallied_from_the_oldest_on() -> None:
    record = told(*(shown(on) for on in range(50)))
    assert (kept(record), counted(record)) == (MAX_IMPRESSIONS, 50)
    assert record.triggers[0].impressions[0].at == day(18)
    (of_campaign,) = (row for row in record.tallies.rows if row.scope == "campaign")
    assert [(count.event, count.number, count.last_at) for count in of_campaign.counts] == [(SHOWN, 17, day(17))]


def test_the_bound_is_one_for_all_triggers_of_a_user() -> None:
    record = told(*(shown(on, f"t{on % 2 + 1}") for on in range(80)))
    assert kept(record) == MAX_IMPRESSIONS
    assert (counted(record, "c"), counted(record, "d")) == (40, 40)


def test_one_that_is_older_than_all_that_are_kept_is_late_and_changes_nothing() -> None:
    """It might be a redelivery of one that is tallied."""
    record = told(*(shown(on) for on in range(50)))
    for late in (shown(5), shown(5.5)):
        done = after(record, late)
        assert (done.record, done.arrival) == (record, Arrival.LATE)


def test_one_that_turns_out_to_be_the_first_tallies_the_one_that_was() -> None:
    record = told(*(shown(on) for on in range(10, 50)))
    earlier = told(shown(2), record=record)
    assert (counted(record), counted(earlier)) == (40, 41)
    assert earlier.triggers[0].reported(SHOWN) == day(2)


def test_a_trigger_that_leaves_takes_its_impressions_to_the_tallies() -> None:
    record = told(shown(1), shown(2), shown(3))
    assert [kind for kind, _ in events_of(record.triggers[0])].count(SHOWN) == 3
    assert unpack(pack(record)) == record


impressions = st.lists(
    st.builds(shown, st.integers(0, 99), st.sampled_from(["t1", "t2"])), max_size=MAX_IMPRESSIONS, unique_by=id
)


@given(impressions, st.data())
def test_neither_order_nor_duplicates_change_what_is_counted(events: list[Event], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(events))) if events else []
    arrived = data.draw(st.permutations([*events, *again]))
    assert told(*arrived) == told(*events)


@given(st.lists(st.integers(0, 31), min_size=40, max_size=80), st.data())
def test_neither_does_the_order_among_32_neighbours(late: list[int], data: st.DataObject) -> None:
    """Each arrives after at most 31 newer ones, as the tallies need; redeliveries come at any time."""
    events = [shown(on) for on in range(len(late))]
    arrival = sorted(range(len(late)), key=lambda number: (number + late[number], number))
    record = told(*(events[number] for number in arrival))
    assert counted(record) == len(late)
    again = told(*data.draw(st.lists(st.sampled_from(events), max_size=20)), record=record)
    assert again == record
    assert all(one.at <= other.at for one, other in pairwise(record.triggers[0].impressions))
