"""The checker finds each way in which the protocol may be broken: a run of a few seconds breaks a law."""

import pytest

from infra.emulator.emulators import Emulators
from tests.chaos.faults import OUTAGES, SWIFT
from tests.chaos.report import table
from tests.chaos.run import run
from tests.chaos.sabotage import SABOTAGES
from tests.chaos.world import Settings

pytestmark = [pytest.mark.emulator, pytest.mark.slow]

SECONDS, USERS = 4, 25
INSTANCES = {"payment": 2, "churn_signal": 2}
"""Two functions that write to the same documents are enough to find every sabotage, and start quickly."""
FAULTS = {"ack_of_failure": (OUTAGES, 1.5)}
"""The faults and the seconds between two of them, by sabotage. Only an outage makes functions fail in numbers."""


@pytest.mark.parametrize("sabotage", ["", *SABOTAGES])
def test_a_law_is_broken_only_if_the_protocol_is(sabotage: str, emulators: Emulators) -> None:
    faults, every = FAULTS.get(sabotage, (SWIFT, 0.1))
    result = run(Settings(SECONDS, 1, INSTANCES, USERS, faults, every, sabotage), emulators)
    assert bool(result.broken) is bool(sabotage), "\n".join(table(result))
