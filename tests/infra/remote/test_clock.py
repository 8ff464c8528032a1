from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.errors import InfraError
from infra.remote.clock import RunningClock
from shared.adapters.clock import MovedClock

SOON = timedelta(seconds=20)


def test_without_a_file_it_is_the_machines_time(tmp_path: Path) -> None:
    clock = RunningClock(tmp_path)
    assert clock.ahead == timedelta(0)
    assert abs(clock.now() - datetime.now(UTC)) < SOON


@pytest.mark.parametrize("days", [-300, 0, 300])
def test_it_starts_at_any_time_and_goes_on_from_there(tmp_path: Path, days: int) -> None:
    clock, start = RunningClock(tmp_path), datetime.now(UTC) + timedelta(days=days)
    clock.start_at(start)
    assert timedelta(0) <= clock.now() - start < SOON


def test_functions_follow_it_at_once(tmp_path: Path) -> None:
    clock = RunningClock(tmp_path)
    clock.start_at(None)
    of_function = MovedClock(clock.file)
    clock.move_to(datetime.now(UTC) + timedelta(days=30))
    assert timedelta(0) <= of_function.now() - datetime.now(UTC) - timedelta(days=30) + SOON < 2 * SOON


def test_it_never_goes_back(tmp_path: Path) -> None:
    clock = RunningClock(tmp_path)
    clock.move_to(datetime.now(UTC) + timedelta(days=3))
    with pytest.raises(InfraError, match=r"expected a time after the clock's, .*; start anew for an earlier one"):
        clock.move_to(datetime.now(UTC))
    assert clock.ahead > timedelta(days=2)


def test_a_file_without_a_number_is_told(tmp_path: Path) -> None:
    clock = RunningClock(tmp_path)
    clock.file.write_text("tomorrow")
    with pytest.raises(InfraError, match="expected a number of seconds, found something else"):
        clock.now()
