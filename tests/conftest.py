"""How every test runs, and the emulators for those that need them: one pair a session, a project for each test."""

import logging
from collections.abc import Iterator
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

from infra.emulator import sdk
from infra.emulator.emulators import Emulators

# Without deadlines, since speed is for `make bench`. The same examples every time, so that a change is judged by
# what it changed; new ones, and many, on demand.
settings.register_profile("usual", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", parent=settings.get_profile("usual"), derandomize=False, max_examples=3000)
settings.load_profile("usual")


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
def loggers_as_they_were() -> Iterator[None]:
    """Undoes what `logs.configure` does to the process."""
    loggers = [logging.getLogger(), logging.getLogger("google")]
    before = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, handlers, level, propagate in before:
        logger.handlers[:], logger.propagate = handlers, propagate
        logger.setLevel(level)
