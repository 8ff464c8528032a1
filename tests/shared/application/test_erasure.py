"""An erasure among other events of the user: in both orders, at once, twice, and with a crash on the way."""

import asyncio

import pytest

from shared.adapters.fixed import FixedCatalogs
from shared.adapters.packed_records import PackedRecords
from shared.application.handle_event import Application
from shared.contracts.topics import Topic
from shared.domain.arrival import Arrival
from shared.domain.errors import Transient
from shared.domain.events import ErasureRequested, Event
from shared.ports import Document
from shared.record.user_record import UserRecord, tombstone
from tests.support.catalogs import EVERYTHING
from tests.support.fakes import Crash, Fault, FlakyBus, MemoryStore, MovableClock
from tests.support.histories import TERMS, USER
from tests.support.story import day, event, paid, trial

ERASURE = event(10, Topic.USER_ERASURE, ErasureRequested())
OLD, NEW = paid(9), paid(11)
NOW = day(12)


class Overtaken(MemoryStore):
    """A store in which another instance handles an event just before the first commit."""

    other: Application | None = None
    event: Event

    async def commit(self, document: Document, version: object | None) -> None:
        other, self.other = self.other, None
        if other:
            await other.handle(self.event)
        await super().commit(document, version)


def instance(store: MemoryStore, bus: FlakyBus) -> Application:
    return Application(PackedRecords(store, TERMS), bus, FixedCatalogs(EVERYTHING), MovableClock(NOW), TERMS)


async def after(*events: Event) -> UserRecord:
    """The record after these events, each handled to its end before the next."""
    store = MemoryStore()
    application = instance(store, FlakyBus())
    for one in events:
        await application.handle(one)
    return store.record(USER)


@pytest.mark.parametrize("turned", [False, True], ids=["erasure overtaken", "erasure overtakes"])
@pytest.mark.parametrize("known", [False, True], ids=["unknown", "known"])
async def test_an_event_of_before_does_not_survive_an_erasure_at_the_same_instant(
    turned: bool, known: bool
) -> None:
    store, bus = Overtaken(), FlakyBus()
    if known:
        await instance(store, bus).handle(trial(1))
    store.other = instance(store, bus)
    first, store.event = (OLD, ERASURE) if turned else (ERASURE, OLD)
    await instance(store, bus).handle(first)
    assert store.record(USER) == tombstone(USER, day(10))


@pytest.mark.parametrize("turned", [False, True], ids=["erasure overtaken", "erasure overtakes"])
async def test_an_event_of_after_survives_an_erasure_at_the_same_instant(turned: bool) -> None:
    store, bus = Overtaken(), FlakyBus()
    await instance(store, bus).handle(trial(1))
    store.other = instance(store, bus)
    first, store.event = (NEW, ERASURE) if turned else (ERASURE, NEW)
    await instance(store, bus).handle(first)
    record, alone = store.record(USER), await after(NEW)
    assert (record.history, record.erased_at) == (alone.history, day(10))


async def test_a_crowd_with_two_erasures_leaves_what_is_newer_than_both() -> None:
    store, bus = MemoryStore(), FlakyBus()
    later = event(10.5, Topic.USER_ERASURE, ErasureRequested())
    crowd = [ERASURE, OLD, later, NEW, trial(1), ERASURE, later, OLD, NEW]
    instances = [instance(store, bus) for _ in range(3)]
    await asyncio.gather(*(instances[number % 3].handle(one) for number, one in enumerate(crowd)))
    record, alone = store.record(USER), await after(NEW)
    assert (record.history, record.erased_at) == (alone.history, day(10.5))


@pytest.mark.parametrize("fault", list(Fault))
async def test_an_erasure_that_is_delivered_again_after_a_fault_is_done(fault: Fault) -> None:
    store, bus = MemoryStore(), FlakyBus()
    application = instance(store, bus)
    await application.handle(OLD)
    taken = [*bus.taken]
    store.fault = bus.fault = fault
    try:
        await application.handle(ERASURE)
    except (Crash, Transient):
        application = instance(store, bus)
    store.fault = bus.fault = None
    await application.handle(ERASURE)
    assert (await application.handle(ERASURE)).arrival is Arrival.DUPLICATE
    assert store.record(USER) == tombstone(USER, day(10))
    assert bus.taken == taken


async def test_messages_that_were_never_published_go_with_the_user() -> None:
    store, bus = MemoryStore(), FlakyBus()
    bus.fault = Fault.CRASH_BEFORE_PUBLISH
    with pytest.raises(Crash):
        await instance(store, bus).handle(OLD)
    bus.fault = None
    other = instance(store, bus)
    await other.handle(ERASURE)
    assert (await other.handle(OLD)).arrival is Arrival.IGNORED
    assert bus.taken == []
