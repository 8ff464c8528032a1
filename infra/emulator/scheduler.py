"""The local scheduler: publishes the messages of Cloud Scheduler, but at one fixed interval for all topics."""

import threading
from collections.abc import Iterable

from infra.emulator.processes import Sink
from infra.errors import InfraError
from infra.remote.pubsub import Bus

EMPTY = b"{}"


class Scheduler:
    """Publishes an empty JSON object to each scheduled topic every `every_seconds`, from its own thread."""

    def __init__(self, bus: Bus, topics: Iterable[str], every_seconds: float, sink: Sink) -> None:
        self._bus = bus
        self._topics = tuple(topics)
        self._every_seconds = every_seconds
        self._sink = sink
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clock", daemon=True)

    def start(self) -> None:
        """Start ticking; the first tick comes after one interval."""
        self._thread.start()

    def stop(self) -> None:
        """Stop ticking and wait for the thread to end."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._every_seconds):
            for topic in self._topics:
                self._tick(topic)

    def _tick(self, topic: str) -> None:
        """Publish one tick. A failure is only logged, because the next tick does the same work."""
        try:
            self._bus.publish(topic, EMPTY)
        except InfraError as error:
            self._sink("clock", str(error))
