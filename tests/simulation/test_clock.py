import pytest

from tests.simulation.clock import run

USERS = 400


@pytest.mark.emulator
@pytest.mark.slow
def test_everybody_is_told_though_the_clock_is_killed_and_hardly_anybody_twice(emulators, monkeypatch) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulators.firestore_host)  # restored afterwards
    found = run(USERS, kills=1, tick_seconds=3, emulators=emulators)
    assert (found.kills, found.missed) == (1, 0)
    assert found.doubled <= found.doubled_at_most < USERS / 8


@pytest.mark.emulator
@pytest.mark.slow
def test_nobody_is_told_twice_where_nothing_fails(emulators, monkeypatch) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulators.firestore_host)
    found = run(USERS, kills=0, tick_seconds=1, emulators=emulators)
    assert (found.missed, found.doubled) == (0, 0)
