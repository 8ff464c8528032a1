"""Handling an event: load, fold and decide, commit, publish; and the data a document drops to stay small."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial

import pytest

from shared.adapters.fixed import FixedCatalogs
from shared.adapters.packed_records import PackedRecords
from shared.application.handle_event import MAX_ATTEMPTS, Application
from shared.application.published_events import PublishedEvents
from shared.contracts.outbound.message import Message
from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.domain.arrival import Arrival
from shared.domain.errors import Conflict, Rejected, Transient
from shared.domain.events import Event, TimePassed
from shared.ports import Document, Stored
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.record.bounds import fit
from shared.record.codec import pack
from shared.record.user_record import MAX_PUBLISHED, Pending, UserRecord
from tests.support.catalogs import EVERYTHING
from tests.support.fakes import Crash, Fault, FlakyBus, MemoryStore, MovableClock
from tests.support.histories import START, TERMS, USER
from tests.support.story import auto_renew_off, auto_renew_on, day, event, failed, paid, refunded, trial
from tests.support.virtual_time import VirtualTimeLoop

POLICY = Rules(EVERYTHING, TERMS)


class World:
    """An application with a store, a bus and a clock that the test controls."""

    def __init__(self, store: MemoryStore | None = None, bus: FlakyBus | None = None) -> None:
        self.store, self.bus, self.clock = store or MemoryStore(), bus or FlakyBus(), MovableClock(START)
        self.application = Application(
            PackedRecords(self.store, TERMS), self.bus, FixedCatalogs(EVERYTHING), self.clock, TERMS
        )

    async def handle(self, event: Event, fault: Fault | None = None) -> Arrival:
        self.clock.move_to(event.occurred_at)
        self.store.fault = self.bus.fault = fault
        return (await self.application.handle(event)).arrival


async def test_an_event_is_committed_and_its_messages_published() -> None:
    world = World()
    assert await world.handle(paid(0)) is Arrival.APPLIED
    assert world.store.commits == 1
    assert [message.topic for message in world.bus.taken] == [
        Topic.UPSELL_TRIGGER,
        Topic.DECISION,
        Topic.SUBSCRIPTION_CHANGE,
    ]


async def test_a_conflict_is_tried_again_on_what_the_other_wrote() -> None:
    class Overtaken(MemoryStore):
        async def commit(self, document: Document, version: object | None) -> None:
            if self.commits == 0:
                self.commits = 1
                await other.application.handle(paid(0, event_id="other"))
            await super().commit(document, version)

    store = Overtaken()
    other = World(store)
    await World(store).handle(paid(0, event_id="one"))
    assert len(store.record(USER).history.ring) == 2


async def test_200_events_at_once_for_one_user_are_in_nobodys_way() -> None:
    class Slow(MemoryStore):
        async def load(self, user_id: str) -> Stored:
            stored = await super().load(user_id)
            await asyncio.sleep(0)
            return stored

    store = Slow()
    application = World(store).application
    await asyncio.gather(*(application.handle(paid(number / 10, event_id=f"{number}")) for number in range(200)))
    assert store.commits == 200


@pytest.mark.slow
@pytest.mark.parametrize("instances", [4, 40])
def test_40_events_at_once_for_one_user_succeed_in_many_instances(instances: int) -> None:
    """Each call of the store takes some milliseconds, in which other instances commit."""

    class Distant(MemoryStore):
        async def load(self, user_id: str) -> Stored:
            await asyncio.sleep(0.004)
            stored = await super().load(user_id)
            await asyncio.sleep(0.004)
            return stored

        async def commit(self, document: Document, version: object | None) -> None:
            await asyncio.sleep(0.007)
            await super().commit(document, version)

    async def all_at_once() -> None:
        coming = [paid(number / 10, event_id=f"{number}") for number in range(40)]
        worlds = [World(store, bus) for _ in range(instances)]
        await asyncio.gather(*(worlds[n % instances].application.handle(one) for n, one in enumerate(coming)))

    store, bus, loop = Distant(), FlakyBus(), VirtualTimeLoop()
    loop.run_until_complete(all_at_once())
    loop.close()
    assert store.commits == 40


async def test_conflicts_without_end_are_transient() -> None:
    class AlwaysLate(MemoryStore):
        tries = 0

        async def commit(self, document: Document, version: object | None) -> None:  # noqa: ARG002 - the signature is the port's
            self.tries += 1
            raise Conflict("another writer")

    store = AlwaysLate()
    application = World(store).application
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.application.handle_event.MAX_BACKOFF_SECONDS", 0.0)
        with pytest.raises(Transient, match=f"each of {MAX_ATTEMPTS} attempts"):
            await application.handle(paid(0))
    assert store.tries == MAX_ATTEMPTS


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE_PUBLISH, Fault.CRASH_IN_PUBLISH, Fault.COMMIT_UNSURE])
async def test_a_redelivery_publishes_what_was_committed_and_writes_nothing(fault: Fault) -> None:
    world, event = World(), paid(0)
    with pytest.raises((Crash, Transient)):
        await world.handle(event, fault)
    assert await world.handle(event) is Arrival.DUPLICATE
    assert world.store.commits == 1
    assert len({message.message_id for message in world.bus.taken}) == 3


async def test_a_redelivery_of_another_content_is_rejected_before_the_ring_is_looked_at() -> None:
    world, event = World(), paid(0)
    await world.handle(event)
    with pytest.raises(Rejected, match="id_reused"):
        await world.handle(event._replace(digest="other"))


async def test_a_rejected_event_writes_nothing() -> None:
    world, event = World(), paid(0)
    await world.handle(event)
    taken = len(world.bus.taken)
    with pytest.raises(Rejected):
        await world.handle(event._replace(digest="other"))
    assert (world.store.commits, len(world.bus.taken)) == (1, taken)


async def test_a_duplicate_costs_one_read() -> None:
    world, event = World(), paid(0)
    await world.handle(event)
    await world.handle(paid(30))
    commits = world.store.commits
    assert await world.handle(event) is Arrival.DUPLICATE
    assert world.store.commits == commits


class TestFit:
    def filled(self, number: int) -> UserRecord:
        """A record in which every payment led to an offer, with all messages still pending."""
        record = UserRecord(USER)
        for month in range(number):
            record = process(record, paid(month / 10, plan=f"plan-{month}"), day(month / 10), POLICY).record
        return record

    def test_what_fits_is_left_alone(self) -> None:
        record = self.filled(3)
        packing, shed = fit(record, TERMS)
        assert (packing.record, packing.blob, shed) == (record, pack(record), [])

    def test_the_oldest_pending_messages_go_first(self) -> None:
        record = self.filled(60)
        packing, shed = fit(record, TERMS, limit=8000)
        fitting = packing.record
        assert len(packing.blob) <= 8000
        assert shed == [*record.pending[: len(shed)]]
        assert fitting == record._replace(pending=record.pending[len(shed) :])

    def test_messages_that_are_out_go_before_older_ones_that_may_not_be(self) -> None:
        record = self.filled(5)
        first, second, third, *_ = record.pending
        third = third._replace(is_published=True)
        marked = record._replace(pending=(first, second, third))
        packing, shed = fit(marked, TERMS, limit=len(pack(marked)) - 1)
        assert (packing.record.pending, shed) == ((second, third), [first]), "the newest entry stays"
        marked = record._replace(pending=(first, second._replace(is_published=True), third))
        packing, _ = fit(marked, TERMS, limit=len(pack(marked)) - 1)
        assert packing.record.pending == (first, third)

    def test_the_newest_pending_entry_stays_whatever_it_weighs(self) -> None:
        record = self.filled(20)
        fitting = fit(record, TERMS, limit=100)[0].record
        assert fitting.pending == record.pending[-1:]

    def test_then_the_oldest_of_the_ring_move_to_the_base(self) -> None:
        record = self.filled(60)
        bare = len(pack(record._replace(pending=())))
        fitting = fit(record, TERMS, limit=bare - 500)[0].record
        assert 0 < len(fitting.history.ring) < 60
        assert fitting.history.head == record.history.head
        assert fitting.triggers == record.triggers

    def test_the_ring_is_not_given_up_for_one_large_decision(self) -> None:
        record = self.filled(10)
        bare = len(pack(record._replace(pending=())))
        fitting = fit(record, TERMS, limit=bare)[0].record
        assert fitting.history == record.history

    @pytest.mark.parametrize("ring", [1, 2, 3, 50])
    def test_a_ring_of_any_size_can_be_given_up(self, ring: int) -> None:
        fitting = fit(self.filled(ring), TERMS, limit=10)[0].record
        assert fitting.history.ring == ()

    def test_at_last_offers_and_subscriptions_are_forgotten_but_for_the_best(self) -> None:
        record = UserRecord(USER)
        for number in range(8):
            events = [paid(0, sub=f"sub-{number}"), refunded(1, start=0, sub=f"sub-{number}")]
            for one in events if number != 3 else events[:1]:
                record = process(record, one, day(2), POLICY).record
        fitting = fit(record, TERMS, limit=10)[0].record
        assert fitting.triggers == ()
        assert [sub.id for sub in fitting.history.head.subscriptions] == ["sub-3"]
        assert fitting.history.head == fitting.history.base

    async def test_what_is_shed_is_published_once_more_before_the_commit(self) -> None:
        """Every delivery crashes before its publish; a message no longer kept was published before a commit."""
        world = World()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("shared.application.handle_event.fit", partial(fit, limit=3000))
            for number in range(40):
                paying = paid(number / 8, end=number / 8 + 0.2)
                world.store.fault = world.bus.fault = None
                kept = world.store.record(USER).pending
                with pytest.raises(Crash):
                    await world.handle(paying, Fault.CRASH_BEFORE_ACK)
                assert set(offers(kept)) <= {*offers(world.store.record(USER).pending), *issued(world.bus.taken)}
        assert len(world.store.record(USER).pending) < 40

    async def test_what_is_shed_holds_no_offer_that_was_revoked(self) -> None:
        """The offer to repair a payment was never published, and must not be once the payment has recovered."""
        world = World()
        await world.handle(paid(0))
        with pytest.raises(Crash):
            await world.handle(failed(30), Fault.CRASH_BEFORE_PUBLISH)
        await world.handle(paid(31, start=30))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("shared.application.handle_event.fit", partial(fit, limit=100))
            await world.handle(auto_renew_off(32))
        assert len(world.store.record(USER).pending) == 1
        moments = [m.body["moment"] for m in world.bus.taken if m.body.get("kind") == "issued"]
        assert moments == ["activated", "payment.recovered", "auto_renew.off"]


def offers(pending: tuple[Pending, ...]) -> list[str]:
    return issued(message for entry in pending for message in entry.messages)


def issued(messages: Iterable[Message]) -> list[str]:
    return [message.body["trigger_id"] for message in messages if message.body.get("kind") == "issued"]


class TestPending:
    """The messages that a document keeps: all that may not be out, and for people the newest of those that are."""

    @pytest.mark.slow
    async def test_an_event_an_hour_for_a_month_publishes_every_message_once(self) -> None:
        """As two functions share them: each marks in the document what it has published itself."""
        store, bus = MemoryStore(), FlakyBus()
        payments, signals = World(store, bus), World(store, bus)
        for hour in range(30 * 24):
            at = hour / 24
            if hour % 2:
                await signals.handle(auto_renew_off(at) if hour % 4 == 1 else auto_renew_on(at))
            else:
                await payments.handle(paid(at))
            assert len(unpublished(store.record(USER))) <= 2
            assert len(store.record(USER).pending) <= MAX_PUBLISHED + 2
        assert len(bus.taken) > 1.5 * 30 * 24
        assert len({message.message_id for message in bus.taken}) == len(bus.taken)

    async def test_the_instance_that_has_published_publishes_nothing_on_a_redelivery(self) -> None:
        world = World()
        first, second = paid(0), paid(30)
        await world.handle(first)
        await world.handle(second)
        taken, commits = [*world.bus.taken], world.store.commits
        for one in (first, second):
            assert await world.handle(one) is Arrival.DUPLICATE
        assert (world.bus.taken, world.store.commits) == (taken, commits)

    async def test_another_instance_publishes_again_and_then_knows(self) -> None:
        store, bus = MemoryStore(), FlakyBus()
        first, second, payment = World(store, bus), World(store, bus), paid(0)
        await first.handle(payment)
        taken = [*bus.taken]
        assert await second.handle(payment) is Arrival.DUPLICATE
        assert bus.taken == taken * 2
        await second.handle(payment)
        assert bus.taken == taken * 2
        await second.handle(paid(1))
        assert unpublished(store.record(USER)) == [day(1)]

    async def test_what_a_document_marks_as_published_no_instance_publishes_again(self) -> None:
        store, bus = MemoryStore(), FlakyBus()
        first, second, payment = World(store, bus), World(store, bus), paid(0)
        await first.handle(payment)
        await first.handle(paid(1))
        taken = [*bus.taken]
        assert await second.handle(payment) is Arrival.DUPLICATE
        assert bus.taken == taken

    @pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE_PUBLISH, Fault.CRASH_IN_PUBLISH, Fault.COMMIT_UNSURE])
    async def test_what_was_not_published_stays_until_it_is(self, fault: Fault) -> None:
        world, payment = World(), paid(0)
        with pytest.raises((Crash, Transient)):
            await world.handle(payment, fault)
        await world.handle(auto_renew_off(1))
        assert unpublished(world.store.record(USER)) == [day(0), day(1)]
        await world.handle(payment)
        await world.handle(auto_renew_on(2))
        assert unpublished(world.store.record(USER)) == [day(2)]

    async def test_an_id_that_comes_again_with_other_content_is_refused_although_nothing_is_pending(self) -> None:
        world, payment = World(), paid(0)
        await world.handle(payment)
        await world.handle(paid(30))
        assert world.store.record(USER).pending_entry(payment.key.cause) is None
        with pytest.raises(Rejected, match="id_reused"):
            await world.handle(payment._replace(digest="other"))

    async def test_an_offer_is_not_brought_back_by_an_event_whose_messages_were_never_published(self) -> None:
        """Its revocation is out, so that it is no longer pending."""
        world, failure = World(), failed(30)
        await world.handle(paid(0))
        with pytest.raises(Crash):
            await world.handle(failure, Fault.CRASH_BEFORE_PUBLISH)
        await world.handle(paid(31, start=30))
        await world.handle(auto_renew_off(32))
        assert unpublished(world.store.record(USER)) == [day(30), day(32)]
        world.bus.taken.clear()
        await world.handle(failure)
        assert world.bus.taken
        assert issued(world.bus.taken) == []


def unpublished(record: UserRecord) -> list[datetime]:
    """The times of the commits whose messages are not known to be out."""
    return [entry.committed_at for entry in record.pending if not entry.is_published]


def test_an_instance_forgets_the_event_that_it_published_longest_ago() -> None:
    published = PublishedEvents(limit=2)
    for cause in ("a", "b", "c"):
        published.add(USER, cause)
    assert [cause for cause in "abc" if (USER, cause) in published] == ["b", "c"]
    assert ("user-2", "c") not in published


async def test_a_users_time_never_goes_back() -> None:
    """The clock of another instance is behind: a subscription that has expired stays expired."""
    world = World()
    await world.handle(trial(0, ends=14, auto_renew=False))
    await world.handle(auto_renew_off(13))
    world.clock.instant = day(14)
    await world.application.handle(event(14, Topic.LIFECYCLE_DUE, TimePassed()))
    world.clock.instant = day(13.5)
    await world.application.handle(paid(13.4, start=0, end=1, amount=0))
    assert world.store.record(USER).as_of == day(14)
    assert world.store.record(USER).announced_status == "expired"


async def test_what_is_due_is_due_though_the_clock_of_this_instance_is_behind() -> None:
    world = World()
    await world.handle(trial(0, ends=14, auto_renew=False))
    world.clock.instant = day(13.99)
    handled = await world.application.handle(event(14, Topic.LIFECYCLE_DUE, TimePassed()))
    assert handled.arrival is Arrival.APPLIED
    assert world.store.record(USER).announced_status == "expired"


async def test_two_users_do_not_touch() -> None:
    world = World()
    await world.handle(paid(0))
    before = world.store.record(USER)
    await world.handle(paid(0)._replace(user_id="user-2"))
    assert set(world.store.documents) == {USER, "user-2"}
    assert world.store.record(USER) == before


class NumberedCatalogs:
    """Catalogs of which each look finds the next; what every call asked for is kept."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = [*numbers]
        self.asked: list[int] = []

    async def current(self, at_least: int = 0) -> Catalog:
        self.asked.append(at_least)
        while len(self.numbers) > 1 and self.numbers[0] < at_least:
            self.numbers.pop(0)
        return replace(EVERYTHING, number=self.numbers[0])


