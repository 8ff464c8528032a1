"""Each function, started from its zip alone as the buildpack starts it, takes pushes of the Pub/Sub emulator."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import pytest
from google.cloud.firestore import Client

from infra.catalog.load import artifacts_of, load_catalog
from infra.deploy.package import zip_function
from infra.emulator import topics
from infra.emulator.emulators import Emulators
from infra.emulator.functions import CLOUD_ENVIRONMENT
from infra.emulator.readiness import wait_until_ready
from infra.remote.firestore import emulator_client, publish_catalog
from infra.remote.pubsub import Bus
from infra.topology import ROOT, load
from shared.adapters.gcp.paths import SUBSCRIPTIONS, user_document_id
from shared.domain.due_shards import due_shard
from shared.domain.moments import MomentKind
from shared.domain.triggers import Trigger
from shared.record.codec import pack
from shared.record.user_record import UserRecord
from tests.support.booted import PROVE_IMPORTS, Booted, make_interpreter
from tests.support.watching import eventually

pytestmark = pytest.mark.emulator

EXAMPLES = ROOT / "docs" / "contracts" / "examples"
USER, TRIGGER_ID = "u-1001", "845283d58bc581dc576f037935fa7a90"
"""The user of the examples, and the trigger that the examples of feedback are about."""
NOT_LOADED = {
    f"shared/decisioning/scoring/{name}.py": "imported when a decision first needs a score"
    for name in ("artifact", "formula", "load", "logistic", "logistic_artifact", "trees", "trees_artifact")
}
"""Modules in a zip that the pushes below may leave unloaded, all of them or none, each with its reason."""
WITH_FEATURES = ("bigtable", "feature_rows", "protos/bigtable_pb2")
NOT_HERE = {f"shared/adapters/gcp/{name}.py" for name in ("access_tokens", *WITH_FEATURES)}
"""Modules in a zip that no function loads on the emulators, or without a table of features."""
ONLY_FOR_FORMER_DOCUMENTS = {"shared/record/format_1.py", "shared/record/format_2.py"}
"""Modules that a function loads when it reads a document of a former format; the pushes below bring it none."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """A booted zip that receives the messages of its function's topic."""

    booted: Booted
    bus: Bus
    topic: str

    def logged(self, **fields: str) -> list[dict[str, Any]]:
        """The log entries so far that have these fields."""
        return [entry for entry in self.booted.log if fields.items() <= entry.items()]

    def publish(self, data: bytes) -> None:
        self.bus.publish(self.topic, data)


@pytest.fixture(scope="module")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_interpreter(tmp_path_factory.mktemp("interpreter"))


@contextmanager
def deployed(
    function: str, folder: Path, interpreter: Path, emulators: Emulators, env: Mapping[str, str]
) -> Iterator[Deployed]:
    """Boot a function's zip in an empty folder, with the default catalog published and its subscription made."""
    endpoints = emulators.endpoints(f"test-{uuid4().hex[:12]}")
    table = load()
    catalog, firestore = load_catalog(), emulator_client(endpoints)
    publish_catalog(firestore, catalog, artifacts_of(catalog))
    store_user(firestore)
    with ZipFile(zip_function(function, folder / f"{function}.zip")) as bundle:
        bundle.extractall(folder / function)
    bus = Bus.of_emulator(endpoints)
    topics.create_topics(bus, table)
    with Booted(function, folder / function, interpreter, {**endpoints.env, **env}) as booted:
        wait_until_ready(booted.process, booted.url)
        topics.connect_functions(bus, table, {function: booted.url})
        try:
            yield Deployed(booted, bus, table.functions[function].listens)
        finally:
            topics.disconnect_functions(bus, table)
            bus.close()


def store_user(firestore: Client) -> None:
    """Store the user of the examples, who was sent the trigger, and for whom something is due."""
    now = datetime.now(UTC)
    about = ("campaign", "offer", "placement", "push", MomentKind.RENEWED, "main", "cause")
    trigger = Trigger(TRIGGER_ID, *about, decided_at=now - timedelta(days=1), expires_at=now + timedelta(days=1))
    blob = pack(UserRecord(USER, triggers=(trigger,)))
    fields = {"user_id": USER, "blob": blob, "due_shard": due_shard(USER), "next_due_at": now, "summary": {}}
    firestore.collection(SUBSCRIPTIONS).document(user_document_id(USER)).set(fields)


@pytest.mark.parametrize("function", sorted(load().functions))
def test_a_zip_alone_handles_what_is_pushed_and_holds_the_modules_for_it_and_no_others(
    function: str, tmp_path: Path, interpreter: Path, emulators: Emulators
) -> None:
    with deployed(function, tmp_path, interpreter, emulators, PROVE_IMPORTS) as observed:
        check_examples(observed)
        check_dead_letter(observed)
        check_modules(observed.booted)


@pytest.mark.parametrize(
    "env",
    [{"LOG_EXECUTION_ID": "true"}, {"LOG_EXECUTION_ID": "false"}, CLOUD_ENVIRONMENT],
    ids=["with execution ids", "without execution ids", "as Terraform sets it"],
)
def test_a_dead_letter_is_logged_however_the_framework_sets_up_logging(
    env: dict[str, str], tmp_path: Path, interpreter: Path, emulators: Emulators
) -> None:
    with deployed("payment", tmp_path, interpreter, emulators, env) as payment:
        check_dead_letter(payment)


def check_examples(function: Deployed) -> None:
    """Publish the examples of the contract: each leaves one line on standard output, with its outcome."""
    examples = sorted((EXAMPLES / function.topic).glob("*.json"))
    for example in examples:
        function.publish(example.read_bytes())
    assert eventually(lambda: len(function.logged(topic=function.topic)) >= len(examples))
    outcome = "ticked" if function.topic == "lifecycle-clock" else "applied"
    assert [entry["outcome"] for entry in function.logged(topic=function.topic)] == [outcome] * len(examples)


def check_dead_letter(function: Deployed) -> None:
    """Publish a message that is no JSON: it becomes a letter, and one line of standard output has the reason."""
    function.publish(b"\xff no JSON")
    (letter,) = function.bus.receive("dead-letter", within=60)
    assert letter.json["reason"] == "not_json"
    assert eventually(lambda: function.logged(outcome="dead_lettered"))
    (entry,) = function.logged(reason="not_json")
    assert (entry["topic"], entry["outcome"]) == (function.topic, "dead_lettered")


def check_modules(booted: Booted) -> None:
    """Every module of `shared` that was loaded came from the zip, and those that were not loaded have a reason."""
    modules = {path.relative_to(booted.source) for path in booted.source.rglob("shared/**/*.py")}
    loaded = booted.loaded_files - {Path("main.py")}
    unloaded = {path.as_posix() for path in modules - loaded}
    assert unloaded >= NOT_HERE
    assert unloaded >= ONLY_FOR_FORMER_DOCUMENTS & {path.as_posix() for path in modules}
    assert unloaded - NOT_HERE - ONLY_FOR_FORMER_DOCUMENTS in (set(), NOT_LOADED.keys())
    assert len(booted.loaded_modules) == len(loaded), "a module of shared came from outside the zip"
