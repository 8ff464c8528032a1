"""An app asks what to offer, and what a user has: one answer to a key, committed and published before it."""

import asyncio
from datetime import timedelta

import pytest

from shared.adapters.fixed import FixedCatalogs
from shared.adapters.packed_records import PackedRecords
from shared.application.decide_now import OfferAnswer, OfferRequest, decide_now
from shared.application.handle_event import Application
from shared.application.read_user import WAIT_SECONDS, Freshness, read_user
from shared.contracts.topics import Topic
from shared.decisioning.compile import compile_catalog
from shared.domain.errors import Rejected, Transient
from shared.domain.events import Event
from shared.queries.access import entitlement, subscription
from shared.queries.open_offers import open_offers
from tests.support.fakes import Crash, Fault, FlakyBus, MemoryStore, MovableClock
from tests.support.histories import START, TERMS, USER
from tests.support.story import day, failed, paid, trial
from tests.support.virtual_time import VirtualTimeLoop

CATALOG = compile_catalog(
    {
        "offers": {"annual": {"cms_ref": "c1", "price_ref": "p1", "plan_to": "annual", "validity_hours": 24}},
        "placements": {"home": {"channel": "app", "holds": "open"}, "mail": {"channel": "email"}},
        "campaigns": {
            "at_home": {"moments": ["offer.requested"], "offer": "annual", "placement": "home", "priority": 1},
            "by_mail": {"moments": ["payment.failed"], "offer": "annual", "placement": "mail", "priority": 1},
        },
    }
)


class World:
    """An application whose store, bus and clock the test controls."""

    def __init__(self) -> None:
        self.store, self.bus, self.clock = MemoryStore(), FlakyBus(), MovableClock(START)
        self.application = self.instance()

    def instance(self) -> Application:
        """Another instance, which knows only what is stored."""
        records = PackedRecords(self.store, TERMS)
        return Application(records, self.bus, FixedCatalogs(CATALOG), self.clock, TERMS)

    async def handle(self, event: Event) -> None:
        self.clock.move_to(event.occurred_at)
        await self.application.handle(event)

    async def ask(self, key: str, placement: str = "home", *, dry_run: bool = False) -> OfferAnswer:
        return await decide_now(self.application, OfferRequest(USER, placement, key), dry_run=dry_run)

    def topics(self) -> list[str]:
        return [message.topic for message in self.bus.taken]


async def test_the_offer_is_committed_and_published_before_it_is_given() -> None:
    world = World()
    answer = await world.ask("k1")
    assert answer.trigger
    assert (answer.trigger.campaign_id, answer.is_new, answer.is_repeat) == ("at_home", True, False)
    assert world.topics() == [Topic.UPSELL_TRIGGER, Topic.DECISION]
    assert world.store.commits == 1


async def test_a_repeat_gets_the_same_answer_from_any_instance() -> None:
    world = World()
    first = await world.ask("k1")
    world.application = world.instance()
    for hours in range(3):
        world.clock.pass_by(timedelta(hours=hours))
        again = await world.ask("k1")
        assert (again.trigger, again.is_new, again.is_repeat) == (first.trigger, True, True)
    assert world.topics().count(Topic.UPSELL_TRIGGER) == 2  # an instance knows only what itself has published
    assert len({message.message_id for message in world.bus.taken}) == 2


async def test_a_key_that_was_used_for_another_placement_is_refused() -> None:
    world = World()
    await world.ask("k1")
    with pytest.raises(Rejected, match="id_reused"):
        await world.ask("k1", "mail")


async def test_an_unknown_placement_is_refused_without_its_name() -> None:
    with pytest.raises(Rejected, match="placement: expected a placement of the catalog") as refused:
        await World().ask("k1", "nowhere")
    assert (refused.value.reason, "nowhere" in str(refused.value)) == ("unknown_value", False)


async def test_a_placement_whose_campaigns_do_not_listen_gives_nothing_and_writes_nothing() -> None:
    world = World()
    answer = await world.ask("k1", "mail")
    assert (answer.trigger, answer.is_new, world.store.commits) == (None, False, 0)


async def test_what_is_open_in_the_placement_is_given_and_said_not_to_be_new() -> None:
    world = World()
    first = await world.ask("k1")
    second = await world.ask("k2")
    assert (second.trigger, second.is_new) == (first.trigger, False)


