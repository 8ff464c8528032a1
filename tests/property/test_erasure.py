"""Erasure: a user's record is that of what occurred after it, whatever the order in which it all arrives."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import reduce
from operator import itemgetter

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.topics import Topic
from shared.domain.arrival import Arrival
from shared.domain.events import ErasureRequested, Event, TimePassed
from shared.processing.process import Processed, process
from shared.processing.rules import Rules
from shared.processing.settle import NOTHING_ANNOUNCED
from shared.record.user_record import Announced, UserRecord, tombstone
from tests.support.catalogs import EVERYTHING
from tests.support.histories import DAY, START, TERMS, USER, Arriving, deliveries, histories, instants, made

FEW = settings(max_examples=25)
RULES = Rules(EVERYTHING, TERMS)
NOW = START + 365 * DAY
MOST_NUMBER = 100
"""Above the numbers of the events of a history."""
near_instants = st.tuples(instants, st.sampled_from([-1, 0, 1])).map(
    lambda drawn: drawn[0] + drawn[1] * timedelta(microseconds=1)
)
some_histories = histories(max_size=8, behaving=True)
erasure_instants = st.lists(near_instants, min_size=1, max_size=3)


def erasure(at: datetime, number: int = MOST_NUMBER) -> Event:
    return made(number, at, Topic.USER_ERASURE, ErasureRequested())


def erasures(instants_: Iterable[datetime]) -> list[Event]:
    return [erasure(at, MOST_NUMBER + number) for number, at in enumerate(instants_)]


def ticked(record: UserRecord, now: datetime) -> Processed:
    return process(record, made(MOST_NUMBER - 1, now, Topic.LIFECYCLE_DUE, TimePassed()), now, RULES)


def after(events: Iterable[Event], now: datetime = NOW) -> UserRecord:
    """The record after these events in this order, all of them at `now`, and a tick of the clock."""
    record = reduce(lambda known, event: process(known, event, now, RULES).record, events, UserRecord(USER))
    return ticked(record, now).record


def announced(record: UserRecord) -> list[Announced]:
    """The facts that consumers know; a subscription of which they know nothing may be listed or not."""
    return [one for one in record.announced if one.facts != NOTHING_ANNOUNCED]


def lived(arriving: Iterable[Arriving]) -> UserRecord:
    """The record after these events, each at its arrival, and the ticks of the clock in between."""
    record = UserRecord(USER)
    for now, event in sorted(((one.at, one.event) for one in arriving), key=itemgetter(0)):
        while (due := record.next_due_at) and due < now:
            record = ticked(record, due).record
        record = process(record, event, now, RULES).record
    return record


@settings(max_examples=50)
@given(st.data())
def test_every_order_gives_the_record_of_what_occurred_after_the_last_erasure(data: st.DataObject) -> None:
    events, at = data.draw(some_histories), data.draw(erasure_instants)
    later = [event for event in events if event.occurred_at > max(at)]
    shuffled, alone = after(data.draw(deliveries([*events, *erasures(at)]))), after(later)
    assert shuffled.erased_at == max(at)
    assert shuffled.history == alone.history
    assert shuffled.signals == alone.signals
    assert (shuffled.profile, shuffled.attributes) == (alone.profile, alone.attributes)
    assert announced(shuffled) == announced(alone)
    assert shuffled.next_due_at is None or shuffled.next_due_at > NOW


@FEW
@given(st.data())
def test_nothing_is_left_of_a_user_of_whom_nothing_occurred_since(data: st.DataObject) -> None:
    """Whatever time alone has brought, and offered, before the erasure arrives."""
    events = data.draw(some_histories)
    at = max(event.occurred_at for event in events)
    arrives = at + data.draw(st.sampled_from([0, 1, 40, 400])) * DAY
    told = [Arriving(event.occurred_at, event, None) for event in events]
    assert lived([*told, Arriving(arrives, erasure(at), None)]) == tombstone(USER, at)
    assert after(data.draw(deliveries([*events, erasure(at)]))) == tombstone(USER, at)


@FEW
@given(st.data())
def test_an_erasure_tells_nobody_and_is_done_once(data: st.DataObject) -> None:
    events, at = data.draw(some_histories), data.draw(near_instants)
    once = process(after(events), erasure(at), NOW, RULES)
    assert (once.messages, once.arrival) == ((), Arrival.APPLIED)
    for again, arrival in ((at, Arrival.DUPLICATE), (at - DAY, Arrival.IGNORED)):
        twice = process(once.record, erasure(again, MOST_NUMBER + 1), NOW, RULES)
        assert twice.record is once.record
        assert (twice.messages, twice.arrival) == ((), arrival)


@FEW
@given(st.data())
def test_no_late_event_and_no_tick_changes_a_tombstone(data: st.DataObject) -> None:
    events = data.draw(some_histories)
    record = tombstone(USER, max(event.occurred_at for event in events))
    for event in events:
        told = process(record, event, NOW, RULES)
        assert told.record is record
        assert (told.messages, told.arrival) == ((), Arrival.IGNORED)
    tick = ticked(record, NOW)
    assert tick.record is record
    assert (tick.messages, tick.arrival) == ((), Arrival.IGNORED)


@FEW
@given(st.data())
def test_a_new_start_is_told_with_greater_sequences_than_the_former_life(data: st.DataObject) -> None:
    """Consumers drop what is not greater than what they have seen."""
    events = sorted(data.draw(some_histories), key=lambda event: event.occurred_at)
    at = data.draw(near_instants)
    record, sequences = UserRecord(USER), []
    for event in sorted([*events, erasure(at)], key=lambda event: event.occurred_at):
        told = process(record, event, event.occurred_at, RULES)
        record = told.record
        sequences += [message.body["sequence"] for message in told.messages]
    assert sequences == sorted(set(sequences))
