"""Caps, cool-downs, answers and groups hold in the whole pipeline, despite duplicates, disorder and crashes.

The pipeline checks every trigger at its commit against all triggers committed before it.
"""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.decisioning.losses import LossReason
from shared.domain.events import Event, FeedbackGiven, FeedbackKind, Key
from shared.record.user_record import MAX_TRIGGERS
from tests.support.catalogs import INTRICATE, RATIONED
from tests.support.fakes import Fault
from tests.support.floods import Ordinary
from tests.support.histories import DAY, TERMS, USER, arrivals, booleans, faults, histories
from tests.support.lives import lives
from tests.support.pipeline import Pipeline

limited = st.sampled_from([INTRICATE, INTRICATE, RATIONED])
answers = st.sampled_from(FeedbackKind)
answer_days_ago = st.sampled_from([0, 0, 0.1, 3])
answer_deliveries = st.sampled_from([0, 1, 1, 2])
every_fault = st.sampled_from(Fault)
some_history = histories(max_size=24, behaving=True) | lives(max_size=24)


def feedback(pipeline: Pipeline, number: int, data: st.DataObject) -> list[Event]:
    """Feedback that a consumer may report now about a trigger: none, once or twice."""
    offered = pipeline.record.triggers
    if not offered:
        return []
    trigger = data.draw(st.sampled_from(offered[-4:]))
    given_ = FeedbackGiven(trigger.trigger_id, data.draw(answers))
    at = pipeline.clock.now() - data.draw(answer_days_ago) * DAY
    event = Event(Key(at, "trigger-feedback", "", f"f{number}"), USER, "main", given_, f"f{number}")
    return [event] * data.draw(answer_deliveries)


@pytest.mark.slow
@given(limited, st.data())
def test_no_limit_is_ever_exceeded(catalog: Catalog, data: st.DataObject) -> None:
    pipeline = Pipeline(catalog)
    for number, one in enumerate(data.draw(arrivals(data.draw(some_history)))):
        if one.at - pipeline.waiting_since > TERMS.redelivery / 2:
            pipeline.redeliver()
        if data.draw(booleans):
            pipeline.pass_time(max(one.at - pipeline.clock.now(), 0 * DAY))
        pipeline.clock.move_to(one.at)
        pipeline.deliver(one.event, one.fault)
        for said in feedback(pipeline, number, data):
            pipeline.deliver(said, data.draw(faults))
        pipeline.check_at_rest()
    while pipeline.unacknowledged:
        pipeline.redeliver()
    pipeline.pass_time(40 * DAY)
    pipeline.check_published()
    pipeline.close()


@pytest.mark.slow
@given(lives(max_size=20), st.data())
def test_what_is_put_off_survives_a_crash_at_any_point(history: list[Event], data: st.DataObject) -> None:
    """Every delivery fails first, the clock's too: the published messages are the same as without failures."""
    smooth, faulty = Pipeline(INTRICATE), Pipeline(INTRICATE)
    for one in data.draw(arrivals(history)):
        fault = data.draw(every_fault)
        for pipeline, first in ((smooth, None), (faulty, fault)):
            pipeline.clock.move_to(one.at)
            for event in [one.event, *pipeline.tick()]:
                pipeline.deliver(event, first)
                while pipeline.unacknowledged:
                    pipeline.redeliver()
    assert {m.message_id: m for m in smooth.bus.taken} == {m.message_id: m for m in faulty.bus.taken}
    assert smooth.record == faulty.record
    smooth.close()
    faulty.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_no_limit_is_exceeded_in_a_long_life(seed: int) -> None:
    """There are hundreds of offers, most of them only tallied by the end; three events in ten are duplicated."""
    pipeline, flood = Pipeline(INTRICATE), Ordinary(seed)
    faults_met = [*Fault, *[None] * 20]
    for _ in range(700):
        event = flood.next(pipeline.record)
        pipeline.pass_time(max(flood.now - pipeline.clock.now(), 0 * DAY))
        pipeline.deliver(event, flood.random.choice(faults_met))
        if flood.random.random() < 0.3:
            pipeline.deliver(event)
        pipeline.redeliver()
    assert len(pipeline.issued) > 3 * MAX_TRIGGERS
    assert pipeline.record.tallies.rows
    assert reasons(pipeline).keys() >= MET
    pipeline.check_published()
    pipeline.close()


MET = {
    *(
        LossReason.PLAN,
        LossReason.AUDIENCE,
        LossReason.SUPPRESSED,
        LossReason.HOLDOUT,
        LossReason.EXCLUSIVITY,
        LossReason.CAP,
    ),
    *(
        LossReason.COOL_DOWN,
        LossReason.QUIET_HOURS,
        LossReason.DEFERRED,
        LossReason.FALLBACK,
        LossReason.OUTRANKED,
        LossReason.VARIANT,
    ),
}
"""The reasons that must occur, so that the tests above cover all of them."""


def reasons(pipeline: Pipeline) -> Counter[str]:
    """The reasons for which candidates lost, with their counts."""
    decisions = [message.body for message in pipeline.bus.taken if message.topic == Topic.DECISION]
    return Counter(one["reason"] for body in decisions for one in body["candidates"])
