"""Fixtures for tests of the emulator runtime, with a probe in place of the functions."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.pubsub_v1.types import Subscription

from infra.emulator.emulators import Emulators
from infra.emulator.runtime import EmulatorRuntime
from infra.topology import Topology, load
from tests.e2e.probe import Probe


@pytest.fixture
def hurried() -> Topology:
    """The topology, with fast retries and few delivery attempts for every function."""
    return load().with_each_function(
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
    return hurried.model_copy(update={"functions": {"payment": hurried.functions["payment"]}, "schedules": {}})


@pytest.fixture
def probe_up(emulators: Emulators, project: str, probe: Probe, probe_table: Topology) -> Iterator[EmulatorRuntime]:
    """The emulator runtime with the probe as its only function."""
    with EmulatorRuntime(
        project, topology=probe_table, root=probe.root, emulators=emulators, env=probe.env
    ) as running:
        _retry_every_second(running)
        yield running


def _retry_every_second(running: EmulatorRuntime) -> None:
    """Remove the retry policies: with any policy, the Pub/Sub emulator waits 3 seconds between deliveries."""
    for function in running.topology.functions.values():
        subscription = Subscription(name=running.bus.subscription_path(function.subscription))
        running.bus.subscriber.update_subscription(
            subscription=subscription, update_mask=FieldMask(paths=["retry_policy"])
        )
