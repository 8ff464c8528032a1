"""A sync publishes what all entries together say, once, or nothing."""

import asyncio
from datetime import timedelta

import pytest

from shared.application.sync_catalog import LEASE, SyncOutcome
from shared.decisioning.document.entries import Entry, Mistake
from shared.domain.errors import Transient
from tests.support.fakes import MovableClock
from tests.support.syncs import NOON, SALE, MemoryCatalogStore, MemoryEntries, changed, syncing, written


@pytest.fixture
def entries():
    return MemoryEntries(*SALE)


@pytest.fixture
def store():
    return MemoryCatalogStore()


async def test_valid_entries_go_in_force_and_are_announced(entries, store):
    synced = await syncing(entries, store).sync("one", "ada")
    assert (synced.outcome, synced.version, synced.number) == (SyncOutcome.PUBLISHED, store.current, 1)
    assert store.published == [(synced.version, "sync from memory by ada")]
    assert (store.announced, entries.reported) == (1, [((), synced.version)])


async def test_the_same_content_is_published_once(entries, store):
    sync = syncing(entries, store)
    await sync.sync("one", "ada")
    assert (await sync.sync("two", "ada")).outcome is SyncOutcome.UNCHANGED
    assert len(store.published) == 1


async def test_a_rollback_is_not_undone_by_content_that_was_synced_before(entries, store):
    sync = syncing(entries, store)
    await sync.sync("one", "ada")
    store.put("0123456789abcdef")
    assert (await sync.sync("two", "ada")).outcome is SyncOutcome.UNCHANGED
    assert store.current == "0123456789abcdef"


async def test_what_is_in_force_already_is_announced_again_and_not_published(entries, store):
    store.fails_to_announce = True
    sync = syncing(entries, store)
    with pytest.raises(Transient):
        await sync.sync("one", "ada")
    store.fails_to_announce = False
    assert (await sync.sync("two", "ada")).outcome is SyncOutcome.UNCHANGED
    assert (len(store.published), store.announced) == (1, 1)


async def test_mistakes_are_reported_at_their_entries_and_the_last_good_catalog_stays(entries, store):
    sync = syncing(entries, store)
    await sync.sync("one", "ada")
    good = store.current
    entries.entries = changed(changed(SALE, "any", validity_hours=0, cms_ref=7), "sale", placement="baner")
    synced = await sync.sync("two", "bob")
    assert (synced.outcome, store.current) == (SyncOutcome.INVALID, good)
    assert entries.reported[-1] == (synced.mistakes, None)
    assert {(each.place, each.problem) for each in synced.mistakes} == {
        ("at/any", "offers.any.cms_ref: expected text, in quotes, found 7"),
        ("at/any", "offers.any.validity_hours: expected at least 1, found 0"),
        ("at/sale", 'campaigns.sale.placement: expected one of the placements (banner?), found "baner"'),
    }


async def test_an_entry_that_cannot_be_read_is_told_once(entries, store):
    entries.entries = (Entry("offers", "any", {}, "at/any"), *(one for one in SALE if one.id != "any"))
    entries.unreadable = [Mistake("at/any", "no YAML")]
    synced = await syncing(entries, store).sync("one", "ada")
    assert synced.mistakes == (Mistake("at/any", "no YAML"),)


async def test_a_source_that_fails_publishes_nothing_and_frees_the_turn(entries, store):
    sync = syncing(entries, store)
    entries.fails = True
    with pytest.raises(Transient):
        await sync.sync("one", "ada")
    assert store.published == []
    entries.fails = False
    assert (await sync.sync("two", "ada")).outcome is SyncOutcome.PUBLISHED


async def test_a_burst_becomes_one_sync_of_the_newest_content(entries, store):
    arrived = asyncio.Event()
    sync = syncing(entries, store, settle=arrived.wait)
    tasks = [asyncio.create_task(sync.sync(f"request {number}", f"user {number}")) for number in range(10)]
    await asyncio.sleep(0.2)
    entries.entries = changed(SALE, "any", validity_hours=9)
    arrived.set()
    outcomes = [synced.outcome for synced in await asyncio.gather(*tasks)]
    assert sorted(outcomes) == [SyncOutcome.JOINED] * 9 + [SyncOutcome.PUBLISHED]
    assert (entries.reads, len(store.published)) == (1, 1)
    assert all(f"user {number}" in store.published[0][1] for number in range(10))


