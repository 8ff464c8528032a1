"""The smoke test, run against the real functions on the emulators, and where no function runs."""

import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from google.pubsub_v1.types import Subscription
from typer.testing import CliRunner

from infra.__main__ import app
from infra.catalog.load import artifacts_of, load_catalog
from infra.deploy.smoke import FILTERS, USER_PREFIX
from infra.deploy.smoke_inbox import Inbox
from infra.emulator import topics
from infra.emulator.runtime import EmulatorRuntime
from infra.remote import running
from infra.remote.firestore import emulator_client, publish_catalog, remove_users, users_with_prefix
from infra.remote.pubsub import Bus
from infra.topology import ROOT, load
from shared.contracts.outbound.message import FILTERABLE
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.record.codec import pack
from shared.record.user_record import UserRecord
from tests.support.builds import FILES, run_step
from tests.support.watching import PATIENCE_SECONDS

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def up(emulators, tmp_path_factory):
    """The function `trial_start` on the emulators, found by commands through its state file."""
    table = load()
    only = table.model_copy(
        update={"services": {}, "functions": {"trial_start": table.functions["trial_start"]}, "schedules": {}}
    )
    folder = tmp_path_factory.mktemp("state")
    with (
        EmulatorRuntime(
            f"test-{uuid4().hex[:12]}",
            topology=only,
            emulators=emulators,
            env={"UPBEAT_CATALOG_SECONDS": "0"},
            state_folder=folder,
        ) as runtime,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv(running.FOLDER_VARIABLE, str(folder))
        yield runtime


def put_in_force(runtime: EmulatorRuntime, catalog: Catalog) -> None:
    publish_catalog(emulator_client(runtime.endpoints), catalog, artifacts_of(catalog))


def smoke(*words: str) -> tuple[int, dict]:
    done = CliRunner().invoke(app, ["smoke", "--json", *words])
    assert done.stdout, done.output
    return done.exit_code, json.loads(done.stdout)


def leftovers(runtime: EmulatorRuntime) -> list[str]:
    """Names of every document and subscription that a smoke test made and did not remove."""
    users = users_with_prefix(
        emulator_client(runtime.endpoints), USER_PREFIX, unchanged_since=datetime.now(UTC) + timedelta(days=1)
    )
    project = f"projects/{runtime.project}"
    subscriptions = [each.name for each in runtime.bus.subscriber.list_subscriptions(project=project)]
    return [name for name in users + subscriptions if USER_PREFIX in name]


def test_under_the_default_catalog_a_trial_start_gives_a_change_and_a_trigger(up):
    put_in_force(up, load_catalog())
    code, told = smoke()
    assert (code, told["passed"], told["missing"]) == (0, True, [])
    assert list(told["arrived"]) == ["subscription-change", "upsell-trigger"]
    assert told["user_id"].startswith(USER_PREFIX)
    assert leftovers(up) == []


def test_under_another_catalog_no_trigger_is_expected(up):
    put_in_force(up, compile_catalog({}))
    code, told = smoke()
    assert (code, list(told["arrived"]), told["missing"]) == (0, ["subscription-change"], [])


def test_the_outcome_reads_as_sentences(up):
    put_in_force(up, load_catalog())
    *arrivals, verdict = CliRunner().invoke(app, ["smoke"]).stdout.splitlines()
    assert [line.split(" after ")[0] for line in arrivals] == [
        "subscription-change arrived",
        "upsell-trigger arrived",
    ]
    assert verdict == "smoke test passed"


def test_a_trigger_that_does_not_come_fails_the_test_and_leaves_nothing(up):
    """Puts the default catalog in force by name alone, so that the function finds none to read."""
    put_in_force(up, compile_catalog({}))
    smoke()
    firestore = emulator_client(up.endpoints)
    firestore.document("catalog/" + load_catalog().version).delete()
    firestore.document("catalog/current").set({"version": load_catalog().version})
    code, told = smoke("--seconds", "4")
    assert (code, list(told["arrived"]), told["missing"]) == (1, ["subscription-change"], ["upsell-trigger"])
    assert leftovers(up) == []


@pytest.fixture
def workspace(tmp_path):
    """A build's workspace with this repository and its command line, already installed."""
    folder = tmp_path / "workspace"
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/bin/upbeat").symlink_to(Path(sys.executable).with_name("upbeat"))
    (folder / "infra").symlink_to(ROOT / "infra")
    make = tmp_path / "bin" / "make"
    make.parent.mkdir()
    make.write_text("#!/bin/sh\n")
    make.chmod(0o755)
    return folder


@pytest.mark.parametrize("file", FILES)
def test_a_build_ends_with_a_catalog_where_there_was_none_and_with_a_smoke_test(up, workspace, tmp_path, file):
    emulator_client(up.endpoints).document("catalog/current").delete()
    env = {
        **up.endpoints.env,
        "PROJECT_ID": up.project,
        "_ENVIRONMENT": "dev",
        "_CATALOG": "",
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
    }
    said = []
    for step in ("catalog", "catalog", "smoke"):
        done = run_step(file, step, workspace, tmp_path / "private", env)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.splitlines()[-1])
    version = load_catalog().version
    assert said[0].startswith(f"infra/catalog/default.yaml is published: version {version}, ")
    assert said[1:] == [f"infra/catalog/default.yaml is not published: {version} is in force", "smoke test passed"]


