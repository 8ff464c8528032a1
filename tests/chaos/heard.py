"""Everything that consumers hear: each outgoing topic, read from a subscription of its own."""

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from infra.errors import InfraError
from infra.remote.pubsub import Bus, Received

PULL_SECONDS = 1.5
"""The deadline of a pull. The emulator answers an empty one a second before it."""


class Heard(NamedTuple):
    """One message, as published once."""

    topic: str
    bus_id: str
    """Pub/Sub's id: a message that is published again has another one."""
    data: bytes

    @property
    def body(self) -> dict[str, Any]:
        """The message, parsed; empty if it is no JSON, as what Pub/Sub itself put into the dead letter may be."""
        try:
            body: dict[str, Any] = json.loads(self.data)
        except ValueError:
            return {}
        return body


@dataclass(frozen=True, slots=True)
class Source:
    """A subscription to read, and its topic."""

    topic: str
    subscription: str


class Listener:
    """Reads subscriptions, each in a thread of its own, and keeps what they bring; a context manager."""

    def __init__(self, bus: Bus, sources: Iterable[Source], on_message: Callable[[Heard], None]) -> None:
        self.messages: dict[str, list[Heard]] = defaultdict(list)
        """By topic; each publication once."""
        self.redelivered: Counter[str] = Counter()
        """Deliveries of what was delivered before, by topic."""
        self._bus = bus
        self._on_message = on_message
        self._seen: set[str] = set()
        self._stopping = threading.Event()
        self._quiet: dict[str, int] = {}
        """By topic: the number of empty pulls since the last message."""
        self._threads = [threading.Thread(target=self._listen, args=(one,), daemon=True) for one in sources]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def is_quiet(self) -> bool:
        """True if every subscription was empty at its last two pulls."""
        return len(self._quiet) == len(self._threads) and min(self._quiet.values()) >= 2

    def wake(self) -> None:
        """Forget that it was quiet, so that `is_quiet` needs two more empty pulls of each subscription."""
        self._quiet.clear()

    def _listen(self, source: Source) -> None:
        while not self._stopping.is_set():
            try:
                received = self._bus.pull(source.subscription, 1000, PULL_SECONDS)
                if received:
                    self._bus.ack(source.subscription, received)
            except InfraError:
                continue
            self._quiet[source.topic] = 0 if received else self._quiet.get(source.topic, 0) + 1
            for message in received:
                self._keep(source.topic, message)

    def _keep(self, topic: str, message: Received) -> None:
        if message.message_id in self._seen:
            self.redelivered[topic] += 1
            return
        self._seen.add(message.message_id)
        heard = Heard(topic, message.message_id, message.data)
        self.messages[topic].append(heard)
        self._on_message(heard)
