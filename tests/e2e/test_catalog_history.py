"""The publications of catalogs, on the Firestore emulator: recorded with the pointer, and read again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from google.api_core.exceptions import InternalServerError

from infra.errors import InfraError, UsageError
from infra.remote.catalog_history import history, publications, stored, version_before, version_of
from infra.remote.firestore import emulator_client
from shared.adapters.gcp.catalog_publisher import AnotherInForce, publish_catalog
from shared.adapters.gcp.paths import PublishedArtifact, policy_location
from shared.decisioning.compile import compile_catalog
from shared.ports import Said

pytestmark = pytest.mark.emulator
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST, SECOND, THIRD = (compile_catalog({"time_zone": zone}) for zone in ("UTC", "Asia/Tokyo", "Europe/Paris"))


def publish(firestore, catalog, minute=0, **options):
    return publish_catalog(firestore, catalog, now=NOON + timedelta(minutes=minute), **options)


def test_the_history_has_every_publication_with_the_newest_first(firestore):
    numbers = [publish(firestore, catalog, minute) for minute, catalog in enumerate((FIRST, SECOND, FIRST))]
    publish(firestore, FIRST, 3, said=Said("experiment guard"))
    found = history(firestore)
    assert [(each.version, each.in_force, each.note) for each in found] == [
        (FIRST.version, True, "the same catalog again"),
        (FIRST.version, False, "changed time_zone to its default"),
        (SECOND.version, False, "changed time_zone to Asia/Tokyo"),
        (FIRST.version, False, "the first publication on record"),
    ]
    assert [each.number for each in found[1:]] == numbers[::-1]
    assert (found[0].by, found[1].by) == ("experiment guard", None)
    assert [each.published_at for each in found] == [NOON + timedelta(minutes=minute) for minute in (3, 2, 1, 0)]


def test_the_oldest_that_is_shown_has_its_note_although_the_one_before_is_not_shown(firestore):
    for minute, catalog in enumerate((FIRST, SECOND, THIRD)):
        publish(firestore, catalog, minute)
    assert [each.note for each in history(firestore, 2)] == [
        "changed time_zone to Europe/Paris",
        "changed time_zone to Asia/Tokyo",
    ]


def test_nothing_published_is_an_empty_history(firestore):
    assert history(firestore) == []
    with pytest.raises(UsageError, match="expected a catalog that was in force before, found none"):
        version_before(firestore)


def test_publications_at_once_are_all_on_record_and_one_is_in_force(firestore, endpoints):
    clients = [emulator_client(endpoints) for _ in range(6)]
    catalogs = [compile_catalog({"milestones": {"lapsed": [day]}}) for day in range(1, 7)]
    with ThreadPoolExecutor(6) as pool:
        numbers = [*pool.map(publish, clients, catalogs)]
    found = history(firestore)
    assert {each.number: each.version for each in found} == {
        number: catalog.version for number, catalog in zip(numbers, catalogs, strict=True)
    }
    assert [each.in_force for each in found] == [True] + [False] * 5
    pointer = firestore.document("catalog/current").get()
    assert (pointer.get("number"), pointer.get("version")) == (found[0].number, found[0].version)


def test_of_rollbacks_at_once_one_takes_effect(firestore, endpoints):
    publish(firestore, FIRST)
    number = publish(firestore, SECOND)
    clients = [emulator_client(endpoints) for _ in range(6)]

    def go_back(client):
        try:
            return publish(client, FIRST, replacing=number)
        except AnotherInForce:
            return None

    with ThreadPoolExecutor(6) as pool:
        numbers = [each for each in pool.map(go_back, clients) if each]
    found = history(firestore)
    assert [each.number for each in found if each.number > number] == numbers
    assert len(numbers) == 1
    assert found[0].in_force


def test_a_publication_that_is_refused_leaves_nothing_on_record(firestore):
    number = publish(firestore, FIRST)
    with pytest.raises(AnotherInForce):
        publish(firestore, SECOND, replacing=number - 1)
    assert [each.version for each in history(firestore)] == [FIRST.version]
    assert not firestore.document(f"catalog/{SECOND.version}").get().exists


def test_a_publisher_that_is_killed_after_the_artifacts_leaves_nothing_on_record(firestore):
    def artifacts():
        yield PublishedArtifact(policy_location("some_policy"), "{}")
        raise KeyboardInterrupt

    publish(firestore, FIRST)
    with pytest.raises(KeyboardInterrupt):
        publish(firestore, SECOND, artifacts=artifacts())
    assert [each.version for each in history(firestore)] == [FIRST.version]


def test_a_publisher_that_is_killed_at_the_commit_leaves_everything_or_nothing(firestore, monkeypatch):
    publish(firestore, FIRST)
    with monkeypatch.context() as patched:
        patched.setattr("google.cloud.firestore.WriteBatch.commit", _fail)
        with pytest.raises(InternalServerError):
            publish(firestore, SECOND, 1)
    assert [each.version for each in history(firestore)] == [FIRST.version]
    publish(firestore, SECOND, 2)
    assert [each.version for each in history(firestore)] == [SECOND.version, FIRST.version]


def _fail(*_arguments, **_options):
    raise InternalServerError("killed")


class TestFromBeforePublicationsWereRecorded:
    @staticmethod
    def write_as_before(firestore, catalog, **pointer):
        firestore.document(f"catalog/{catalog.version}").set(
            {"catalog": {"time_zone": catalog.document.time_zone}}
        )
        firestore.document("catalog/current").set({"version": catalog.version, **pointer})

    def test_the_one_in_force_and_the_others_that_are_stored_are_read(self, firestore):
        self.write_as_before(firestore, FIRST, number=7)
        self.write_as_before(firestore, SECOND, number=8, published_by="deploy")
        first, second = history(firestore)[::-1]
        assert (first.number, first.version, first.in_force) == (None, FIRST.version, False)
        assert first.note == "from before publications were recorded"
        assert (second.number, second.by, second.in_force) == (8, "deploy", True)
        assert version_before(firestore) == first.version

    def test_the_next_publication_keeps_the_number_of_the_one_that_it_replaces(self, firestore):
        self.write_as_before(firestore, FIRST, number=7, published_by="deploy")
        publish(firestore, SECOND)
        newest, oldest = history(firestore)
        assert (newest.version, newest.in_force) == (SECOND.version, True)
        assert (oldest.number, oldest.version, oldest.by, oldest.in_force) == (7, FIRST.version, "deploy", False)
        assert oldest.published_at is not None

    def test_a_pointer_without_a_number_is_kept_too(self, firestore):
        self.write_as_before(firestore, FIRST)
        assert [(each.number, each.in_force) for each in history(firestore)] == [(0, True)]
        publish(firestore, SECOND)
        assert [each.number for each in history(firestore)][1:] == [0]
        assert version_of(firestore, "0") == FIRST.version

    def test_a_publication_by_an_older_version_between_two_newer_ones_is_kept(self, firestore):
        first = publish(firestore, FIRST)
        self.write_as_before(firestore, SECOND, number=first + 1)
        assert [each.version for each in history(firestore)] == [SECOND.version, FIRST.version]
        assert version_of(firestore, str(first + 1)) == SECOND.version
        publish(firestore, THIRD)
        assert [each.version for each in history(firestore)] == [THIRD.version, SECOND.version, FIRST.version]


def test_the_number_grows_although_the_pointer_was_removed_or_set_back(firestore):
    first = publish(firestore, FIRST, minute=1000)
    firestore.document("catalog/current").delete()
    second = publish(firestore, SECOND)
    firestore.document("catalog/current").set({"version": FIRST.version, "number": first})
    third = publish(firestore, THIRD)
    assert first < second < third
    assert [each.number for each in history(firestore)] == [third, second, first]


def test_a_pointer_that_was_set_back_by_hand_is_the_one_in_force(firestore):
    first = publish(firestore, FIRST)
    publish(firestore, SECOND)
    firestore.document("catalog/current").set({"version": FIRST.version, "number": first})
    assert [(each.version, each.in_force) for each in history(firestore)] == [
        (SECOND.version, False),
        (FIRST.version, True),
    ]
    assert version_before(firestore) == SECOND.version


@pytest.mark.parametrize(
    "garbage",
    [
        {"number": "words"},
        {"number": -1},
        {"number": 1e30},
        {"number": float("nan")},
        {"number": [7]},
        {"number": None, "version": {}},
        {},
    ],
)
def test_records_without_a_number_are_left_out_and_harm_no_publication(firestore, garbage):
    firestore.document("publications/other").set(garbage)
    publish(firestore, FIRST)
    assert [each.version for each in history(firestore)] == [FIRST.version]


@pytest.mark.parametrize(
    "record", [{"version": 5}, {"version": "a/b"}, {"published_at": "noon"}, {"published_by": ["x"]}, {}]
)
def test_a_record_that_lacks_something_is_told_as_far_as_it_goes(firestore, record):
    firestore.document("publications/0000000000005").set({"number": 5, **record})
    publish(firestore, FIRST)
    newest, odd = history(firestore)
    assert (newest.version, newest.note) == (FIRST.version, "the catalog before it is gone")
    assert (odd.number, odd.note) == (5, "the catalog is gone: nothing is stored under its version")


@pytest.mark.parametrize("pointer", [{"version": 5}, {"version": "a/b", "number": 1e30}, {"version": ""}, {}])
def test_a_pointer_that_is_garbage_breaks_neither_the_history_nor_a_publication(firestore, pointer):
    first = publish(firestore, FIRST)
    firestore.document("catalog/current").set(pointer)
    assert FIRST.version in {each.version for each in history(firestore)}
    publish(firestore, SECOND)
    assert [each.version for each in publications(firestore, 1)] == [SECOND.version]
    assert version_of(firestore, str(first)) == FIRST.version


def test_a_stored_catalog_is_found_by_number_and_by_version(firestore):
    number = publish(firestore, SECOND)
    assert version_of(firestore, str(number)) == version_of(firestore, SECOND.version) == SECOND.version
    assert stored(firestore, SECOND.version) == {"time_zone": "Asia/Tokyo"}


@pytest.mark.parametrize(
    "name", ["5", "current", "", "a/b", "__all__", "9" * 5000, "\u0665", "-1", "\U0001d7dd", "x" * 2000]
)
def test_a_name_under_which_nothing_was_published_is_told(firestore, name):
    publish(firestore, FIRST)
    with pytest.raises(UsageError, match="expected the number or the version of a published catalog, found"):
        version_of(firestore, name)
    with pytest.raises(InfraError, match="expected a catalog, found none"):
        stored(firestore, name)