@pytest.fixture
def silent(emulators, project, tmp_path, monkeypatch):
    """The topics on the emulators, with no function that listens to them."""
    monkeypatch.setenv(running.FOLDER_VARIABLE, str(tmp_path))
    endpoints = emulators.endpoints(project)
    running.write(tmp_path, running.RuntimeState(1, endpoints, {}))
    bus = Bus.of_emulator(endpoints)
    topics.create_topics(bus, load())
    yield bus
    bus.close()


@pytest.mark.usefixtures("silent")
def test_where_no_function_runs_the_test_fails_and_says_where_to_look():
    done = CliRunner().invoke(app, ["smoke", "--seconds", "2"])
    assert (done.exit_code, done.stderr) == (1, "")
    assert done.stdout.splitlines() == [
        "subscription-change did not arrive",
        "upsell-trigger not expected: no catalog is in force",
        "smoke test failed: see the functions' logs, and dead letters with: upbeat redrive",
    ]


def test_where_the_topics_are_missing_the_error_names_the_subscription(emulators, project, tmp_path, monkeypatch):
    monkeypatch.setenv(running.FOLDER_VARIABLE, str(tmp_path))
    running.write(tmp_path, running.RuntimeState(1, emulators.endpoints(project), {}))
    done = CliRunner().invoke(app, ["smoke", "--seconds", "2"])
    assert done.exit_code == 1
    assert "error: cannot create a subscription to projects/" in done.stderr


def test_an_inbox_hears_of_its_user_only_and_expires_after_a_day(silent):
    """The emulator stores a filter and delivers everything; the inbox itself tells the users apart."""
    topic, name = "subscription-change", f"{USER_PREFIX}inbox"
    with Inbox(silent, topic, name, FILTERS[topic]) as inbox:
        made: Subscription = silent.subscriber.get_subscription(subscription=silent.subscription_path(name))
        assert (made.filter, made.expiration_policy.ttl) == (FILTERS[topic], timedelta(days=1))
        silent.publish(topic, b'{"user_id": "other"}')
        silent.publish(topic, b'{"user_id": "wanted"}')
        assert inbox.wait_for("wanted", time.monotonic() + PATIENCE_SECONDS)
        assert not inbox.wait_for("nobody", time.monotonic() + 1)


def test_documents_left_behind_are_found_by_prefix_and_age(emulators, project):
    firestore = emulator_client(emulators.endpoints(project))
    for user in ("upbeat-smok", "upbeat-smoke", USER_PREFIX + "a", USER_PREFIX + "z", "upbeat-smokf"):
        firestore.document(f"subscriptions/{user}").set({"blob": pack(UserRecord(user))})
    now, hour = datetime.now(UTC), timedelta(hours=1)
    assert users_with_prefix(firestore, USER_PREFIX, unchanged_since=now - hour) == []
    found = users_with_prefix(firestore, USER_PREFIX, unchanged_since=now + hour)
    assert found == [USER_PREFIX + "a", USER_PREFIX + "z"]
    remove_users(firestore, [*found, "nobody"])
    left = {each.id for each in firestore.collection("subscriptions").list_documents()}
    assert left == {"upbeat-smok", "upbeat-smoke", "upbeat-smokf"}


@pytest.mark.parametrize("topic", FILTERS)
def test_the_filters_ask_for_attributes_that_the_messages_have(topic):
    asked = {word.removeprefix("attributes.") for word in FILTERS[topic].split() if word.startswith("attributes.")}
    assert asked
    assert asked <= set(FILTERABLE[topic])