async def test_what_is_asked_for_during_the_read_is_read_again(entries, store):
    sync, listed = syncing(entries, store), MemoryEntries.list
    later = changed(SALE, "any", validity_hours=9)

    async def asked_meanwhile():
        found = await listed(entries)
        if entries.reads == 1:
            assert (await sync.sync("two", "bob")).outcome is SyncOutcome.JOINED
            entries.entries = later
        return found

    entries.list = asked_meanwhile
    await sync.sync("one", "ada")
    assert (entries.reads, len(store.published)) == (2, 2)
    assert store.published[1][1].endswith("ada, bob")


async def test_a_dead_sync_gives_way_after_its_lease(entries, store):
    clock = MovableClock(NOON)
    dead = syncing(entries, store, clock=clock)
    assert await dead._take_turn("dead", "ada")
    sync = syncing(entries, store, clock=clock)
    assert (await sync.sync("early", "bob")).outcome is SyncOutcome.JOINED
    clock.pass_by(LEASE + timedelta(seconds=1))
    assert (await sync.sync("late", "eve")).outcome is SyncOutcome.PUBLISHED
    assert store.published[0][1].endswith("ada, bob, eve")


async def test_a_catalog_that_comes_in_force_meanwhile_is_seen(entries, store):
    listed = MemoryEntries.list

    async def overtaken():
        if entries.reads == 0:
            store.put("0123456789abcdef")
        return await listed(entries)

    entries.list = overtaken
    assert (await syncing(entries, store).sync("one", "ada")).outcome is SyncOutcome.PUBLISHED
    assert entries.reads == 2


async def test_with_two_persons_nothing_goes_in_force_and_authors_add_up(entries, store):
    sync = syncing(entries, store, needs_approval=True)
    first = await sync.sync("one", "ada")
    entries.entries = changed(SALE, "any", validity_hours=9)
    second = await sync.sync("two", "bob")
    assert {first.outcome, second.outcome} == {SyncOutcome.WAITING}
    assert store.published == []
    assert store.proposals == {first.version: ["ada"], second.version: ["ada", "bob"]}
    store.approved.add(second.version)
    entries.entries = changed(SALE, "any", validity_hours=10)
    third = await sync.sync("three", "eve")
    assert store.proposals[third.version] == ["eve"]


async def test_a_report_that_is_not_taken_is_tried_again_and_nothing_is_published_twice(entries, store):
    sync = syncing(entries, store)
    entries.refuses_reports = True
    with pytest.raises(Transient):
        await sync.sync("one", "ada")
    entries.refuses_reports = False
    assert (await sync.sync("two", "ada")).outcome is SyncOutcome.UNCHANGED
    assert (len(store.published), entries.reported) == (1, [((), store.current)])


