"""The local scheduler: publishes what the cloud's scheduler would, only at an interval of its own."""

import threading
from collections.abc import Iterable

from infra.emulator.processes import Sink
from infra.errors import InfraError
from infra.remote.pubsub import Bus

EMPTY = b"{}"


class Scheduler:
    """Publishes an empty JSON object to each scheduled topic every few seconds, from a thread of its own."""

    def __init__(self, bus: Bus, topics: Iterable[str], every_seconds: float, sink: Sink) -> None:
        self._bus = bus
        self._topics = tuple(topics)
        self._every_seconds = every_seconds
        self._sink = sink
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clock", daemon=True)

    def start(self) -> None:
        """Tick for the first time after one interval."""
        self._thread.start()

    def stop(self) -> None:
        """Tick no more."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._every_seconds):
            for topic in self._topics:
                self._tick(topic)

    def _tick(self, topic: str) -> None:
        """A tick that fails is no loss: the next one does the same."""
        try:
            self._bus.publish(topic, EMPTY)
        except InfraError as error:
            self._sink("clock", str(error))
