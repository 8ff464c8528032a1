"""Contract of a sweep's target, checked for each: whom a page holds, and what is saved."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from google.api_core.exceptions import DeadlineExceeded
from google.cloud.firestore import DELETE_FIELD, AsyncClient
from google.pubsub_v1.types import Subscription

from infra.embedded.runtime import EmbeddedRuntime, VirtualClock
from infra.embedded.sweeps import EmbeddedUsers, put_in_force
from infra.emulator.topics import create_topics
from infra.errors import InfraError
from infra.remote.firestore import emulator_client
from infra.remote.pubsub import Bus
from infra.remote.sweeps import FirestoreUsers
from infra.sweeps.sweep import Page, Scope, Sweep, Target, carry_out
from infra.topology import load
from shared.adapters.gcp.connection import FIRESTORE, connections
from shared.adapters.gcp.documents import Documents
from shared.adapters.gcp.firestore import FirestoreStore
from shared.adapters.packed_records import PackedRecords
from shared.adapters.sqlite import SqliteStore
from shared.decisioning.catalog import empty_catalog
from shared.domain.terms import Terms
from shared.ports import Document

NOON = datetime(2026, 1, 1, 12, 0, 0, 123_456, tzinfo=UTC)
EVERYBODY, ANY_OPEN = Scope(), Scope(only_open=True)
HOLDERS = {
    ".": ("sale",),
    "A": (),
    "__x__": ("sale", "tips"),
    "a": ("tips",),
    "anna": ("sale",),
    "ben": ("fallback.banner", "sale"),
    "zoe": (),
}
"""Users in the order of their documents, with the campaigns that they have open."""


class Place:
    """A target, and the store in which its users are."""

    def __init__(self, target: Target, store: SqliteStore | FirestoreStore) -> None:
        self.target = target
        self.store = store

    async def write(self, user_id: str, *campaigns: str) -> None:
        stored = await self.store.load(user_id)
        await self.store.commit(Document(user_id, b"blob", None, {}, campaigns), stored.version)

    async def forget_the_field(self, user_id: str) -> None:
        """Make a document as it was before the field existed."""
        if isinstance(self.store, FirestoreStore):
            client = AsyncClient(project=self.store.documents.project)
            await client.collection("subscriptions").document(user_id).update({"open_campaigns": DELETE_FIELD})
            await client._firestore_api.transport.close()
        else:
            self.store.connection.execute(
                "update subscriptions set open_campaigns = null where user_id = ?", (user_id,)
            )

    async def pages(self, scope: Scope, size: int) -> list[Page]:
        found: list[Page] = []
        while (page := await self.page(scope, found[-1].last if found else "", size)).last is not None:
            found.append(page)
        return found

    async def page(self, scope: Scope, after: str, size: int) -> Page:
        return await asyncio.to_thread(self.target.page, scope, after, size)


@pytest.fixture(params=["sqlite", pytest.param("firestore", marks=pytest.mark.emulator)])
async def place(request, project, tmp_path, monkeypatch) -> AsyncIterator[Place]:
    if request.param == "sqlite":
        file = tmp_path / "upbeat.sqlite"
        SqliteStore(file).close()
        put_in_force(file, "v1", NOON)
        with closing(SqliteStore(file)) as store:
            records = PackedRecords(store, Terms())
            runtime = EmbeddedRuntime(records, empty_catalog(), VirtualClock(NOON), lambda _: None)
            yield Place(EmbeddedUsers(runtime, store), store)
        return
    emulators = request.getfixturevalue("emulators")
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulators.firestore_host)
    endpoints = emulators.endpoints(project)
    bus = Bus.of_emulator(endpoints)
    (firestore,) = connections(endpoints.env, FIRESTORE)
    yield Place(FirestoreUsers(emulator_client(endpoints), bus), FirestoreStore(Documents(firestore, project)))
    await firestore.close()
    bus.close()


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("scope", "users"),
    [
        (Scope(("sale",)), [".", "__x__", "anna", "ben"]),
        (Scope(("tips",)), ["__x__", "a"]),
        (Scope(("fallback.banner", "tips")), ["__x__", "a", "ben"]),
        (Scope(("sale", "tips")), [".", "__x__", "a", "anna", "ben"]),
        (Scope(("nothing",)), []),
        (Scope(("sal", "sale2", "SALE", "s%", "[]", "")), []),
        (ANY_OPEN, [".", "__x__", "a", "anna", "ben"]),
        (EVERYBODY, [*HOLDERS]),
    ],
)
async def test_paging_finds_those_in_the_scope_once_and_in_order(place: Place, scope, users, size) -> None:
    for user_id, campaigns in HOLDERS.items():
        await place.write(user_id, *campaigns)
    pages = await place.pages(scope, size)
    assert [user for page in pages for user in page.users] == users
    assert all(len(page.users) <= size for page in pages)
    looked_at = [*HOLDERS] if scope.only_open else users
    for done, after in ((0, ""), (len(looked_at) // 2, looked_at[len(looked_at) // 2 - 1] if looked_at else "")):
        assert await asyncio.to_thread(place.target.count, scope, after) == len(looked_at) - (done if after else 0)


async def test_a_page_goes_on_behind_a_user_who_holds_nothing_any_more_or_is_gone(place: Place) -> None:
    for user_id, campaigns in HOLDERS.items():
        await place.write(user_id, *campaigns)
    sale = Scope(("sale",))
    first = await place.page(sale, "", 2)
    assert first == Page((".", "__x__"), "__x__")
    await place.write("__x__")
    assert await place.page(sale, "__x__", 2) == Page(("anna", "ben"), "ben")
    assert await place.page(sale, "aaa", 2) == Page(("anna", "ben"), "ben")


async def test_a_document_from_before_the_field_counts_as_one_with_something_open(place: Place) -> None:
    await place.write("anna", "sale")
    await place.write("ben")
    await place.forget_the_field("anna")
    assert (await place.page(ANY_OPEN, "", 10)).users == ("anna",)
    assert (await place.page(EVERYBODY, "", 10)).users == ("anna", "ben")
    assert (await place.page(Scope(("sale",)), "", 10)).users == ()


async def test_what_was_saved_is_loaded(place: Place) -> None:
    first = Sweep("id-1", 1_790_000_000, NOON, "__x__", 17)
    second = first._replace(after="zoe", published=20, finished=True)
    assert await asyncio.to_thread(place.target.load, "recall-1") is None
    for saved in (first, second):
        await asyncio.to_thread(place.target.save, "recall-1", saved)
        loaded = await asyncio.to_thread(place.target.load, "recall-1")
        assert loaded == saved
        assert loaded.message("anna").data == saved.message("anna").data
    assert await asyncio.to_thread(place.target.load, "recall-2") is None


@pytest.mark.emulator
def test_messages_reach_the_topic(emulators, project) -> None:
    endpoints = emulators.endpoints(project)
    bus = Bus.of_emulator(endpoints)
    table = load()
    create_topics(bus, table)
    wanted = Subscription(name=bus.subscription_path("test"), topic=bus.topic_path("lifecycle-due"))
    bus.create_subscription(wanted)
    sweep = Sweep("id", 5, NOON)
    messages = [sweep.message(f"user-{number}") for number in range(1_100)]
    FirestoreUsers(emulator_client(endpoints), bus).publish(messages)
    seen = set()
    while received := bus.pull("test", 1000):
        bus.ack("test", received)
        seen |= {(each.attributes["message_id"], each.data) for each in received}
    assert seen == {(message.message_id, message.data) for message in messages}
    bus.close()


@pytest.mark.emulator
def test_without_a_topic_a_sweep_fails_and_keeps_its_position(emulators, project) -> None:
    endpoints = emulators.endpoints(project)
    bus, client = Bus.of_emulator(endpoints), emulator_client(endpoints)
    client.document("subscriptions/anna").set({"open_campaigns": ["sale"]})
    target, scope = FirestoreUsers(client, bus), Scope(("sale",))
    with pytest.raises(InfraError, match="cannot publish to lifecycle-due"):
        carry_out(Sweep("id", 5, NOON), scope, target)
    assert target.load(scope.key) == Sweep("id", 5, NOON)
    bus.close()


@pytest.mark.emulator
def test_users_who_cannot_be_counted_are_swept_without_a_progress(emulators, project, monkeypatch) -> None:
    endpoints = emulators.endpoints(project)
    target = FirestoreUsers(emulator_client(endpoints), Bus.of_emulator(endpoints))

    def too_many(*_: object, **__: object) -> None:
        raise DeadlineExceeded("too many to count")

    monkeypatch.setattr("google.cloud.firestore_v1.aggregation.AggregationQuery.get", too_many)
    assert target.count(EVERYBODY, "") is None
    shares: list[float] = []
    assert carry_out(Sweep("id", 5, NOON), EVERYBODY, target, progress=shares.append).finished
    assert shares == []
    target.bus.close()


class TestPutInForce:
    def test_another_catalog_has_a_higher_number_and_the_same_one_the_same(self, tmp_path) -> None:
        file = tmp_path / "upbeat.sqlite"
        SqliteStore(file).close()
        numbers = [put_in_force(file, version, NOON) for version in ("v1", "v1", "v2", "v1")]
        assert numbers[0] == numbers[1] < numbers[2] < numbers[3]
        assert put_in_force(file, "v4", NOON + timedelta(days=1)) == int(NOON.timestamp()) + 86_400

    def test_a_file_that_is_no_store_is_refused(self, tmp_path) -> None:
        file = tmp_path / "other.sqlite"
        file.write_text("words")
        with pytest.raises(InfraError, match="expected the SQLite file of a store"):
            put_in_force(file, "v1", NOON)
