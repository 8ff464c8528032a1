"""Creates the topology's topics and subscriptions on the Pub/Sub emulator; idempotent."""

from collections.abc import Mapping
from contextlib import suppress

from google.api_core.exceptions import AlreadyExists, GoogleAPICallError
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1.types import DeadLetterPolicy, PushConfig, RetryPolicy, Subscription, Topic

from infra.raw.line import LANDING_SUFFIX
from infra.remote.pubsub import LISTEN_SUFFIX, Bus
from infra.topology import ConsumerRow, FunctionRow, Topology

DAY_SECONDS = 86_400
HOLD_ACK_SECONDS = 600
"""Ack deadline of the dead-letter subscription: a redrive holds its letters while it processes them.

600 seconds is the maximum that Pub/Sub allows: https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions.
"""
LISTEN_ACK_SECONDS = 10
LANDING_ACK_SECONDS = 60
DELETE_SECONDS = 5.0


def create_topics(bus: Bus, topology: Topology) -> None:
    """Create every topic, a `listen` subscription for each outgoing topic, and the dead-letter subscription."""
    for topic in topology.topics.values():
        retention = Duration(seconds=topic.retention_days * DAY_SECONDS)
        _create_topic(bus, Topic(name=bus.topic_path(topic.name), message_retention_duration=retention))
    for name in topology.topics_out:
        _subscribe(bus, _pull(bus, topology, name + LISTEN_SUFFIX, name, LISTEN_ACK_SECONDS))
    letters = topology.dead_letter
    _subscribe(bus, _pull(bus, topology, letters.subscription, letters.topic, HOLD_ACK_SECONDS))


def create_landing(bus: Bus, topology: Topology) -> None:
    """Create the subscription of every topic that lands its messages."""
    for name in topology.topics:
        _subscribe(bus, _pull(bus, topology, name + LANDING_SUFFIX, name, LANDING_ACK_SECONDS))


def connect_functions(bus: Bus, topology: Topology, urls: Mapping[str, str]) -> None:
    """Create a push subscription for each listener in `urls` (base URLs). The push URL's path is the topic."""
    for name, function in topology.listeners.items():
        if name not in urls:
            continue
        push = PushConfig(push_endpoint=f"{urls[name]}/{function.listens}")
        _subscribe(bus, _push(bus, topology, function, push))


def disconnect_functions(bus: Bus, topology: Topology) -> None:
    """Delete the push subscriptions, so that they do not push to the next process that gets the port."""
    for function in topology.listeners.values():
        path = bus.subscription_path(function.subscription)
        with suppress(GoogleAPICallError):
            bus.subscriber.delete_subscription(subscription=path, retry=None, timeout=DELETE_SECONDS)


def _pull(bus: Bus, topology: Topology, name: str, topic: str, ack_seconds: int) -> Subscription:
    return Subscription(
        name=bus.subscription_path(name),
        topic=bus.topic_path(topic),
        ack_deadline_seconds=ack_seconds,
        message_retention_duration=Duration(seconds=topology.topics[topic].retention_days * DAY_SECONDS),
    )


def _push(bus: Bus, topology: Topology, function: FunctionRow, push: PushConfig) -> Subscription:
    return Subscription(
        name=bus.subscription_path(function.subscription),
        topic=bus.topic_path(function.listens),
        push_config=push,
        ack_deadline_seconds=function.ack_deadline_seconds,
        message_retention_duration=Duration(
            seconds=topology.topics[function.listens].retention_days * DAY_SECONDS
        ),
        filter=function.filter if isinstance(function, ConsumerRow) else "",
        retry_policy=RetryPolicy(
            minimum_backoff=Duration(seconds=function.min_backoff_seconds),
            maximum_backoff=Duration(seconds=function.max_backoff_seconds),
        ),
        dead_letter_policy=DeadLetterPolicy(
            dead_letter_topic=bus.topic_path(topology.dead_letter.topic),
            max_delivery_attempts=function.max_delivery_attempts,
        ),
    )


def _create_topic(bus: Bus, topic: Topic) -> None:
    with suppress(AlreadyExists):
        bus.publisher.create_topic(request=topic)


def _subscribe(bus: Bus, wanted: Subscription) -> None:
    """Create a subscription, or point an existing one at the function's current address."""
    try:
        bus.subscriber.create_subscription(request=wanted)
    except AlreadyExists:
        bus.subscriber.modify_push_config(subscription=wanted.name, push_config=wanted.push_config)
