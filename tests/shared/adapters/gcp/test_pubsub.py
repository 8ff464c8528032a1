"""Publishing over bare gRPC: what is published to a topic at once shares requests, and fails where it must."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from itertools import repeat

import grpc
import pytest

from infra.remote.pubsub import Bus
from shared.adapters.gcp import rpc
from shared.adapters.gcp.connection import PUBSUB
from shared.adapters.gcp.pubsub import MAX_REQUEST_BYTES, MAX_REQUEST_MESSAGES, PubsubPublisher
from shared.contracts.outbound.message import Message
from shared.domain.errors import Transient
from tests.shared.adapters.wire import Wire, watched

pytestmark = pytest.mark.emulator

TOPICS = ("upsell-trigger", "lifecycle-due")


@pytest.fixture
async def publisher(emulators, project, wire, bus: Bus) -> AsyncIterator[PubsubPublisher]:
    for topic in TOPICS:
        bus.publisher.create_topic(name=bus.topic_path(topic))
        bus.subscriber.create_subscription(name=bus.subscription_path(topic), topic=bus.topic_path(topic))
    connection = watched(PUBSUB, emulators.pubsub_host, wire)
    yield PubsubPublisher(connection, project)
    await connection.close()


def message(number: int, topic: str = TOPICS[0], **body: object) -> Message:
    return Message(topic, f"m-{number}", body)


def received(bus: Bus, topic: str = TOPICS[0]) -> Counter[str]:
    """The ids of the messages of a topic."""
    ids: Counter[str] = Counter()
    while pulled := bus.pull(topic, 1000):
        bus.ack(topic, pulled)
        ids.update(one.attributes["message_id"] for one in pulled)
    return ids


async def test_what_is_published_at_once_shares_a_request_for_each_topic(publisher, bus, wire: Wire) -> None:
    events = [[message(2 * n), message(2 * n + 1), message(n, TOPICS[1])] for n in range(20)]
    await asyncio.gather(*map(publisher.publish, events))
    assert wire.calls == {"Publish": 2}
    assert received(bus) == Counter(f"m-{n}" for n in range(40))
    assert received(bus, TOPICS[1]) == Counter(f"m-{n}" for n in range(20))


async def test_a_request_takes_a_bounded_number_of_messages(publisher, bus, wire: Wire) -> None:
    await publisher.publish([message(n) for n in range(MAX_REQUEST_MESSAGES + 2)])
    assert wire.calls == {"Publish": 2}
    assert received(bus) == Counter(f"m-{n}" for n in range(MAX_REQUEST_MESSAGES + 2))


async def test_a_request_takes_a_bounded_size(publisher, bus, wire: Wire) -> None:
    text = "x" * (MAX_REQUEST_BYTES * 2 // 5)
    await publisher.publish([message(n, text=text) for n in range(6)])
    assert wire.calls == {"Publish": 3}
    assert received(bus) == Counter(f"m-{n}" for n in range(6))


async def test_a_message_larger_than_that_is_sent_alone(publisher, bus, wire: Wire) -> None:
    large = message(1, text="x" * (MAX_REQUEST_BYTES + 1))
    await publisher.publish([message(0), large, message(2)])
    assert wire.calls == {"Publish": 2}
    assert received(bus) == Counter(["m-0", "m-1", "m-2"])


async def test_a_message_that_is_refused_fails_its_own_publisher_alone(publisher, bus, wire: Wire) -> None:
    refused = grpc.StatusCode.INVALID_ARGUMENT
    wire.failures = iter([refused, None, None, refused])
    done = await asyncio.gather(*(publisher.publish([message(n)]) for n in range(4)), return_exceptions=True)
    assert [type(one) for one in done] == [type(None), type(None), Transient, type(None)]
    assert received(bus) == Counter(["m-0", "m-1", "m-3"])


async def test_publishing_is_repeated_a_bounded_number_of_times(publisher, bus, wire: Wire, monkeypatch) -> None:
    monkeypatch.setattr(rpc, "WAITS", (0.0, 0.0))
    unavailable = grpc.StatusCode.UNAVAILABLE
    wire.failures = iter([unavailable, unavailable])
    await publisher.publish([message(1)])
    assert received(bus) == Counter(["m-1"])
    wire.failures = repeat(unavailable)
    with pytest.raises(Transient, match="Pub/Sub: UNAVAILABLE"):
        await publisher.publish([message(2)])
    assert wire.calls == {"Publish": 6}


async def test_a_publisher_that_gives_up_leaves_the_request_to_the_others(publisher, bus, wire: Wire) -> None:
    wire.is_open.clear()
    callers = [asyncio.create_task(publisher.publish([message(0)]))]
    await wire.until("Publish")
    callers += [asyncio.create_task(publisher.publish([message(n)])) for n in (1, 2)]
    await asyncio.sleep(0)
    for caller in callers[:2]:
        caller.cancel()
    await asyncio.sleep(0)
    wire.is_open.set()
    await callers[2]
    assert received(bus) == Counter(["m-0", "m-2"])  # the first was under way, and the second not yet
