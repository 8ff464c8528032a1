"""The features of a user are read once an event at most, only if the catalog asks for them, and never stop it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.adapters.fixed import FixedCatalogs
from shared.adapters.packed_records import PackedRecords
from shared.application.handle_event import Application, Handled
from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.domain.arrival import Arrival
from shared.domain.errors import Conflict
from shared.domain.features import NO_FEATURES, Feature, KnownFeatures
from shared.ports import Document
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.record.user_record import UserRecord
from tests.support.builders import campaign, catalog
from tests.support.fakes import FlakyBus, MemoryStore, MovableClock
from tests.support.histories import START, TERMS, USER
from tests.support.story import day, paid, trial

ASKING = catalog(
    features={"value": {"type": "number", "max_age_hours": 48}},
    audiences={"rich": {"all": [{"much": "features.value > 100"}]}},
    campaigns={"upgrade": campaign(audience="rich", moments=["activated", "renewed"])},
)
DOWN = KnownFeatures(failure="Bigtable: no answer within 0.02 s")


def worth(value: float) -> KnownFeatures:
    return KnownFeatures({"value": Feature(value, day(0))})


class Source:
    """A source of features that counts what is asked for."""

    def __init__(self, known: KnownFeatures) -> None:
        self.known = known
        self.asked: list[tuple[str, datetime]] = []

    async def load(self, user_id: str, now: datetime) -> KnownFeatures:
        self.asked.append((user_id, now))
        return self.known


class World:
    def __init__(self, source: Source | None, asked: Catalog = ASKING, store: MemoryStore | None = None) -> None:
        self.store, self.bus, self.clock = store or MemoryStore(), FlakyBus(), MovableClock(START)
        records = PackedRecords(self.store, TERMS)
        catalogs = FixedCatalogs(asked)
        self.application = Application(records, self.bus, catalogs, self.clock, TERMS, features=source)

    async def handle(self, event) -> Handled:
        self.clock.move_to(event.occurred_at)
        return await self.application.handle(event)

    @property
    def decisions(self) -> list[dict]:
        return [message.body for message in self.bus.taken if message.topic == Topic.DECISION]


async def test_an_event_whose_catalog_asks_for_a_feature_reads_them_once_as_of_its_processing() -> None:
    source = Source(worth(500))
    world = World(source)
    handled = await world.handle(paid(0))
    assert source.asked == [(USER, day(0))]
    assert (handled.arrival, handled.features_failure) == (Arrival.APPLIED, None)
    (decision,) = world.decisions
    assert (decision["outcome"], decision["context"]) == ("issued", {"features.value": 500.0})
    assert "features_missing" not in decision


@pytest.mark.parametrize("unasked", [catalog(), replace(ASKING, campaigns={}, listeners={})])
async def test_an_event_whose_catalog_asks_for_none_reads_nothing(unasked: Catalog) -> None:
    source = Source(worth(500))
    assert (await World(source, unasked).handle(paid(0))).features_failure is None
    assert source.asked == []


async def test_a_redelivery_reads_nothing_and_decides_nothing_again() -> None:
    source = Source(worth(500))
    world = World(source)
    event = paid(0, event_id="once")
    await world.handle(event)
    source.known = worth(1)
    assert (await world.handle(event)).arrival is Arrival.DUPLICATE
    assert len(source.asked) == 1
    assert len(world.decisions) == 1


async def test_a_conflict_does_not_read_again() -> None:
    class Contested(MemoryStore):
        conflicts = 3

        async def commit(self, document: Document, version: object | None) -> None:
            if self.conflicts:
                self.conflicts -= 1
                raise Conflict("another was first")
            await super().commit(document, version)

    source = Source(worth(500))
    world = World(source, store=Contested())
    await world.handle(paid(0))
    assert len(source.asked) == 1
    assert world.decisions[0]["outcome"] == "issued"


@pytest.mark.parametrize(
    ("source", "failure"),
    [(Source(DOWN), DOWN.failure), (None, "no source of features is configured")],
    ids=["down", "none"],
)
async def test_a_decision_goes_on_without_them_and_says_so(source: Source | None, failure: str) -> None:
    world = World(source)
    handled = await world.handle(paid(0))
    assert (handled.arrival, handled.features_failure) == (Arrival.APPLIED, failure)
    (decision,) = world.decisions
    assert decision["outcome"] == "withheld"
    assert decision["context"] == {"features.value": None}
    assert decision["features_missing"] == [f"features unavailable: {failure}"]
    assert decision["candidates"][0]["detail"].endswith(f"(features unavailable: {failure})")


async def test_what_was_offered_stays_open_while_they_cannot_be_read() -> None:
    source = Source(worth(500))
    world = World(source)
    await world.handle(paid(0))
    source.known = DOWN
    await world.handle(paid(1, event_id="again"))
    (given,) = world.store.record(USER).triggers
    assert not given.revoked


@pytest.mark.parametrize("known", [NO_FEATURES, DOWN, worth(1), worth(500)])
def test_no_fold_depends_on_them(known: KnownFeatures) -> None:
    record = without = UserRecord(USER)
    for number, event in enumerate([trial(0), paid(7), paid(37, event_id="second")]):
        now = event.occurred_at + timedelta(hours=number)
        record = process(record, event, now, Rules(ASKING, TERMS), known).record
        without = process(without, event, now, Rules(ASKING, TERMS)).record
    assert record.history == without.history
    assert record.announced == without.announced
