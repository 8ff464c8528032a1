"""Chaos in one process: every point at which to crash, alone and in pairs, and many concurrent writers."""

import asyncio
from itertools import product
from pathlib import Path
from random import Random

import pytest

from shared.adapters.fixed import FixedCatalogs
from shared.adapters.packed_records import PackedRecords
from shared.adapters.sqlite import SqliteStore
from shared.application.handle_event import Application, Handled
from shared.contracts.outbound.message import Message
from shared.contracts.topics import Topic
from shared.domain.arrival import Arrival
from shared.domain.events import Event, TimePassed
from shared.ports import Document, Stored
from shared.record.codec import unpack
from tests.support.catalogs import EVERYTHING
from tests.support.fakes import Fault, FlakyBus, MemoryStore, MovableClock
from tests.support.histories import START, TERMS, USER, delivered, in_order
from tests.support.pipeline import Pipeline
from tests.support.published import check_one_body_an_id
from tests.support.story import auto_renew_off, cancelled, day, event, failed, paid, refunded, trial

LIFE = [
    trial(0, ends=14),
    event(11, Topic.LIFECYCLE_DUE, TimePassed()),
    paid(14),
    failed(44),
    paid(45, start=44),
    auto_renew_off(50),
    event(74, Topic.LIFECYCLE_DUE, TimePassed()),
    paid(80),
    refunded(81, start=80),
]
"""A user's events with most kinds of changes, and two ticks of the clock."""


def messages(faults: dict[int, list[Fault]]) -> dict[str, Message]:
    """All messages published for these events, where each delivery of some events meets the next fault."""
    pipeline = Pipeline(EVERYTHING)
    for number, one in enumerate(LIFE):
        pipeline.clock.move_to(one.occurred_at)
        for fault in faults.get(number, ()):
            pipeline.deliver(one, fault)
        pipeline.deliver(one)
    pipeline.unacknowledged.clear()
    pipeline.check_published()
    pipeline.close()
    return {message.message_id: message for message in pipeline.bus.taken}


SMOOTH = messages({})


def test_the_life_brings_offers_and_takes_some_back() -> None:
    kinds = [message.body.get("kind") for message in SMOOTH.values()]
    assert kinds.count("issued") >= 9
    assert kinds.count("revoked") >= 3


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("number", range(len(LIFE)))
def test_one_fault_anywhere_changes_nothing_that_is_published(number: int, fault: Fault) -> None:
    assert messages({number: [fault]}) == SMOOTH


@pytest.mark.parametrize("fault", list(Fault))
def test_two_faults_in_a_row_change_nothing_that_is_published(fault: Fault) -> None:
    for number, second in product(range(len(LIFE)), Fault):
        assert messages({number: [fault, second]}) == SMOOTH


@pytest.mark.parametrize("fault", list(Fault))
def test_a_fault_at_every_event_changes_nothing_that_is_published(fault: Fault) -> None:
    assert messages({number: [fault] for number in range(len(LIFE))}) == SMOOTH


class Interleaving(MemoryStore):
    """A store that yields to other writers at random points."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = Random(seed)  # noqa: S311 - the same order in every run

    async def _yield_to_others(self) -> None:
        for _ in range(self.random.randrange(4)):
            await asyncio.sleep(0)

    async def load(self, user_id: str) -> Stored:
        await self._yield_to_others()
        return await super().load(user_id)

    async def commit(self, document: Document, version: object | None) -> None:
        await self._yield_to_others()
        await super().commit(document, version)


@pytest.mark.parametrize("seed", range(5))
async def test_many_writers_at_once_lose_nothing_and_say_nothing_twice(seed: int) -> None:
    """Every event is delivered three times, all concurrently, to one document."""
    store, bus = Interleaving(seed), FlakyBus()
    application = Application(
        PackedRecords(store, TERMS), bus, FixedCatalogs(EVERYTHING), MovableClock(day(82)), TERMS
    )
    events = [one for one in LIFE if not isinstance(one.fact, TimePassed)]
    crowd = events * 3
    Random(seed).shuffle(crowd)  # noqa: S311 - the same order in every run
    handled = await asyncio.gather(*(application.handle(one) for one in crowd))
    arrivals = [one.arrival for one in handled]
    assert arrivals.count(Arrival.APPLIED) == len(events)
    assert store.record(USER).history == delivered(in_order(events))
    check_one_body_an_id(bus.taken)


@pytest.mark.parametrize("cancelled_on", [13.9, 14, 14.1])
async def test_an_event_and_the_clock_at_once_offer_something_for_an_end_once(cancelled_on: float) -> None:
    """The trial ends and the user cancels at about the same time; the event handled first wins."""
    for seed in range(20):
        store, bus, clock = Interleaving(seed), FlakyBus(), MovableClock(START)
        application = Application(PackedRecords(store, TERMS), bus, FixedCatalogs(EVERYTHING), clock, TERMS)
        await application.handle(trial(0, ends=14, auto_renew=False))
        clock.move_to(day(14.1))
        due = event(14, Topic.LIFECYCLE_DUE, TimePassed())
        await asyncio.gather(*(application.handle(one) for one in (due, cancelled(cancelled_on), due)))
        ended = {one.message_id for one in bus.taken if one.body.get("moment") == "trial.ended"}
        assert len(ended) == 1
        check_one_body_an_id(bus.taken)


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE_PUBLISH, Fault.CRASH_IN_PUBLISH])
async def test_what_a_file_holds_survives_the_process(tmp_path: Path, fault: Fault) -> None:
    """The store is a file: after a crash, another process opens it and publishes the pending messages."""
    clock, one = MovableClock(START), paid(0)
    published: list[Message] = []
    for last in (False, True):
        store, bus = SqliteStore(tmp_path / "upbeat.db"), FlakyBus()
        bus.fault = None if last else fault
        application = Application(PackedRecords(store, TERMS), bus, FixedCatalogs(EVERYTHING), clock, TERMS)
        (outcome,) = await asyncio.gather(application.handle(one), return_exceptions=True)
        is_duplicate = isinstance(outcome, Handled) and outcome.arrival is Arrival.DUPLICATE
        assert is_duplicate is last
        published += bus.taken
        stored = await store.load(USER)
        store.close()
    pending = unpack(stored.blob).pending_entry(one.key.cause)
    assert {message.message_id for message in pending.messages} == {message.message_id for message in published}


def test_a_clock_that_stood_still_for_weeks_brings_the_same_state() -> None:
    """Ticks change the time at which moments are decided, and never the subscription."""
    told: list[Event] = [one for one in LIFE if not isinstance(one.fact, TimePassed)]
    ticking, sleeping = Pipeline(EVERYTHING), Pipeline(EVERYTHING)
    for one in told:
        ticking.pass_time(one.occurred_at - ticking.clock.now())
        sleeping.clock.move_to(one.occurred_at)
        for pipeline in (ticking, sleeping):
            pipeline.deliver(one)
    assert ticking.record.history == sleeping.record.history
    for pipeline in (ticking, sleeping):
        pipeline.pass_time(day(400) - pipeline.clock.now())
        pipeline.check_published()
        pipeline.close()
