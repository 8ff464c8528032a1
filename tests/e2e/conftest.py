"""Fixtures for tests on the emulators: their clients, and a runtime with a probe in place of the functions."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud.firestore import Client
from google.protobuf.field_mask_pb2 import FieldMask
from google.pubsub_v1.types import Subscription

from infra.catalog.load import load_catalog
from infra.emulator.emulators import Emulators
from infra.emulator.runtime import EmulatorRuntime
from infra.emulator.topics import create_topics
from infra.remote import running
from infra.remote.endpoints import Endpoints
from infra.remote.firestore import emulator_client, publish_catalog
from infra.remote.pubsub import Bus
from infra.topology import Topology, load
from tests.e2e.probe import Probe
from tests.support.topologies import with_each_function


@pytest.fixture
def endpoints(emulators: Emulators, project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Endpoints:
    """The emulators, with a state file as `up` writes it."""
    monkeypatch.setenv(running.FOLDER_VARIABLE, str(tmp_path))
    endpoints = emulators.endpoints(project)
    running.write(tmp_path, running.RuntimeState(os.getpid(), endpoints, {}))
    return endpoints


@pytest.fixture
def firestore(endpoints: Endpoints) -> Client:
    """A client of the project's Firestore."""
    return emulator_client(endpoints)


@pytest.fixture
def bus(endpoints: Endpoints) -> Iterator[Bus]:
    """Pub/Sub with every topic, as `up` creates them."""
    bus = Bus.of_emulator(endpoints)
    create_topics(bus, load())
    yield bus
    bus.close()


@pytest.fixture
def hurried() -> Topology:
    """The topology, with fast retries and few delivery attempts for every function."""
    return with_each_function(
        load(),
        ack_deadline_seconds=10,
        timeout_seconds=9,
        min_backoff_seconds=1,
        max_backoff_seconds=1,
        max_delivery_attempts=5,
    )


@pytest.fixture
def probe(tmp_path: Path) -> Probe:
    """A repository with one function, whose response status the test sets."""
    return Probe(tmp_path)


@pytest.fixture
def probe_table(hurried: Topology) -> Topology:
    """The topology with only the function `payment`."""
    return hurried.model_copy(
        update={"services": {}, "functions": {"payment": hurried.functions["payment"]}, "schedules": {}}
    )


@pytest.fixture
def probe_up(emulators: Emulators, project: str, probe: Probe, probe_table: Topology) -> Iterator[EmulatorRuntime]:
    """The emulator runtime with the probe as its only function."""
    with EmulatorRuntime(project, topology=probe_table, root=probe.root, emulators=emulators, env=probe.env) as up:
        _retry_every_second(up)
        yield up


def _retry_every_second(up: EmulatorRuntime) -> None:
    """Remove the retry policies: with any policy, the Pub/Sub emulator waits 3 seconds between deliveries."""
    for function in up.topology.functions.values():
        subscription = Subscription(name=up.bus.subscription_path(function.subscription))
        up.bus.subscriber.update_subscription(
            subscription=subscription, update_mask=FieldMask(paths=["retry_policy"])
        )


@pytest.fixture(scope="module")
def up(
    request: pytest.FixtureRequest, emulators: Emulators, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmulatorRuntime]:
    """Every function, with the shipped catalog and a clock that begins at `START` of the module."""
    folder, project = (
        tmp_path_factory.mktemp("state"),
        request.module.__name__.rpartition(".")[2].replace("_", "-"),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(running.FOLDER_VARIABLE, str(folder))
        with EmulatorRuntime(
            project,
            emulators=emulators,
            state_folder=folder,
            now=request.module.START,
            publish_catalog=lambda endpoints: publish_catalog(emulator_client(endpoints), load_catalog()),
        ) as runtime:
            yield runtime
