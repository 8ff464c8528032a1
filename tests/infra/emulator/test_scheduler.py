import threading

import pytest

from infra.emulator.scheduler import Scheduler
from infra.errors import InfraError

PATIENCE_SECONDS = 20.0


class Bus:
    """A bus that counts ticks and fails on the first one."""

    def __init__(self) -> None:
        self.ticks: list[tuple[str, bytes]] = []
        self.enough = threading.Event()

    def publish(self, topic: str, data: bytes) -> str:
        self.ticks.append((topic, data))
        if len(self.ticks) == 1:
            raise InfraError("the bus does not answer")
        if len(self.ticks) == 4:
            self.enough.set()
        return "id"


@pytest.fixture
def lines():
    return []


@pytest.fixture
def ticked(lines):
    """The bus of a scheduler that published to two topics at least twice and was then stopped."""
    bus = Bus()
    scheduler = Scheduler(bus, ["one", "two"], 0.01, lambda name, line: lines.append((name, line)))
    scheduler.start()
    assert bus.enough.wait(PATIENCE_SECONDS)
    scheduler.stop()
    return bus


def test_every_scheduled_topic_gets_an_empty_object_at_each_tick(ticked):
    assert ticked.ticks[:4] == [("one", b"{}"), ("two", b"{}")] * 2


def test_a_tick_that_fails_is_told_and_does_not_stop_the_clock(ticked, lines):
    assert len(ticked.ticks) >= 4
    assert lines == [("clock", "the bus does not answer")]
