"""Reads dead letters, and sends them back to their original topics without losing any."""

import base64
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from types import TracebackType
from typing import Protocol, Self

from pydantic import BaseModel, ConfigDict

from infra.remote.pubsub import Received
from infra.topology import Topology
from shared.contracts.outbound.dead_letter import PUBSUB_ATTRIBUTE_PREFIX, SOURCE_SUBSCRIPTION, letter_id

UNDELIVERED = "undelivered"
"""Reason of a letter that Pub/Sub itself dead-lettered, because no function acknowledged it."""
BATCH = 100
EMPTY_PULLS = 2
"""Consecutive empty pulls after which the subscription counts as empty.

One is not enough: Pub/Sub may return no message although there are some.
"""


class UnreadableLetter(ValueError):
    """A message of the dead-letter topic that cannot be sent back: its topic is unknown, or it is not complete."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that could not be processed, in its original form, with the reason."""

    topic: str
    reason: str
    data: bytes
    attributes: Mapping[str, str]
    detail: str = field(default="", compare=False)
    """The reason in words; empty for a letter of Pub/Sub."""
    arrived_at: datetime | None = field(default=None, compare=False)
    """The instant (UTC) at which it came to the dead letters."""

    @property
    def id(self) -> str:
        """The id of its dead letter: the same whenever the same message is rejected again."""
        return letter_id(self.topic, base64.b64encode(self.data).decode(), dict(self.attributes))


@dataclass(frozen=True, slots=True)
class RedriveResult:
    """The result of a redrive; if `dry`, of a redrive that only reports."""

    dry: bool
    letters: tuple[Letter, ...]
    """The letters sent back."""
    kept: int
    """Readable letters that were seen and stay: they have another reason, or exceed the limit."""
    unreadable: int
    """Messages that stay because their original topic cannot be determined."""

    def counts(self) -> dict[tuple[str, str], int]:
        """The number of letters sent back by reason and topic, largest first."""
        return dict(Counter((letter.reason, letter.topic) for letter in self.letters).most_common())


class LetterBus(Protocol):
    """The methods of a Pub/Sub client that a redrive uses."""

    def pull(self, subscription: str, count: int) -> list[Received]:
        """Up to `count` messages, unacknowledged."""
        ...

    def publish(self, topic: str, data: bytes, attributes: Mapping[str, str]) -> str:
        """Publish one message, and return its id once Pub/Sub has stored it."""
        ...

    def ack(self, subscription: str, received: Sequence[Received]) -> None:
        """Acknowledge messages, which removes them from the subscription."""
        ...

    def release(self, subscription: str, received: Sequence[Received]) -> None:
        """Return messages to the subscription, for immediate redelivery."""
        ...


def read_letter(received: Received, topology: Topology) -> Letter:
    """The letter in a message: either published by a function (JSON), or forwarded unchanged by Pub/Sub.

    Raises `UnreadableLetter` for anything else, if no function subscribes to the topic, or if the letter has
    neither data nor attributes, since Pub/Sub would not accept such a message.
    """
    by_pubsub = SOURCE_SUBSCRIPTION in received.attributes
    letter = _forwarded(received, topology) if by_pubsub else _published_by_function(received)
    if letter.topic not in {function.listens for function in topology.listeners.values()}:
        raise UnreadableLetter(f"it names the topic {letter.topic!r}, which no function subscribes to")
    if not letter.data and not letter.attributes:
        raise UnreadableLetter("it has neither data nor attributes")
    return letter


def redrive(
    bus: LetterBus,
    topology: Topology,
    *,
    reason: str | None = None,
    limit: int = 1000,
    dry: bool = True,
    sent: Callable[[Letter, str], object] = lambda _letter, _message_id: None,
) -> RedriveResult:
    """Send up to `limit` letters back to their topics: all letters, or only those with `reason`.

    All letters are pulled before any is sent, so that a letter that fails again is not sent in a loop. Each letter
    is acknowledged only after it is published. A crash can therefore deliver it twice, which functions recognise
    as a duplicate, but cannot lose it. Letters that are not sent return to the subscription. `sent` is told of
    each letter that was sent, with the id of the new message.
    """
    with HeldLetters(bus, topology) as held:
        held.fill(reason, limit)
        chosen = held.chosen(reason)[:limit]
        letters = tuple(held.readable[message_id] for message_id in chosen)
        kept, unreadable = len(held.readable) - len(letters), len(held.received) - len(held.readable)
        for message_id, letter in () if dry else zip(chosen, letters, strict=True):
            sent(letter, held.send_back(message_id))
    return RedriveResult(dry, letters, kept, unreadable)


