"""The catalog in Firestore: the newest valid one, refreshed once a minute, and kept if a newer one is invalid."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest
from google.cloud.firestore import AsyncClient

from infra.catalog.load import artifacts_of, load_catalog
from infra.embedded.runtime import VirtualClock
from infra.remote.firestore import emulator_client, publish_catalog
from shared.adapters.gcp.catalogs import FirestoreCatalogs
from shared.adapters.gcp.documents import Documents
from shared.decisioning.catalog import empty_catalog
from shared.decisioning.compile import compile_catalog
from shared.domain.errors import Transient
from tests.shared.adapters.wire import Wire

pytestmark = pytest.mark.emulator

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FIRST = {"placements": {"banner": {"channel": "in_app"}}, "milestones": {"lapsed": [7, 30]}}
SECOND = {**FIRST, "kill_switch": True}
INVALID = {**FIRST, "offers": {"half_price": {"cms_ref": "offers/half-price", "validity_hours": 0}}}


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOON)


@pytest.fixture
def catalogs(documents: Documents, clock: VirtualClock) -> FirestoreCatalogs:
    return FirestoreCatalogs(documents, clock, MINUTE)


@pytest.fixture
def publish(firestore: AsyncClient):
    """A function that writes a catalog under a version, and puts that version in force."""

    async def write(version: object, content: object = None, **beside: object) -> None:
        if content is not None:
            await firestore.collection("catalog").document(version).set({"catalog": content})
        await firestore.collection("catalog").document("current").set({"version": version, **beside})

    return write


def errors(caplog) -> list[str]:
    return [
        one.getMessage()
        for one in caplog.records
        if one.levelno >= logging.WARNING and one.name.startswith("shared.")
    ]


async def test_before_any_was_published_the_catalog_is_empty(catalogs, clock, publish) -> None:
    assert await catalogs.current() == empty_catalog()
    await publish("v1", FIRST)
    clock.move_to(NOON + MINUTE)
    assert await catalogs.current() == compile_catalog(FIRST)


async def test_what_was_published_is_in_force(catalogs, publish) -> None:
    await publish("v1", FIRST)
    assert await catalogs.current() == compile_catalog(FIRST)


async def test_what_the_command_line_publishes_is_in_force(catalogs, emulators, project) -> None:
    default = load_catalog()
    publish_catalog(emulator_client(emulators.endpoints(project)), default, artifacts_of(default))
    assert await catalogs.current() == default
    assert catalogs.catalog.to_json() == default.to_json()


async def test_a_newer_one_is_in_force_when_the_last_look_is_a_minute_old(catalogs, clock, publish) -> None:
    await publish("v1", FIRST)
    await catalogs.current()
    await publish("v2", SECOND)
    clock.move_to(NOON + MINUTE - timedelta.resolution)
    assert await catalogs.current() == compile_catalog(FIRST)
    clock.move_to(NOON + MINUTE)
    assert await catalogs.current() == compile_catalog(SECOND)


async def test_going_back_to_an_older_version_works_as_well(catalogs, clock, publish) -> None:
    for minute, (version, content) in enumerate([("v1", FIRST), ("v2", SECOND), ("v1", FIRST)]):
        await publish(version, content)
        clock.move_to(NOON + minute * MINUTE)
        assert await catalogs.current() == compile_catalog(content)


@pytest.mark.parametrize(
    ("version", "content"),
    [
        ("v2", INVALID),
        ("v2", "words"),
        ("missing", None),
        ("a/b", None),
        ("__all__", None),
        ("", None),
        (["v2"], None),
    ],
    ids=["invalid", "no map", "missing", "a path", "reserved", "no name", "a list"],
)
async def test_one_that_cannot_be_used_is_refused_once_and_the_last_good_stays(
    catalogs, clock, publish, caplog, version, content
) -> None:
    await publish("v1", FIRST)
    await catalogs.current()
    await publish(version, content)
    for minute in (1, 2, 3):
        clock.move_to(NOON + minute * MINUTE)
        assert await catalogs.current() == compile_catalog(FIRST)
    (told,) = errors(caplog)
    assert told.startswith(f"catalog {version} is invalid; {compile_catalog(FIRST).version} stays in use: ")


async def test_a_refused_one_that_was_mended_is_taken(catalogs, clock, publish, caplog) -> None:
    await publish("v1", INVALID)
    assert await catalogs.current() == empty_catalog()
    await publish("v1", FIRST)
    clock.move_to(NOON + MINUTE)
    assert await catalogs.current() == compile_catalog(FIRST)
    assert len(errors(caplog)) == 1


async def test_without_a_first_look_there_is_no_catalog(catalogs, publish, wire: Wire) -> None:
    await publish("v1", FIRST)
    wire.cut()
    with pytest.raises(Transient, match="Firestore: INTERNAL"):
        await catalogs.current()
    wire.mend()
    assert await catalogs.current() == compile_catalog(FIRST)


async def test_the_last_good_one_outlives_an_outage(catalogs, clock, publish, wire: Wire, caplog) -> None:
    await publish("v1", FIRST)
    await catalogs.current()
    await publish("v2", SECOND)
    wire.cut()
    for seconds in (60, 61, 119):
        clock.move_to(NOON + timedelta(seconds=seconds))
        assert await catalogs.current() == compile_catalog(FIRST)
    assert len(errors(caplog)) == 1
    wire.mend()
    clock.move_to(NOON + 2 * MINUTE)
    assert await catalogs.current() == compile_catalog(SECOND)


async def test_events_that_come_at_once_wait_for_one_look(catalogs, clock, publish, wire: Wire) -> None:
    await publish("v1", FIRST)
    wire.forget()
    assert await asyncio.gather(*(catalogs.current() for _ in range(20))) == [compile_catalog(FIRST)] * 20
    assert wire.read == 2
    wire.forget()
    clock.move_to(NOON + MINUTE)
    await asyncio.gather(*(catalogs.current() for _ in range(20)))
    assert wire.read == 1


SECOND_LATER = NOON + timedelta(seconds=1)


async def test_a_catalog_has_the_number_of_its_publication(catalogs, clock, publish) -> None:
    assert (await catalogs.current()).number == 0
    for minute, (version, content, number) in enumerate(
        [("v1", FIRST, 5), ("v2", SECOND, 6), ("v1", FIRST, 9)], 1
    ):
        await publish(version, content, number=number)
        clock.move_to(NOON + minute * MINUTE)
        assert (await catalogs.current()).number == number


async def test_the_same_catalog_published_again_has_the_new_number(catalogs, clock, publish) -> None:
    await publish("v1", FIRST, number=5)
    first = await catalogs.current()
    await publish("v1", FIRST, number=8)
    clock.move_to(NOON + MINUTE)
    again = await catalogs.current()
    assert (again.number, again.campaigns is first.campaigns) == (8, True)


@pytest.mark.parametrize("number", [None, "7", 7.5, True, -1, 10**12 + 1, [7]])
async def test_a_number_that_is_none_counts_as_0(catalogs, publish, number) -> None:
    await publish("v1", FIRST, number=number)
    assert (await catalogs.current()).number == 0


async def test_an_invalid_catalog_lends_its_number_to_none(catalogs, clock, publish) -> None:
    await publish("v1", FIRST, number=5)
    await catalogs.current()
    await publish("v2", INVALID, number=6)
    clock.move_to(NOON + MINUTE)
    assert (await catalogs.current()).number == 5


async def test_an_instance_whose_number_is_too_low_looks_again_although_its_catalog_is_young(
    catalogs, clock, publish, wire: Wire
) -> None:
    await publish("v1", FIRST, number=5)
    await catalogs.current()
    await publish("v2", SECOND, number=6)
    clock.move_to(SECOND_LATER)
    assert await catalogs.current(5) == compile_catalog(FIRST)
    assert await catalogs.current(6) == compile_catalog(SECOND)
    wire.forget()
    assert (await catalogs.current(6)).number == 6
    assert wire.read == 0


async def test_a_number_that_nobody_published_costs_a_read_a_second_and_not_one_an_event(
    catalogs, clock, publish, wire: Wire, caplog
) -> None:
    await publish("v1", FIRST, number=5)
    await catalogs.current()
    wire.forget()
    for milliseconds in range(0, 3_000, 10):
        clock.move_to(NOON + timedelta(milliseconds=milliseconds))
        assert (await catalogs.current(9)).number == 5
    assert wire.read == 2
    (told,) = errors(caplog)
    assert (
        told == f"catalog {compile_catalog(FIRST).version} has the number 5, but one with the number 9 was in use"
    )


async def test_instances_that_look_again_at_once_share_one_read(catalogs, clock, publish, wire: Wire) -> None:
    await publish("v1", FIRST, number=5)
    await catalogs.current()
    clock.move_to(SECOND_LATER)
    wire.forget()
    await asyncio.gather(*(catalogs.current(6) for _ in range(20)))
    assert wire.read == 1


async def test_an_outage_while_looking_again_leaves_the_catalog_in_use(
    catalogs, clock, publish, wire: Wire
) -> None:
    await publish("v1", FIRST, number=5)
    await catalogs.current()
    wire.cut()
    clock.move_to(SECOND_LATER)
    assert (await catalogs.current(6)).number == 5
