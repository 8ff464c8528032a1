"""Wiring: built once from the environment, in the worker; and a function imports nothing that it does not need."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from infra.deploy.package import compose
from shared import wiring
from shared.adapters.clock import SystemClock
from shared.adapters.crashing import CrashingPublisher
from shared.adapters.gcp.bigtable import BigtableFeatures
from shared.adapters.gcp.catalogs import FirestoreCatalogs
from shared.adapters.gcp.firestore import FirestoreStore
from shared.adapters.gcp.pubsub import PubsubPublisher
from shared.settings import InvalidSettings

pytestmark = pytest.mark.usefixtures("loggers_as_they_were")

NOWHERE = "127.0.0.1:1"
ENVIRONMENT = {
    "GOOGLE_CLOUD_PROJECT": "p",
    "FIRESTORE_EMULATOR_HOST": NOWHERE,
    "PUBSUB_EMULATOR_HOST": NOWHERE,
    "UPBEAT_GRACE_DAYS": "3",
    "UPBEAT_CATALOG_SECONDS": "7",
    "UPBEAT_LOG_LEVEL": "ERROR",
}
NEEDLESS = (
    "google.cloud.bigquery",
    "google.cloud.storage",
    "google.cloud.firestore",
    "google.pubsub_v1",
    "google.api_core",
    "google.auth",
    "proto",
    "yaml",
    "typer",
    "rich",
    "sqlite3",
    "numpy",
    "pandas",
    "shared.adapters.gcp.bigtable",
    "shared.adapters.gcp.feature_rows",
    "shared.adapters.gcp.protos.bigtable",
)
"""Modules that are slow to import, or used only on a laptop, or only where features are read."""
IMPORT_AND_WIRE = """
import asyncio, sys
import main
from shared import wiring

async def wire():
    wiring.current()

before = set(sys.modules)
asyncio.run(wire())
print(*sys.modules, sep="\\n")
print("grpc" in before, file=sys.stderr)
"""


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """Undo the changes that a wiring makes to the process."""
    wiring._from_environment.cache_clear()
    yield
    wiring._from_environment.cache_clear()
    wiring.use(None)


@pytest.fixture
def environment(monkeypatch) -> pytest.MonkeyPatch:
    for name in os.environ:
        if name.startswith("UPBEAT_"):
            monkeypatch.delenv(name)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.usefixtures("environment")
async def test_the_environment_gives_firestore_and_pubsub() -> None:
    wired = wiring.current()
    application = wired.application
    assert isinstance(application.records.subscriptions, FirestoreStore)
    assert isinstance(application.publisher, PubsubPublisher)
    assert isinstance(application.catalogs, FirestoreCatalogs)
    assert isinstance(wired.clock, SystemClock)
    assert wired.due_users is application.records.subscriptions
    assert wired.publisher is application.publisher
    assert application.records.subscriptions.documents.project == application.publisher.project == "p"


@pytest.mark.usefixtures("environment")
async def test_the_settings_reach_what_they_are_for() -> None:
    wired = wiring.current()
    assert wired.terms.grace == wired.application.terms.grace == timedelta(days=3)
    assert wired.application.catalogs.max_age == timedelta(seconds=7)
    assert logging.getLogger().level == logging.ERROR


@pytest.mark.usefixtures("environment")
async def test_it_is_built_once() -> None:
    assert wiring.current() is wiring.current()


async def test_a_crash_can_be_asked_for(environment) -> None:
    environment.setenv("UPBEAT_EXIT_BEFORE_PUBLISH", "/tmp/fuse")  # noqa: S108 - a name, never opened
    assert isinstance(wiring.current().publisher, CrashingPublisher)


async def test_features_are_read_where_a_table_is_named(environment) -> None:
    assert wiring.current().application.features is None
    wiring._from_environment.cache_clear()
    environment.setenv("UPBEAT_FEATURES_TABLE", "projects/p/instances/i/tables/t")
    environment.setenv("UPBEAT_FEATURES_MILLISECONDS", "5")
    environment.setenv("BIGTABLE_EMULATOR_HOST", NOWHERE)
    features = wiring.current().application.features
    assert isinstance(features, BigtableFeatures)
    assert (features.table, features.seconds) == ("projects/p/instances/i/tables/t", 0.005)


async def test_a_failure_to_build_is_not_remembered(environment) -> None:
    environment.delenv("GOOGLE_CLOUD_PROJECT")
    with pytest.raises(InvalidSettings):
        wiring.current()
    environment.setenv("GOOGLE_CLOUD_PROJECT", "p")
    assert wiring.current().terms


@pytest.mark.usefixtures("environment")
async def test_a_local_runtime_uses_its_own_as_long_as_it_likes() -> None:
    of_environment = wiring.current()
    own = wiring.Wiring(*(getattr(of_environment, name) for name in wiring.Wiring.__slots__))
    wiring.use(own)
    assert wiring.current() is own
    wiring.use(None)
    assert wiring.current() is of_environment


@pytest.mark.parametrize("function", ["payment", "lifecycle_clock"])
def test_a_function_imports_nothing_needless(function: str, tmp_path: Path) -> None:
    compose(function, tmp_path / function)
    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", IMPORT_AND_WIRE],
        cwd=tmp_path / function,
        env={"PATH": os.environ["PATH"], **ENVIRONMENT},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = done.stdout.splitlines()
    assert "grpc" in imported
    assert [module for module in imported if module.startswith(NEEDLESS)] == []
    assert done.stderr == "False\n", "Google's clients are imported in the worker, not before the server forks"


def test_the_local_runtimes_start_without_googles_clients() -> None:
    script = "import sys, infra.embedded.runtime; print('grpc' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == "False\n"