class HeldLetters:
    """Letters pulled from the dead-letter subscription and not yet acknowledged, by message id.

    A context manager: those that were neither sent back nor dropped return to the subscription in the end.
    """

    def __init__(self, bus: LetterBus, topology: Topology) -> None:
        self.received: dict[str, Received] = {}
        self.readable: dict[str, Letter] = {}
        self._bus, self._topology = bus, topology
        self._subscription = topology.dead_letter.subscription

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def fill(self, reason: str | None = None, limit: float = inf) -> None:
        """Pull until there are `limit` letters to send, or until the subscription is empty."""
        self._pull_until(lambda _fresh: limit < inf and len(self.chosen(reason)) >= limit)

    def look_for(self, letter_id: str) -> list[str]:
        """Pull until a letter is found, or until the subscription is empty; the ids of all messages with it."""
        self._pull_until(lambda fresh: any(letter.id == letter_id for letter in fresh))
        return [message_id for message_id, letter in self.readable.items() if letter.id == letter_id]

    def chosen(self, reason: str | None) -> list[str]:
        """Message ids of the letters with this reason, or of all letters if None."""
        return [id_ for id_, letter in self.readable.items() if reason in (None, letter.reason)]

    def send_back(self, message_id: str, mended: bytes | None = None) -> str:
        """Publish a letter as it is or with mended data, and acknowledge it afterwards; the new message's id."""
        letter = self.readable[message_id]
        published = self._bus.publish(letter.topic, letter.data if mended is None else mended, letter.attributes)
        self.drop(message_id)
        return published

    def drop(self, message_id: str) -> None:
        """Acknowledge a letter, which removes it for good."""
        self._bus.ack(self._subscription, [self.received[message_id]])
        del self.received[message_id], self.readable[message_id]

    def release(self) -> None:
        """Return the letters that were not sent to the subscription."""
        if self.received:
            self._bus.release(self._subscription, list(self.received.values()))

    def _pull_until(self, is_enough: Callable[[Sequence[Letter]], bool]) -> None:
        """Pull until the letters of one pull are enough, or until two pulls bring none."""
        empty_pulls, fresh = 0, list[Letter]()
        while empty_pulls < EMPTY_PULLS and not is_enough(fresh):
            batch = self._bus.pull(self._subscription, BATCH)
            empty_pulls = 0 if batch else empty_pulls + 1
            fresh = [letter for received in batch if (letter := self._hold(received))]

    def _hold(self, received: Received) -> Letter | None:
        self.received[received.message_id] = received
        with suppress(UnreadableLetter):
            self.readable[received.message_id] = read_letter(received, self._topology)
        return self.readable.get(received.message_id)


def _forwarded(received: Received, topology: Topology) -> Letter:
    """A letter that Pub/Sub forwarded: its data is the original data, its attributes name the subscription.

    Raises `UnreadableLetter` if the subscription belongs to no function.
    """
    function = topology.listener(received.attributes[SOURCE_SUBSCRIPTION])
    if function is None:
        raise UnreadableLetter("it comes from a subscription that belongs to no function")
    attributes = {k: v for k, v in received.attributes.items() if not k.startswith(PUBSUB_ATTRIBUTE_PREFIX)}
    return Letter(function.listens, UNDELIVERED, received.data, attributes, arrived_at=received.publish_time)


class _DeadLetterBody(BaseModel):
    """The fields of a function's dead letter that a redrive uses. The other fields are for people."""

    model_config = ConfigDict(strict=True)

    reason: str
    topic: str
    data_base64: str
    attributes: dict[str, str]
    detail: str = ""
    truncated_from: int | None = None


def _published_by_function(received: Received) -> Letter:
    try:
        body = _DeadLetterBody.model_validate_json(received.data)
        data = base64.b64decode(body.data_base64, validate=True)
    except ValueError as error:
        raise UnreadableLetter("it is not a dead letter of a function") from error
    if body.truncated_from:
        raise UnreadableLetter(f"it holds only the beginning of a request of {body.truncated_from} bytes")
    return Letter(body.topic, body.reason, data, body.attributes, body.detail, received.publish_time)
