"""Law 5, time needs no tick: a subscription read at `now` is the same with and without ticks of the clock."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.deadlines import advance, next_announced_change
from shared.domain.events import Event
from shared.domain.terms import Terms
from tests.support.catalogs import CATALOGS
from tests.support.histories import DAY, arrivals, delivered, histories, in_order, instants
from tests.support.lives import lives
from tests.support.pipeline import Pipeline

TERMS = Terms()
some_history = histories() | lives()
tick_deliveries = st.integers(0, 2)


@given(some_history, st.lists(instants, max_size=4), instants)
def test_reading_does_not_depend_on_when_it_was_read_before(
    events: list[Event], ticks: list[datetime], now: datetime
) -> None:
    for sub in delivered(events).head.subscriptions:
        ticked = sub
        for tick in sorted(ticks):
            ticked = advance(ticked, tick, TERMS).subscription
        later = max([now, *ticks])
        assert advance(ticked, later, TERMS).subscription == advance(sub, later, TERMS).subscription


@given(some_history, instants, instants)
def test_time_brings_the_same_moments_in_one_reading_or_in_two(
    events: list[Event], one: datetime, other: datetime
) -> None:
    for sub in delivered(events).head.subscriptions:
        first = advance(sub, min(one, other), TERMS)
        then = advance(first.subscription, max(one, other), TERMS)
        assert first.moments + then.moments == advance(sub, max(one, other), TERMS).moments


@pytest.mark.slow
@given(st.data())
def test_a_clock_that_ticks_late_or_never_leaves_the_same_subscription(data: st.DataObject) -> None:
    """The whole pipeline, with and without ticks, at any instants, delivered any number of times."""
    events, catalog = data.draw(some_history), CATALOGS[data.draw(st.sampled_from(sorted(CATALOGS)))]
    coming = data.draw(arrivals(events))
    pipeline = Pipeline(catalog)
    for one in coming:
        pipeline.clock.move_to(one.at)
        for due in pipeline.tick() * data.draw(tick_deliveries):
            pipeline.deliver(due)
        pipeline.deliver(one.event)
    now = pipeline.clock.now()
    assert pipeline.record.history.at(now, TERMS) == delivered(in_order(events)).at(now, TERMS)
    pipeline.close()


@given(some_history, instants)
def test_between_what_is_heard_nobody_gains_or_loses_access(events: list[Event], now: datetime) -> None:
    """A consumer that only subscribes, and never reads, gets a message for every change of access in time."""
    account, _ = delivered(events).at(now, TERMS)
    for sub in account.subscriptions:
        heard = next_announced_change(sub, TERMS)
        for instant in (now + DAY / 2, now + 7 * DAY, now + 100 * DAY, now + 5000 * DAY):
            if heard is None or instant < heard:
                assert advance(sub, instant, TERMS).subscription.entitled is sub.entitled
