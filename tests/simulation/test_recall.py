"""The recall of a campaign on the emulators, with few users; `python -m tests.simulation.recall` has 20,000."""

import signal
from pathlib import Path

import pytest

from infra.emulator.emulators import Emulators
from tests.simulation.recall import recall_on

USERS, PER_SECOND = 300, 100.0

pytestmark = [pytest.mark.emulator, pytest.mark.slow]


def test_a_recall_that_was_killed_revokes_every_open_trigger_once(
    emulators: Emulators, project: str, tmp_path: Path
) -> None:
    seen = recall_on(emulators, project, tmp_path, USERS, PER_SECOND)
    assert seen.exit_code_killed == -signal.SIGKILL
    assert USERS // 2 <= seen.published_before_kill < USERS
    assert 0 < seen.withheld < USERS
    assert (seen.revoked, seen.revoked_wrongly, seen.revoked_twice) == (USERS - seen.withheld, 0, 0)
    assert (seen.still_open, seen.others_open) == (0, USERS // 5)
    assert seen.found_by_another_recall == 0