async def test_a_dry_run_commits_and_publishes_nothing() -> None:
    world = World()
    answer = await world.ask("k1", dry_run=True)
    assert answer.trigger
    assert answer.trigger.campaign_id == "at_home"
    assert (world.store.commits, world.bus.taken) == (0, [])


async def test_a_crash_after_the_commit_loses_no_message_and_a_repeat_publishes_it() -> None:
    world = World()
    world.bus.fault = Fault.CRASH_BEFORE_PUBLISH
    with pytest.raises(Crash):
        await world.ask("k1")
    world.bus.fault, world.application = None, world.instance()
    answer = await world.ask("k1")
    assert answer.trigger
    assert world.topics() == [Topic.UPSELL_TRIGGER, Topic.DECISION]


async def test_two_at_once_with_one_key_make_one_trigger() -> None:
    world = World()
    answers = await asyncio.gather(*(world.ask("k1") for _ in range(20)))
    assert len({answer.trigger and answer.trigger.trigger_id for answer in answers}) == 1
    assert world.topics().count(Topic.UPSELL_TRIGGER) == 1


async def test_a_store_that_does_not_answer_is_told() -> None:
    world = World()
    world.store.fault = Fault.COMMIT_FAILS
    with pytest.raises(Transient):
        await world.ask("k1")


async def test_open_offers_have_what_the_catalog_says_of_them() -> None:
    world = World()
    await world.ask("k1")
    read = await read_user(world.application, USER)
    (offer,) = open_offers(read.record, read.now, TERMS, CATALOG)
    assert {name: offer[name] for name in ("cms_ref", "price_ref", "plan_to", "state", "placement")} == {
        "cms_ref": "c1",
        "price_ref": "p1",
        "plan_to": "annual",
        "state": "issued",
        "placement": "home",
    }
    assert open_offers(read.record, read.now, TERMS, CATALOG, "mail") == []


async def test_an_offer_that_time_made_untrue_is_not_open_although_the_clock_has_not_come() -> None:
    world = World()
    await world.handle(paid(0))
    await world.handle(failed(30))
    read = await read_user(world.application, USER)
    assert [one["campaign_id"] for one in open_offers(read.record, read.now, TERMS, CATALOG)] == ["by_mail"]
    assert open_offers(read.record, day(33), TERMS, CATALOG) == []


async def test_an_entitlement_holds_until_the_next_deadline() -> None:
    world = World()
    await world.handle(trial(0, ends=14))
    read = await read_user(world.application, USER)
    found = entitlement(read.record, read.now, TERMS)
    assert (found.entitled, found.status, found.until) == (True, "trialing", day(14))
    later = entitlement(read.record, day(20), TERMS)
    assert later.tag != found.tag
    assert later.until is None or later.until > day(20)


async def test_an_unknown_user_has_no_entitlement_and_a_state_none() -> None:
    read = await read_user(World().application, "nobody")
    found = entitlement(read.record, read.now, TERMS)
    assert (found.entitled, found.status, found.until, found.sequence) == (False, "none", None, 0)
    assert subscription(read.record, read.now, TERMS, every=True)["subscriptions"] == []


def test_a_read_waits_until_the_state_is_as_new_as_asked_for() -> None:
    async def scenario() -> None:
        world = World()
        reading = asyncio.create_task(read_user(world.application, USER, Freshness(event_id="e1")))
        await asyncio.sleep(0.35)
        await world.handle(paid(0, event_id="e1"))
        read = await reading
        assert (read.stale, read.record.history.holds("e1")) == (False, True)

    VirtualTimeLoop().run_until_complete(scenario())


def test_a_read_that_waits_in_vain_says_that_it_is_stale() -> None:
    async def scenario() -> None:
        world, loop = World(), asyncio.get_running_loop()
        await world.handle(paid(0))
        began = loop.time()
        read = await read_user(world.application, USER, Freshness(min_sequence=10**18))
        assert read.stale
        assert loop.time() - began <= WAIT_SECONDS

    VirtualTimeLoop().run_until_complete(scenario())


async def test_all_subscriptions_are_told_on_request() -> None:
    world = World()
    await world.handle(paid(0))
    read = await read_user(world.application, USER)
    assert "subscriptions" not in subscription(read.record, read.now, TERMS)
    (only,) = subscription(read.record, read.now, TERMS, every=True)["subscriptions"]
    assert (only["subscription_id"], only["status"]) == ("main", "active")
