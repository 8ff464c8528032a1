"""Law 2, idempotence: an event applied before writes and decides nothing; no other event can reuse its id."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.arrival import Arrival
from shared.domain.errors import Rejected
from shared.domain.events import BEHAVIOURAL, Event, Key, Signal, SignalSeen, TrialStarted
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.record.user_record import UserRecord
from tests.support.catalogs import CATALOGS, EVERYTHING
from tests.support.histories import (
    DAY,
    START,
    USER,
    Arriving,
    arrivals,
    bears_on_status,
    delivered,
    histories,
    in_order,
)
from tests.support.lives import lives
from tests.support.pipeline import TERMS, Pipeline

NOW = START + 200 * DAY
POLICY = Rules(EVERYTHING, TERMS)
some_history = histories(behaving=True) | lives()


def processed(events: list[Event]) -> UserRecord:
    record = UserRecord(USER)
    for event in events:
        record = process(record, event, NOW, POLICY).record
    return record


@given(st.data())
def test_an_event_that_comes_again_changes_nothing(data: st.DataObject) -> None:
    events = data.draw(some_history)
    record = processed(events)
    again = process(record, data.draw(st.sampled_from(events)), NOW, POLICY)
    assert again.record is record
    assert again.messages == ()
    assert again.arrival in {Arrival.DUPLICATE, Arrival.LATE}


@pytest.mark.slow
@given(st.data())
def test_what_was_acknowledged_writes_nothing_and_says_nothing_new(data: st.DataObject) -> None:
    """The pipeline checks this at every delivery."""
    pipeline = Pipeline(CATALOGS[data.draw(st.sampled_from(sorted(CATALOGS)))])
    coming: list[Arriving] = data.draw(arrivals(data.draw(some_history)))
    for one in coming:
        pipeline.clock.move_to(one.at)
        pipeline.deliver(one.event, one.fault)
    pipeline.redeliver()
    commits = pipeline.store.commits
    for one in coming:
        pipeline.deliver(one.event)
    assert pipeline.store.commits == commits
    pipeline.close()


@pytest.mark.slow
@given(st.data())
def test_every_delivery_that_is_acknowledged_has_one_arrival(data: st.DataObject) -> None:
    pipeline = Pipeline(EVERYTHING)
    events = data.draw(some_history)
    coming = data.draw(arrivals(events))
    for one in coming:
        pipeline.clock.move_to(one.at)
        pipeline.deliver(one.event)
    assert pipeline.arrivals.total() == len(coming)
    assert pipeline.arrivals[Arrival.APPLIED] + pipeline.arrivals[Arrival.LATE] >= len(events)
    pipeline.close()


@given(st.data())
def test_an_identity_with_other_content_is_rejected(data: st.DataObject) -> None:
    events = data.draw(histories(max_size=4, behaving=True))
    record = processed(events)
    changed = data.draw(st.sampled_from(events))._replace(digest="another")
    with pytest.raises(Rejected, match="id_reused"):
        process(record, changed, NOW, POLICY)


@pytest.mark.parametrize("first", [Signal.INACTIVITY, Signal.AUTO_RENEW_OFF])
def test_a_churn_signal_is_recognised_whichever_kind_it_claims_to_be(first: Signal) -> None:
    second = Signal.AUTO_RENEW_OFF if first in BEHAVIOURAL else Signal.INACTIVITY
    key = Key(START, "churn-signal", "", "one")
    record = processed([Event(key, USER, "main", SignalSeen(first), first)])
    with pytest.raises(Rejected, match="id_reused"):
        process(record, Event(key, USER, "main", SignalSeen(second), second), NOW, POLICY)


def test_one_id_in_two_topics_or_sources_names_two_events() -> None:
    trial = TrialStarted("basic", START + DAY)
    keys = [Key(START, topic, source, "one") for topic in ("trial-start", "payment") for source in ("", "billing")]
    record = processed([Event(key, USER, "main", trial, f"{n}") for n, key in enumerate(keys)])
    assert len(record.history.ring) == 4


@given(st.data())
def test_what_has_left_the_ring_changes_nothing_when_it_comes_again(data: st.DataObject) -> None:
    events = in_order(data.draw(histories(max_size=12) | lives()))
    history = delivered(events, ring_size=2)
    for event in data.draw(st.permutations([*filter(bears_on_status, events)])):
        assert history.add(event, TERMS, 2).history == history
