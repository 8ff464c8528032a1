"""Lands every message of every topic in the raw log, as the BigQuery subscriptions do in the cloud."""

import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.emulator.processes import Sink
from infra.errors import InfraError
from infra.raw.folder import RawLogWriter
from infra.raw.line import LANDING_SUFFIX, Landed
from infra.remote.instants import standard
from infra.remote.pubsub import Bus, Received

RETRY_SECONDS = 1.0
"""The wait after a pull that failed."""
LAST_PULL_SECONDS = 1.5
"""The timeout of the last pulls. The emulator answers one second before it."""


class Landing:
    """Appends the messages of each topic to its file, from one thread a topic; a context manager.

    A message is acknowledged once it is written. Whatever was published before the end lands before it returns.
    """

    def __init__(
        self,
        bus: Bus,
        topics: Iterable[str],
        folder: Path,
        sink: Sink,
        ahead: Callable[[], timedelta] = lambda: timedelta(0),
    ) -> None:
        """`ahead` says by how much the clock of the functions is ahead: publish times are told by that clock."""
        self._bus = bus
        self._ahead = ahead
        self._topics = tuple(topics)
        self._folder = folder
        self._sink = sink
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._land, args=(topic,), name=f"landing {topic}", daemon=True)
            for topic in self._topics
        ]

    def __enter__(self) -> Self:
        self._writer = RawLogWriter(self._folder, self._topics)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._writer.close()

    def _land(self, topic: str) -> None:
        while not self._stopping.is_set():
            try:
                self._land_some(topic)
            except (InfraError, OSError) as problem:
                self._sink("landing", f"{topic}: {problem}")
                self._stopping.wait(RETRY_SECONDS)
        try:
            while self._land_some(topic, LAST_PULL_SECONDS):
                pass
        except (InfraError, OSError) as problem:
            self._sink("landing", f"{topic}: the last messages are lost: {problem}")

    def _land_some(self, topic: str, *wait: float) -> int:
        """Land the messages that come within one pull, and return their number."""
        subscription = topic + LANDING_SUFFIX
        received = self._bus.pull(subscription, 1000, *wait)
        if received:
            name = self._bus.subscription_path(subscription)
            ahead = self._ahead()
            self._writer.append(topic, [_landed(name, message, ahead) for message in received])
            self._bus.ack(subscription, received)
        return len(received)


def _landed(subscription: str, message: Received, ahead: timedelta) -> Landed:
    publish_time = standard(message.publish_time) + ahead
    return Landed(subscription, message.message_id, publish_time, message.attributes, message.data)
