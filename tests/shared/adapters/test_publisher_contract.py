"""Contract of the `Publisher` port, checked for each adapter: every published message arrives unchanged."""

import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime

import pytest

from infra.embedded.runtime import EmbeddedBus, VirtualClock
from infra.remote.pubsub import Bus
from infra.topology import load
from shared.adapters.gcp.connection import PUBSUB, connections
from shared.adapters.gcp.pubsub import PubsubPublisher
from shared.contracts.outbound.message import Message
from shared.domain.errors import Transient
from shared.ports import Publisher

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOPICS = ("upsell-trigger", "subscription-change", "lifecycle-due")
"""Two topics for consumers, and one that triggers a function."""
PATIENCE_SECONDS = 30.0

Arrived = tuple[str, bytes, tuple[tuple[str, str], ...]]
"""The topic, bytes and attributes of a message."""


class Side(ABC):
    """A publisher, and a subscriber that receives its messages."""

    publisher: Publisher

    @abstractmethod
    def received(self, expected: Sequence[Message]) -> Counter[Arrived]:
        """The messages that arrived since the last call, after a limited wait for the expected ones."""


class Embedded(Side):
    def __init__(self) -> None:
        self.sunk: list[Message] = []
        self.publisher = EmbeddedBus(load(), VirtualClock(NOW), self.sunk.append)

    def received(self, expected: Sequence[Message]) -> Counter[Arrived]:  # noqa: ARG002 - no wait is needed
        pushed = [(push.topic, push.data, tuple(sorted(push.attributes.items()))) for push in self.publisher.queue]
        return Counter([*map(arrival, self.sunk), *pushed])


class Pubsub(Side):
    def __init__(self, bus: Bus, publisher: PubsubPublisher) -> None:
        self.bus, self.publisher = bus, publisher
        for topic in TOPICS:
            bus.publisher.create_topic(name=bus.topic_path(topic))
            bus.subscriber.create_subscription(name=bus.subscription_path(topic), topic=bus.topic_path(topic))

    def received(self, expected: Sequence[Message]) -> Counter[Arrived]:
        wanted = Counter(message.topic for message in expected)
        return Counter(arrived for topic, count in wanted.items() for arrived in self._heard(topic, count))

    def _heard(self, topic: str, count: int) -> Iterable[Arrived]:
        give_up = time.monotonic() + PATIENCE_SECONDS
        while count > 0 and time.monotonic() < give_up:
            received = self.bus.pull(topic, 1000)
            self.bus.ack(topic, received)
            count -= len(received)
            for each in received:
                yield topic, each.data, tuple(sorted(each.attributes.items()))


def arrival(message: Message) -> Arrived:
    return message.topic, message.data, tuple(sorted(message.attributes().items()))


@pytest.fixture(params=["embedded", pytest.param("pubsub", marks=pytest.mark.emulator)])
async def side(request, project) -> AsyncIterator[Side]:
    if request.param == "embedded":
        yield Embedded()
        return
    env = request.getfixturevalue("emulators").endpoints(project).env
    (connection,) = connections(env, PUBSUB)
    yield Pubsub(request.getfixturevalue("bus"), PubsubPublisher(connection, project))
    await connection.close()


async def test_messages_of_several_topics_arrive_with_their_bytes_and_attributes(side: Side) -> None:
    body = {"user_id": "user-1", "plan": "Prämie 🎧", "amount": 10**12, "nothing": None, "list": [1, [2.5]]}
    chosen = {"kind": "issued", "placement": "in_app_banner", "channel": "in_app", "moment": "renewed"}
    messages = [
        Message("upsell-trigger", "m-1", body | chosen),
        Message("subscription-change", "m-2", {"before": {"status": "none"}, "after": {"status": "active"}}),
        Message("lifecycle-due", "m-3", {"user_id": "user-1"}),
        Message("upsell-trigger", "m-4", {}),
    ]
    await side.publisher.publish(messages)
    arrived = side.received(messages)
    assert arrived == Counter(map(arrival, messages))
    attributes = [dict(attributes) for _, _, attributes in arrived]
    assert {"message_id": "m-1", **chosen} in attributes
    assert {"message_id": "m-2", "status_before": "none", "status_after": "active"} in attributes


async def test_more_messages_than_one_request_takes_all_arrive(side: Side) -> None:
    messages = [Message("lifecycle-due", f"m-{n}", {"n": n}) for n in range(2100)]
    await side.publisher.publish(messages)
    assert side.received(messages) == Counter(map(arrival, messages))


async def test_nothing_to_publish_is_nothing_to_do(side: Side) -> None:
    await side.publisher.publish([])
    message = Message("upsell-trigger", "m-1", {})
    await side.publisher.publish([message])
    assert side.received([message]) == {arrival(message): 1}


async def test_what_is_published_twice_arrives_twice_under_one_id(side: Side) -> None:
    message = Message("subscription-change", "m-1", {"after": {"status": "active"}})
    for _ in range(2):
        await side.publisher.publish([message])
    assert side.received([message, message]) == {arrival(message): 2}


@pytest.mark.parametrize("side", [pytest.param("pubsub", marks=pytest.mark.emulator)], indirect=True)
async def test_a_topic_that_does_not_exist_fails_and_holds_up_no_other(side: Side) -> None:
    known = [Message("upsell-trigger", f"m-{n}", {}) for n in range(3)]
    with pytest.raises(Transient, match="Pub/Sub: NOT_FOUND"):
        await side.publisher.publish([Message("no-such-topic", "m-0", {}), *known])
    assert side.received(known) == Counter(map(arrival, known))
