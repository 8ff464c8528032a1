"""Fixtures for tests on the real emulators: one pair a session, a fresh project for each test."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from infra.local import sdk
from infra.local.emulators import Emulators
from infra.local.up import Up
from infra.topology import Topology, load
from tests.e2e.probe import Probe


@pytest.fixture(scope="session")
def _emulator_sdk() -> None:
    """Skips the test, with the reason, where this machine lacks something the emulators need."""
    if lack := sdk.missing():
        pytest.skip(lack)


@pytest.fixture(scope="session")
def emulators(_emulator_sdk: None) -> Iterator[Emulators]:
    """Both emulators, running."""
    with Emulators() as running:
        yield running


@pytest.fixture
def project() -> str:
    """A project nobody has used: on the emulators it is empty."""
    return f"test-{uuid4().hex[:12]}"


@pytest.fixture
def hurried() -> Topology:
    """The table, only that every function's failures are retried soon and given up soon."""
    return load().with_each_function(
        ack_deadline_seconds=10, min_backoff_seconds=1, max_backoff_seconds=1, max_delivery_attempts=5
    )


@pytest.fixture
def probe(tmp_path: Path) -> Probe:
    """A repository with one function, which does as it is told."""
    return Probe(tmp_path)


@pytest.fixture
def probe_table(hurried: Topology) -> Topology:
    """The table with `payment` alone."""
    return hurried.model_copy(update={"functions": {"payment": hurried.functions["payment"]}, "schedules": {}})


@pytest.fixture
def probe_up(emulators: Emulators, project: str, probe: Probe, probe_table: Topology) -> Iterator[Up]:
    """Upbeat with the probe for its one function."""
    with Up(project, topology=probe_table, root=probe.root, emulators=emulators, env=probe.env) as running:
        yield running