def numbered(*numbers: int) -> tuple[World, NumberedCatalogs]:
    world, catalogs = World(), NumberedCatalogs(*numbers)
    world.application = Application(PackedRecords(world.store, TERMS), world.bus, catalogs, world.clock, TERMS)
    return world, catalogs


def due(number: int, on: float = 1) -> Event:
    return event(on, Topic.LIFECYCLE_DUE, TimePassed(number))


async def test_an_instance_looks_for_the_catalog_by_which_the_user_was_processed() -> None:
    world, catalogs = numbered(7)
    await world.handle(paid(0))
    assert world.store.record(USER).catalog_number == 7
    catalogs.numbers = [6]
    await world.handle(auto_renew_off(1))
    assert catalogs.asked == [0, 7]
    assert world.store.record(USER).catalog_number == 7


async def test_an_event_that_asks_for_a_newer_catalog_is_transient_until_there_is_one() -> None:
    world, catalogs = numbered(5)
    await world.handle(paid(0))
    commits, taken = world.store.commits, len(world.bus.taken)
    with pytest.raises(Transient, match="expected a catalog of number 6 or higher, found 5"):
        await world.handle(due(6))
    assert (world.store.commits, len(world.bus.taken)) == (commits, taken)
    catalogs.numbers = [5, 6]
    assert await world.handle(due(6)) is Arrival.APPLIED


async def test_a_recall_of_a_user_with_nothing_open_commits_and_tells_nothing() -> None:
    world, catalogs = numbered(5)
    await world.handle(paid(0))
    await world.handle(refunded(1, start=0))
    catalogs.numbers = [6]
    await world.handle(due(6, 40))
    commits, taken = world.store.commits, len(world.bus.taken)
    assert world.store.record(USER).open_campaigns(world.clock.now()) == ()
    for _ in range(2):
        assert await world.handle(due(6, 40)) is Arrival.APPLIED
    assert (world.store.commits, len(world.bus.taken)) == (commits, taken)


async def test_a_document_names_the_campaigns_that_are_open_at_its_commit() -> None:
    world = World()
    await world.handle(paid(0))
    assert world.store.documents[USER][0].open_campaigns == ("at-activated",)
    await world.handle(auto_renew_off(1))
    assert world.store.documents[USER][0].open_campaigns == ("at-activated", "at-auto_renew-off")
    await world.handle(refunded(2, start=0))
    found = world.store.documents[USER][0].open_campaigns
    assert found == tuple(
        sorted({one.campaign_id for one in world.store.record(USER).triggers if not one.revoked})
    )
    assert "at-activated" not in found
