"""Fixtures for tests of the emulator runtime, with a probe in place of the functions."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.emulator.emulators import Emulators
from infra.emulator.runtime import Up
from infra.topology import Topology, load
from tests.e2e.probe import Probe


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
