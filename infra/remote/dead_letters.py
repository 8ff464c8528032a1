"""Dead letters: reading them, and sending them back to the topics they came from without losing one."""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from infra.remote.pubsub import Received
from infra.topology import Topology

UNDELIVERED = "undelivered"
"""The reason of what Pub/Sub itself gave up on: no function ever acknowledged it."""
PUBSUB_MARK = "CloudPubSubDeadLetter"
SOURCE_SUBSCRIPTION = PUBSUB_MARK + "SourceSubscription"
BATCH = 100
PATIENCE = 2
"""Pulls in a row that bring nothing, after which nothing is taken to be there: Pub/Sub promises no more."""


class UnreadableLetter(ValueError):
    """A message in the dead letter that says neither where it came from nor why."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that could not be processed, as it was before it got here."""

    topic: str
    reason: str
    data: bytes
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Redrive:
    """What a redrive did, or, if `dry`, would have done."""

    dry: bool
    letters: tuple[Letter, ...]
    """Those sent back."""
    kept: int
    """How many were seen and stay: of another reason, or beyond the limit."""
    unreadable: int
    """How many stay because nobody can tell where they came from."""

    def counts(self) -> dict[tuple[str, str], int]:
        """How many of each reason and topic were sent back, the most first."""
        return dict(Counter((letter.reason, letter.topic) for letter in self.letters).most_common())


class LetterBus(Protocol):
    """What a redrive needs of a bus."""

    def pull(self, subscription: str, count: int) -> list[Received]:
        """Up to `count` messages, unacknowledged."""
        ...

    def publish(self, topic: str, data: bytes, attributes: Mapping[str, str]) -> str:
        """Publish one message and return its id once it is safe."""
        ...

    def ack(self, subscription: str, received: Sequence[Received]) -> None:
        """Remove messages from the subscription."""
        ...

    def release(self, subscription: str, received: Sequence[Received]) -> None:
        """Give messages back to the subscription."""
        ...


def read_letter(received: Received, topology: Topology) -> Letter:
    """The letter in a message: one of ours (JSON), or one that Pub/Sub forwarded as it was.

    Raises `UnreadableLetter` for anything else, where no function listens to the topic, and where there is nothing
    in it, which Pub/Sub would not take back.
    """
    letter = _forwarded(received, topology) if SOURCE_SUBSCRIPTION in received.attributes else _ours(received)
    if letter.topic not in topology.topics_in:
        raise UnreadableLetter(f"it names the topic {letter.topic!r}, which no function listens to")
    if not letter.data and not letter.attributes:
        raise UnreadableLetter("it has neither data nor attributes")
    return letter


def redrive(
    bus: LetterBus, topology: Topology, *, reason: str | None = None, limit: int = 1000, dry: bool = True
) -> Redrive:
    """Send up to `limit` letters back to their topics: all, or those of one reason.

    Everything is pulled before anything is sent, so that a letter that fails again is not sent in circles. Each is
    acknowledged only once it is published: after a crash it may come twice, which functions recognise, but
    never not at all. What is not sent is given back.
    """
    held = _Held(bus, topology)
    try:
        held.fill(reason, limit)
        chosen = held.chosen(reason)[:limit]
        letters = tuple(held.readable[message_id] for message_id in chosen)
        kept, unreadable = len(held.readable) - len(letters), len(held.received) - len(held.readable)
        for message_id in () if dry else chosen:
            held.send_back(message_id)
    finally:
        held.release()
    return Redrive(dry, letters, kept, unreadable)


class _Held:
    """Letters taken out of the holding subscription for a while, by message id."""

    def __init__(self, bus: LetterBus, topology: Topology) -> None:
        self.received: dict[str, Received] = {}
        self.readable: dict[str, Letter] = {}
        self._bus, self._topology = bus, topology
        self._subscription = topology.dead_letter.subscription

    def fill(self, reason: str | None, limit: int) -> None:
        """Pull until there are `limit` letters to send, or no more letters."""
        vain = 0
        while vain < PATIENCE and len(self.chosen(reason)) < limit:
            batch = self._bus.pull(self._subscription, BATCH)
            vain = 0 if batch else vain + 1
            for received in batch:
                self._take(received)

    def chosen(self, reason: str | None) -> list[str]:
        """Message ids of the letters of a reason, or of all."""
        return [i for i, letter in self.readable.items() if reason in (None, letter.reason)]

    def send_back(self, message_id: str) -> None:
        """Publish a letter as it was, and only then remove it from here."""
        letter = self.readable[message_id]
        self._bus.publish(letter.topic, letter.data, letter.attributes)
        self._bus.ack(self._subscription, [self.received[message_id]])
        del self.received[message_id]

    def release(self) -> None:
        """Give back what was not sent."""
        if self.received:
            self._bus.release(self._subscription, list(self.received.values()))

    def _take(self, received: Received) -> None:
        self.received[received.message_id] = received
        with suppress(UnreadableLetter):
            self.readable[received.message_id] = read_letter(received, self._topology)


def _forwarded(received: Received, topology: Topology) -> Letter:
    """Pub/Sub forwards the bytes as they were, and says in attributes which subscription gave up."""
    function = topology.listener(received.attributes[SOURCE_SUBSCRIPTION])
    if function is None:
        raise UnreadableLetter("it comes from a subscription that no function has")
    attributes = {k: v for k, v in received.attributes.items() if not k.startswith(PUBSUB_MARK)}
    return Letter(function.listens, UNDELIVERED, received.data, attributes)


class _Body(BaseModel):
    """What a redrive reads of a letter of ours; the rest is for people."""

    model_config = ConfigDict(strict=True)

    reason: str
    topic: str
    data_base64: str
    attributes: dict[str, str]


def _ours(received: Received) -> Letter:
    try:
        body = _Body.model_validate_json(received.data)
        data = base64.b64decode(body.data_base64, validate=True)
    except ValueError as error:
        raise UnreadableLetter("it is not a letter of ours") from error
    return Letter(body.topic, body.reason, data, body.attributes)