class TestApprovalInTheCms:
    async def test_what_another_has_approved_there_goes_in_force_and_is_recorded(self, entries, store):
        entries.entries = written(SALE, "ada", "bob")
        synced = await syncing(entries, store, needs_approval=True).sync("one", None)
        assert (synced.outcome, store.current) == (SyncOutcome.PUBLISHED, synced.version)
        assert store.published == [(synced.version, "sync from memory by ada")]
        assert store.approvals == ["in the CMS: bob"]

    @pytest.mark.parametrize(
        ("author", "approved_by"),
        [
            ("ada", None),
            ("ada", ""),
            ("ada", " ADA "),
            ("ada", "\uff41da"),
            (None, "bob"),
            ("", "bob"),
            (None, None),
        ],
    )
    async def test_one_changed_entry_without_a_second_person_makes_the_whole_wait(
        self, entries, store, author, approved_by
    ):
        entries.entries = (*written(SALE[:2], "ada", "bob"), *written(SALE[2:], author, approved_by))
        synced = await syncing(entries, store, needs_approval=True).sync("one", None)
        assert (synced.outcome, store.published) == (SyncOutcome.WAITING, [])
        assert store.proposals == {synced.version: ["ada"]}

    async def test_an_entry_that_is_as_it_was_needs_no_approval(self, entries, store):
        await syncing(entries, store).sync("one", "ada")
        edited = changed(SALE, "any", validity_hours=9)
        entries.entries = (edited[0], *written(edited[1:2], "eve", "bob"), edited[2])
        synced = await syncing(entries, store, needs_approval=True).sync("two", None)
        assert (synced.outcome, store.approvals[-1]) == (SyncOutcome.PUBLISHED, "in the CMS: bob")
        assert store.published[-1][1] == "sync from memory by eve"

    async def test_what_is_gone_waits_for_nobody_can_have_approved_it_there(self, entries, store):
        extra = Entry("offers", "more", {"cms_ref": "y", "validity_hours": 1}, "at/more")
        entries.entries = written((*SALE, extra), "ada", "bob")
        await syncing(entries, store).sync("one", None)
        entries.entries = written(SALE, "ada", "bob")
        assert (
            await syncing(entries, store, needs_approval=True).sync("two", "eve")
        ).outcome is SyncOutcome.WAITING

    async def test_the_settings_are_approved_as_one_entry_also_where_a_field_is_left_out(self, entries, store):
        settings = Entry("settings", "settings", {"kill_switch": True, "time_zone": "Asia/Tokyo"}, "at/settings")
        entries.entries = written((*SALE, settings), "ada", "bob")
        await syncing(entries, store).sync("one", None)
        lifted = settings._replace(fields={"time_zone": "Asia/Tokyo"})
        sync = syncing(entries, store, needs_approval=True)
        entries.entries = written((*SALE, lifted), "ada")
        assert (await sync.sync("two", None)).outcome is SyncOutcome.WAITING
        entries.entries = written((*SALE, lifted), "ada", "bob")
        assert (await sync.sync("three", None)).outcome is SyncOutcome.PUBLISHED

    async def test_what_waits_goes_in_force_once_it_is_approved_in_the_cms(self, entries, store):
        sync = syncing(entries, store, needs_approval=True)
        entries.entries = written(SALE, "ada")
        waiting = await sync.sync("one", None)
        assert (await sync.sync("two", "bob")).outcome is SyncOutcome.WAITING
        assert store.proposals == {waiting.version: ["ada"]}, "a request about the same content makes no author"
        entries.entries = written(SALE, "ada", "bob")
        assert (await sync.sync("three", None)).outcome is SyncOutcome.PUBLISHED
        assert not await store.awaits(waiting.version)

    async def test_a_rollback_is_not_undone_though_the_content_is_approved(self, entries, store):
        sync = syncing(entries, store, needs_approval=True)
        entries.entries = written(SALE, "ada", "bob")
        await sync.sync("one", None)
        store.put("0123456789abcdef")
        assert (await sync.sync("two", None)).outcome is SyncOutcome.UNCHANGED
        assert store.current == "0123456789abcdef"

    async def test_whoever_wrote_what_waits_is_among_its_authors(self, entries, store):
        sync = syncing(entries, store, needs_approval=True)
        entries.entries = written(SALE, "ada")
        await sync.sync("one", None)
        entries.entries = (
            *written(SALE[:1], "ada"),
            *written(changed(SALE, "any", validity_hours=9)[1:], "eve", "bob"),
        )
        synced = await sync.sync("two", None)
        assert store.proposals[synced.version] == ["ada", "eve"]

    async def test_no_author_is_forgotten_however_many_there_are(self, entries, store):
        many = [
            Entry("offers", f"o{n}", {"cms_ref": "y", "validity_hours": 1}, f"at/{n}", f"person {n}")
            for n in range(80)
        ]
        entries.entries = (*SALE, *many)
        synced = await syncing(entries, store, needs_approval=True).sync("one", None)
        assert len(store.proposals[synced.version]) == 80
