"""Publishing a catalog and showing a user, on the Firestore emulator."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from getpass import getuser

import pytest
from typer.testing import CliRunner

from infra.__main__ import app
from infra.catalog.load import DEFAULT_CATALOG, load_catalog
from infra.errors import InfraError
from infra.remote.firestore import EMULATOR_HOST, emulator_client, publish_catalog
from infra.terminal.invocation import again
from shared.adapters.gcp.paths import user_document_id
from shared.contracts.outbound.catalog_published import CatalogPublished
from shared.decisioning.compile import compile_catalog
from shared.record.codec import pack
from shared.record.user_record import UserRecord

pytestmark = pytest.mark.emulator
DUE = datetime(2026, 3, 1, tzinfo=UTC)


def run(*words):
    return CliRunner().invoke(app, words)


def in_force(firestore):
    return firestore.document("catalog/current").get().get("version")


@pytest.mark.usefixtures("bus")
def test_a_published_catalog_is_the_one_in_force_with_all_its_content(firestore):
    done = run("catalog", "publish", str(DEFAULT_CATALOG), "--json")
    version = json.loads(done.stdout)["version"]
    pointer = firestore.document("catalog/current").get().to_dict()
    assert (pointer["version"], pointer["published_by"]) == (version, f"catalog publish by {getuser()}")
    content = firestore.document(f"catalog/{version}").get().to_dict()
    assert compile_catalog(content["catalog"]) == load_catalog()
    assert version == load_catalog().version


def test_the_catalog_before_stays_to_be_found(firestore):
    first, second = compile_catalog({}), load_catalog()
    for catalog in (first, second):
        publish_catalog(firestore, catalog)
    assert in_force(firestore) == second.version
    assert firestore.document(f"catalog/{first.version}").get().exists


@pytest.mark.usefixtures("bus")
def test_a_first_catalog_is_published_where_there_is_none_and_replaces_none(firestore, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text("kill_switch: true")
    first = json.loads(run("catalog", "publish", str(other), "--if-none", "--json").stdout)
    assert first["published"]
    done = run("catalog", "publish", str(DEFAULT_CATALOG), "--if-none")
    assert (done.exit_code, done.stdout) == (
        0,
        f"{DEFAULT_CATALOG} is not published: {first['version']} is in force\n",
    )
    pointer = firestore.document("catalog/current").get().to_dict()
    assert (pointer["version"], pointer["number"]) == (first["version"], first["number"])
    assert not firestore.document(f"catalog/{load_catalog().version}").get().exists


def test_each_publication_has_a_higher_number(firestore):
    first, second = compile_catalog({}), load_catalog()
    numbers = [publish_catalog(firestore, catalog) for catalog in (first, second, first, first)]
    assert numbers == sorted(set(numbers))
    pointer = firestore.document("catalog/current").get().to_dict()
    assert (pointer["version"], pointer["number"]) == (first.version, numbers[-1])


def test_catalogs_published_at_once_have_different_numbers(firestore, endpoints):
    clients = [emulator_client(endpoints) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        numbers = list(pool.map(lambda client: publish_catalog(client, compile_catalog({})), clients))
    assert len(set(numbers)) == 6
    assert firestore.document("catalog/current").get().get("number") == max(numbers)


@pytest.mark.parametrize("found", [{}, {"number": "5"}, {"number": -1}, {"number": 1e30}, {"number": True}])
def test_a_number_grows_although_the_one_before_is_lost(firestore, found):
    before = publish_catalog(firestore, compile_catalog({}))
    firestore.document("catalog/current").set({"version": "v1", **found})
    time.sleep(1)
    assert publish_catalog(firestore, load_catalog()) > before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kill_switch": True}, ["--all"]),
        ({"campaigns": {}}, ["sale"]),
        ({"offers": {"any": {"cms_ref": "x", "validity_hours": 1, "status": "archived"}}}, ["sale"]),
        ({"time_zone": "Europe/Paris"}, None),
    ],
)
@pytest.mark.usefixtures("bus")
def test_a_publication_ends_with_the_recalls_that_it_needs(firestore, tmp_path, change, words):
    sections = {
        "placements": {"banner": {"channel": "in_app"}},
        "offers": {"any": {"cms_ref": "x", "validity_hours": 1}},
        "campaigns": {"sale": {"offer": "any", "placement": "banner", "moments": ["renewed"], "priority": 1}},
    }
    publish_catalog(firestore, compile_catalog(sections))
    (tmp_path / "new.yaml").write_text(json.dumps(sections | change))
    told = json.loads(run("catalog", "publish", str(tmp_path / "new.yaml"), "--json").stdout)
    assert told["recalls"] == ([] if words is None else [f"{again()} catalog recall {' '.join(words)}"])
    back = compile_catalog(sections)
    publish_catalog(firestore, back)
    lines = run("catalog", "publish", str(tmp_path / "new.yaml")).stdout.splitlines()
    assert [line.strip() for line in lines[2:]] == told["recalls"]


def test_of_two_first_catalogs_only_one_comes_into_force(firestore):
    first, second = compile_catalog({}), load_catalog()
    publish_catalog(firestore, first, only_first=True)
    with pytest.raises(InfraError, match="cannot publish the catalog: 409"):
        publish_catalog(firestore, second, only_first=True)
    assert in_force(firestore) == first.version


def test_a_catalog_that_replaces_one_publication_replaces_no_other(firestore):
    first, second, third = (compile_catalog({"time_zone": zone}) for zone in ("UTC", "Asia/Tokyo", "Europe/Paris"))
    number = publish_catalog(firestore, first)
    publish_catalog(firestore, second, replacing=number)
    with pytest.raises(InfraError, match=rf"catalog: expected publication {number} in force, found \d+"):
        publish_catalog(firestore, third, replacing=number)
    assert in_force(firestore) == second.version


def test_a_published_catalog_is_told_with_the_whole_document(firestore, bus):
    run("catalog", "publish", str(DEFAULT_CATALOG), "--by", "spring campaign")
    (received,) = bus.receive("catalog-published")
    told = CatalogPublished.model_validate(received.json)
    assert compile_catalog(told.catalog) == load_catalog()
    assert (told.catalog_version, told.published_by) == (load_catalog().version, "spring campaign")
    assert told.published_at <= firestore.document("catalog/current").get().update_time
    assert received.attributes == {
        "message_id": told.message_id,
        "schema_version": "1",
        "catalog_version": told.catalog_version,
    }


def test_the_catalog_in_force_is_announced_again_by_the_same_message(bus):
    run("catalog", "publish", str(DEFAULT_CATALOG))
    done = run("catalog", "announce")
    first, again = bus.receive("catalog-published", 2)
    assert first.data == again.data
    assert done.stdout == f"{load_catalog().version} is announced: message {first.json['message_id']}\n"


def test_a_catalog_that_comes_back_into_force_is_another_message(bus, tmp_path):
    (tmp_path / "other.yaml").write_text("kill_switch: true")
    for file in (DEFAULT_CATALOG, tmp_path / "other.yaml", DEFAULT_CATALOG):
        run("catalog", "publish", str(file))
    first, other, again = (received.json for received in bus.receive("catalog-published", 3))
    assert first["catalog_version"] == again["catalog_version"] != other["catalog_version"]
    assert first["published_at"] < other["published_at"] < again["published_at"]
    assert len({first["message_id"], other["message_id"], again["message_id"]}) == 3


def test_a_catalog_that_is_in_force_and_could_not_be_told_is_a_failure_with_a_remedy(firestore):
    done = run("catalog", "publish", str(DEFAULT_CATALOG))
    assert done.exit_code == 1
    assert "the catalog is in force, but catalog-published was not sent" in done.stderr
    assert done.stderr.rstrip().endswith(f"send it with: {again()} catalog announce")
    assert in_force(firestore) == load_catalog().version


@pytest.mark.usefixtures("bus")
def test_there_is_nothing_to_announce_before_the_first_catalog():
    done = run("catalog", "announce")
    assert (done.exit_code, "no catalog is in force" in done.stderr) == (1, True)


@pytest.mark.usefixtures("bus")
def test_a_pointer_to_a_catalog_that_is_not_there_is_a_failure(firestore):
    firestore.document("catalog/current").set({"version": "gone"})
    done = run("catalog", "announce")
    assert (done.exit_code, "catalog/gone: expected the catalog in force, found nothing" in done.stderr) == (
        1,
        True,
    )


def test_nothing_invalid_is_published(firestore, tmp_path):
    (tmp_path / "wrong.yaml").write_text("ofers: {}")
    assert run("catalog", "publish", str(tmp_path / "wrong.yaml")).exit_code == 2
    assert not firestore.document("catalog/current").get().exists


@pytest.mark.parametrize("user", ["u", "__u__", ".."])
def test_a_user_is_shown_from_the_emulators_that_are_up(firestore, user):
    record = UserRecord(user)._replace(next_due_at=DUE)
    firestore.collection("subscriptions").document(user_document_id(user)).set({"blob": pack(record)})
    told = json.loads(run("show", user, "--json").stdout)
    assert (told["user_id"], told["status"], told["next_due_at"]) == (user, "none", "2026-03-01T00:00:00Z")
    page = run("show", user)
    assert page.stdout.startswith(f"{user} as of ")


@pytest.mark.usefixtures("endpoints")
def test_a_user_nobody_heard_of_is_a_failure():
    done = run("show", "nobody")
    assert (done.exit_code, done.stderr) == (1, "error: no user 'nobody' in the emulators\n")


def test_a_document_of_another_kind_is_a_failure(firestore):
    firestore.document("subscriptions/u").set({"blob": b"something else"})
    done = run("show", "u")
    assert done.exit_code == 1
    assert "the document of 'u' in the emulators cannot be read by this version" in done.stderr


def test_a_client_of_the_emulators_leaves_the_environment_as_it_was(endpoints, monkeypatch):
    monkeypatch.delenv(EMULATOR_HOST, raising=False)
    emulator_client(endpoints)
    assert EMULATOR_HOST not in os.environ
    monkeypatch.setenv(EMULATOR_HOST, "elsewhere:1")
    emulator_client(endpoints)
    assert os.environ[EMULATOR_HOST] == "elsewhere:1"
