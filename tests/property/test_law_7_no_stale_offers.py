"""Law 7, no stale offers: an offer's condition holds when it is made, and the offer is revoked when it ends."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.decisioning.document.vocabulary import AT_OFFSETS
from shared.domain.events import Event
from shared.domain.moments import MomentKind
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.record.user_record import UserRecord
from tests.support.catalogs import EVERYTHING, FLEETING, INTRICATE, TIMED
from tests.support.fakes import Fault
from tests.support.histories import DAY, TERMS, USER, arrivals, histories
from tests.support.lives import lives
from tests.support.pipeline import Pipeline, is_true

some_history = histories(behaving=True) | lives()
POLICY = Rules(EVERYTHING, TERMS)
lasting = st.sampled_from([EVERYTHING, TIMED, INTRICATE])
pauses = st.lists(st.sampled_from([0.25, 1, 5, 30]), max_size=3)


@pytest.mark.slow
@given(some_history, st.data())
def test_at_no_instant_is_an_untrue_offer_open_that_nobody_will_take_back(
    history: list[Event], data: st.DataObject
) -> None:
    """This holds between events too: either the condition of every open offer holds, or the clock is due."""
    pipeline = Pipeline(data.draw(lasting))
    for one in data.draw(arrivals(history)):
        pipeline.clock.move_to(one.at)
        pipeline.deliver(one.event)
        for gap in data.draw(pauses):
            pipeline.clock.pass_by(gap * DAY)
            pipeline.check_at_rest()
    pipeline.close()


@pytest.mark.slow
@given(some_history, st.data())
def test_with_a_clock_in_time_no_untrue_offer_is_ever_open(history: list[Event], data: st.DataObject) -> None:
    pipeline = Pipeline(data.draw(lasting))
    for one in data.draw(arrivals(history)):
        pipeline.pass_time(max(one.at - pipeline.clock.now(), timedelta(0)))
        pipeline.deliver(one.event)
        record, now = pipeline.record, pipeline.clock.now()
        assert not [one for one in record.triggers if one.is_open(now) and not is_true(one, record, now)]
    pipeline.close()


@given(some_history, st.data())
def test_a_moment_is_decided_only_while_it_is_true_and_under_72_hours_old(
    history: list[Event], data: st.DataObject
) -> None:
    """Every event arrives long after it occurred, so that every offer is brought by time, not by the event."""
    record, now = UserRecord(USER), max(event.occurred_at for event in history) + timedelta(hours=72)
    for event in data.draw(st.permutations(history)):
        record = process(record, event, now, POLICY).record
    by_events = {event.key.cause for event in history}
    assert not [trigger for trigger in record.triggers if trigger.cause in by_events]


@given(some_history, st.data())
def test_what_is_too_old_or_untrue_is_recorded_as_stale(history: list[Event], data: st.DataObject) -> None:
    record, now = UserRecord(USER), max(event.occurred_at for event in history) + timedelta(hours=72)
    for event in data.draw(st.permutations(history)):
        processed = process(record, event, now, POLICY)
        for message in processed.messages:
            for candidate in message.body.get("candidates", ()):
                if candidate["cause"] == event.key.cause:
                    assert candidate["reason"] == "stale"
        record = processed.record


@pytest.mark.slow
@given(lives(), st.data())
def test_a_redelivery_publishes_no_offer_that_was_revoked_or_has_expired(
    history: list[Event], data: st.DataObject
) -> None:
    """No message is published at first; all events are redelivered at the end, when most offers are over."""
    pipeline = Pipeline(data.draw(st.sampled_from([EVERYTHING, TIMED, FLEETING, INTRICATE])))
    for event in history:
        pipeline.clock.move_to(event.occurred_at)
        pipeline.deliver(event, Fault.CRASH_BEFORE_PUBLISH)
    pipeline.clock.pass_by(data.draw(st.sampled_from([timedelta(0), timedelta(hours=6), 10 * DAY])))
    pipeline.redeliver()
    now = pipeline.clock.now()
    given = [trigger for trigger in pipeline.record.triggers if not trigger.withheld]
    still_open = {trigger.trigger_id: trigger for trigger in given if trigger.is_open(now)}
    recent = {one.trigger_id for one in still_open.values() if now - one.decided_at < TERMS.redelivery}
    assert recent <= set(pipeline.published("issued")) <= set(still_open)
    pipeline.close()


def test_every_moment_can_be_offered_something() -> None:
    """Every moment occurs, so that the tests above cover all of them."""
    listeners = {**EVERYTHING.listeners, **TIMED.listeners}
    assert {selector.kind for selector in listeners} == set(MomentKind)
    assert {selector.kind for selector in listeners if selector.offset} == AT_OFFSETS
