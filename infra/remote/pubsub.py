"""A small synchronous Pub/Sub client, for the command line and for tests."""

import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Any

import grpc
from google.api_core import exceptions
from google.api_core.retry import Retry
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.pubsub_v1.types import PubsubMessage, Subscription

from infra.errors import InfraError
from infra.remote.endpoints import Endpoints
from shared.adapters.gcp.rpc import RPC_SECONDS
from shared.contracts.outbound.message import Message

PATIENT = Retry(timeout=60.0)
"""Retries of a failed call for a minute, for long work whose calls may be repeated."""
MAX_REQUEST_MESSAGES = 500
"""Messages per request: half of what Pub/Sub takes, and far below its 10 MB for messages of Upbeat's size."""
PULL_SECONDS = 2.0
"""Timeout of one pull without messages. The emulator responds one second before it."""
ACKS_PER_REQUEST = 500
"""Ack ids per request, within the limit of 512 KiB: https://cloud.google.com/pubsub/quotas#resource_limits."""
UNLIMITED = (("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1))
"""Channel options: a pull may bring more than gRPC's default of 4 MB, as Google's own client allows."""
LISTEN_SUFFIX = "-listen"
"""Added to an outgoing topic's name, gives the subscription that `Bus.listen` reads."""


@dataclass(frozen=True, slots=True)
class Received:
    """One message, as delivered by a subscription."""

    message_id: str
    data: bytes
    attributes: Mapping[str, str]
    publish_time: datetime
    ack_id: str

    @property
    def json(self) -> Any:
        """The data parsed as JSON. Raises `ValueError` if it is not JSON."""
        return json.loads(self.data)


class Bus:
    """Pub/Sub in one project. Every method that calls Pub/Sub raises `InfraError` if the call fails."""

    def __init__(self, project: str, publisher: PublisherClient, subscriber: SubscriberClient) -> None:
        self.project = project
        self.publisher = publisher
        self.subscriber = subscriber

    @classmethod
    def of_emulator(cls, endpoints: Endpoints) -> "Bus":
        """A client for the Pub/Sub emulator of a local runtime."""
        channel = grpc.insecure_channel(endpoints.pubsub_host, UNLIMITED)
        publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        return cls(endpoints.project, publisher, subscriber)

    @classmethod
    def of_cloud(cls, project: str) -> "Bus":
        """A client for a cloud project, with the application default credentials.

        `PUBSUB_EMULATOR_HOST` leads to an emulator instead, as for Google's other clients.
        """
        if host := os.environ.get("PUBSUB_EMULATOR_HOST"):
            return cls.of_emulator(Endpoints(project, host, ""))
        return cls(project, PublisherClient(), SubscriberClient())

    def close(self) -> None:
        """Close the connection."""
        self.publisher.transport.close()  # type: ignore[no-untyped-call]
        self.subscriber.transport.close()  # type: ignore[no-untyped-call]

    def topic_path(self, topic: str) -> str:
        """The topic's full resource name."""
        return f"projects/{self.project}/topics/{topic}"

    def subscription_path(self, subscription: str) -> str:
        """The subscription's full resource name."""
        return f"projects/{self.project}/subscriptions/{subscription}"

    def publish(self, topic: str, data: bytes, attributes: Mapping[str, str] | None = None) -> str:
        """Publish one message, and return its id once Pub/Sub has stored it."""
        message = PubsubMessage(data=data, attributes=dict(attributes or {}))
        with _client_errors(f"publish to {topic} in project {self.project}"):
            response = self.publisher.publish(
                topic=self.topic_path(topic), messages=[message], retry=None, timeout=RPC_SECONDS
            )
        return str(response.message_ids[0])

    def publish_all(self, messages: Sequence[Message]) -> None:
        """Publish messages to their topics, and return once Pub/Sub has stored them; failures are retried."""
        by_topic: dict[str, list[PubsubMessage]] = defaultdict(list)
        for message in messages:
            by_topic[message.topic].append(PubsubMessage(data=message.data, attributes=message.attributes()))
        for topic, batch in by_topic.items():
            with _client_errors(f"publish to {topic} in project {self.project}"):
                for start in range(0, len(batch), MAX_REQUEST_MESSAGES):
                    part = batch[start : start + MAX_REQUEST_MESSAGES]
                    self.publisher.publish(
                        topic=self.topic_path(topic), messages=part, retry=PATIENT, timeout=RPC_SECONDS
                    )

    def pull(self, subscription: str, count: int = 100, wait: float = PULL_SECONDS) -> list[Received]:
        """Up to `count` messages, unacknowledged; an empty list if none arrives within `wait` seconds."""
        with _client_errors(f"pull from {subscription} in project {self.project}"):
            try:
                response = self.subscriber.pull(
                    subscription=self.subscription_path(subscription), max_messages=count, retry=None, timeout=wait
                )
            except (exceptions.DeadlineExceeded, exceptions.Cancelled):  # the latter at a very short deadline
                return []
        return [_received(message) for message in response.received_messages]

    def ack(self, subscription: str, received: Sequence[Received]) -> None:
        """Acknowledge messages, so that they are not redelivered."""
        path = self.subscription_path(subscription)
        with _client_errors(f"acknowledge on {subscription} in project {self.project}"):
            for ids in _in_chunks(received):
                self.subscriber.acknowledge(subscription=path, ack_ids=ids, retry=None, timeout=RPC_SECONDS)

    def release(self, subscription: str, received: Sequence[Received]) -> None:
        """Return pulled messages to the subscription, for immediate redelivery."""
        request = {"subscription": self.subscription_path(subscription), "ack_deadline_seconds": 0}
        with _client_errors(f"return messages to {subscription} in project {self.project}"):
            for ids in _in_chunks(received):
                self.subscriber.modify_ack_deadline(
                    request={**request, "ack_ids": ids}, retry=None, timeout=RPC_SECONDS
                )

    def create_subscription(self, wanted: Subscription) -> None:
        """Create a subscription."""
        with _client_errors(f"create a subscription to {wanted.topic}"):
            self.subscriber.create_subscription(request=wanted, retry=None, timeout=RPC_SECONDS)

    def delete_subscription(self, subscription: str) -> None:
        """Delete a subscription."""
        path = self.subscription_path(subscription)
        with _client_errors(f"delete {subscription} in project {self.project}"):
            self.subscriber.delete_subscription(subscription=path, retry=None, timeout=RPC_SECONDS)

    def listen(self, topic: str, count: float = inf, within: float = inf) -> Iterator[Received]:
        """Acknowledge and yield messages of an outgoing topic as they arrive.

        Ends after `count` messages or `within` seconds.
        """
        subscription, deadline, seen = topic + LISTEN_SUFFIX, time.monotonic() + within, 0
        while seen < count and (left := deadline - time.monotonic()) > 0:
            for message in self.pull(subscription, 1, min(left, PULL_SECONDS)):
                self.ack(subscription, [message])
                seen += 1
                yield message

    def receive(self, topic: str, count: int = 1, within: float = 30.0) -> list[Received]:
        """The next `count` messages of an outgoing topic, acknowledged; fewer if `within` seconds pass first."""
        return list(self.listen(topic, count, within))


def _received(delivery: Any) -> Received:
    message = delivery.message
    attributes = dict(message.attributes)
    return Received(message.message_id, message.data, attributes, message.publish_time, delivery.ack_id)


def _in_chunks(received: Sequence[Received]) -> Iterator[list[str]]:
    ids = [message.ack_id for message in received]
    for start in range(0, len(ids), ACKS_PER_REQUEST):
        yield ids[start : start + ACKS_PER_REQUEST]


@contextmanager
def _client_errors(action: str) -> Iterator[None]:
    """Convert errors of Google's client into an `InfraError` that names the failed action."""
    try:
        yield
    except exceptions.NotFound as error:
        raise InfraError(f"cannot {action}: it does not exist there") from error
    except exceptions.GoogleAPICallError as error:
        raise InfraError(f"cannot {action}: {error.message}") from error
