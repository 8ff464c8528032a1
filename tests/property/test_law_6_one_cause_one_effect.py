"""Law 6, one cause, one effect: each offer is made once, despite redelivery, disorder and crashes."""

from collections import Counter
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.decisioning.catalog import Catalog
from shared.domain.events import Event
from tests.support.catalogs import CATALOGS, EVERYTHING
from tests.support.fakes import Fault
from tests.support.histories import DAY, TERMS, Arriving, arrivals, histories
from tests.support.lives import lives
from tests.support.pipeline import Pipeline

pytestmark = pytest.mark.slow

some_history = histories(behaving=True) | lives()
RETRIED_WITHIN = TERMS.redelivery / 2
"""Every redelivery comes within this time: Pub/Sub gives up long before pending messages are dropped."""
catalogs = st.sampled_from(sorted(CATALOGS)).map(CATALOGS.__getitem__)
steps = st.sampled_from(["go on", "go on", "tick", "redeliver", "tick in time", "another instance"])
tick_deliveries = st.integers(0, 2)
tick_faults = st.sampled_from([None, *Fault])


def run(pipeline: Pipeline, coming: list[Arriving], data: st.DataObject) -> None:
    """Deliver all events with their faults, ticks and redeliveries, until nothing is left to do."""
    for one in coming:
        if one.at - pipeline.waiting_since > RETRIED_WITHIN:
            pipeline.redeliver()
        pipeline.clock.move_to(one.at)
        match data.draw(steps):
            case "tick":
                for due in pipeline.tick() * data.draw(tick_deliveries):
                    pipeline.deliver(due, data.draw(tick_faults))
            case "redeliver":
                pipeline.redeliver()
            case "tick in time":
                pipeline.pass_time(DAY / 4)
            case "another instance":
                pipeline.change_instance()
        pipeline.deliver(one.event, one.fault)
        pipeline.check_at_rest()
    while pipeline.unacknowledged:
        pipeline.redeliver()
    pipeline.pass_time(100 * DAY)


@given(catalogs, st.data())
def test_every_offer_is_made_once_and_none_is_lost(catalog: Catalog, data: st.DataObject) -> None:
    pipeline = Pipeline(catalog)
    run(pipeline, data.draw(arrivals(data.draw(some_history))), data)
    pipeline.check_published()
    pipeline.close()


@given(some_history, st.data())
def test_crashes_change_nothing_but_how_often_a_message_comes(history: list[Event], data: st.DataObject) -> None:
    """The same deliveries publish the same messages with and without faults, each redelivered at once."""
    smooth, rough = Pipeline(EVERYTHING), Pipeline(EVERYTHING)
    for one in data.draw(arrivals(history)):
        for pipeline, fault in ((smooth, None), (rough, one.fault)):
            pipeline.clock.move_to(one.at)
            pipeline.deliver(one.event, fault)
            while pipeline.unacknowledged:
                pipeline.redeliver()
    assert {m.message_id: m for m in smooth.bus.taken} == {m.message_id: m for m in rough.bus.taken}
    assert smooth.record == rough.record
    smooth.close()
    rough.close()


@given(some_history, st.lists(st.booleans(), min_size=1))
def test_where_nothing_fails_every_message_is_published_once(history: list[Event], changes: list[bool]) -> None:
    """Two instances share the events, and each event comes a second time to the instance that has handled it."""
    pipeline = Pipeline(EVERYTHING)
    for event, change in zip(history, cycle(changes), strict=False):
        pipeline.clock.move_to(event.occurred_at)
        pipeline.deliver(event)
        pipeline.deliver(event)
        if change:
            pipeline.change_instance()
    told = Counter(message.message_id for message in pipeline.bus.taken)
    assert set(told.values()) <= {1}
    pipeline.close()


@given(some_history, st.data())
def test_two_of_the_same_delivery_at_once_have_one_effect(history: list[Event], data: st.DataObject) -> None:
    """Every event is handled by two instances concurrently, and one of them meets a conflict."""
    pipeline = Pipeline(EVERYTHING)
    for event in data.draw(st.permutations(history)):
        pipeline.clock.move_to(event.occurred_at)
        pipeline.deliver(event, Fault.CONFLICT)
        pipeline.deliver(event)
    pipeline.check_published()
    pipeline.close()


@pytest.mark.parametrize("fault", list(Fault))
@given(history=lives())
def test_each_fault_at_every_delivery_loses_nothing(fault: Fault, history: list[Event]) -> None:
    pipeline = Pipeline(EVERYTHING)
    for event in history:
        pipeline.clock.move_to(event.occurred_at)
        pipeline.deliver(event, fault)
        pipeline.redeliver()
    pipeline.check_published()
    committed = set(pipeline.issued) - {t.trigger_id for t in pipeline.record.triggers if t.revoked}
    assert committed <= set(pipeline.published("issued"))
    pipeline.close()
