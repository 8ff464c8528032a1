"""A small synchronous face of Pub/Sub, for the command line and for tests."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Any

import grpc
from google.api_core import exceptions
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.pubsub_v1.types import PubsubMessage

from infra.errors import InfraError
from infra.remote.endpoints import Endpoints

RPC_SECONDS = 10.0
PULL_SECONDS = 2.0
"""How long one pull waits for a first message; the emulator answers one second before that."""
ACKS_PER_REQUEST = 500
LISTEN_SUFFIX = "-listen"


@dataclass(frozen=True, slots=True)
class Received:
    """One message as a subscription delivered it."""

    message_id: str
    data: bytes
    attributes: Mapping[str, str]
    publish_time: datetime
    ack_id: str

    @property
    def json(self) -> Any:
        """The data as JSON. Raises `ValueError` where it is none."""
        return json.loads(self.data)


class Bus:
    """The Pub/Sub of one project. Every method raises `InfraError` where Pub/Sub does not do as asked."""

    def __init__(self, project: str, publisher: PublisherClient, subscriber: SubscriberClient) -> None:
        self.project = project
        self.publisher = publisher
        self.subscriber = subscriber

    @classmethod
    def of_emulator(cls, endpoints: Endpoints) -> "Bus":
        """The bus of a local runtime."""
        channel = grpc.insecure_channel(endpoints.pubsub_host)
        publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        return cls(endpoints.project, publisher, subscriber)

    @classmethod
    def of_cloud(cls, project: str) -> "Bus":
        """The real bus of a project, with the application default credentials."""
        return cls(project, PublisherClient(), SubscriberClient())

    def close(self) -> None:
        """Close the connection."""
        self.publisher.transport.close()  # type: ignore[no-untyped-call]
        self.subscriber.transport.close()  # type: ignore[no-untyped-call]

    def topic_path(self, topic: str) -> str:
        """The topic's full name."""
        return f"projects/{self.project}/topics/{topic}"

    def subscription_path(self, subscription: str) -> str:
        """The subscription's full name."""
        return f"projects/{self.project}/subscriptions/{subscription}"

    def publish(self, topic: str, data: bytes, attributes: Mapping[str, str] | None = None) -> str:
        """Publish one message; its id, once Pub/Sub has it."""
        message = PubsubMessage(data=data, attributes=dict(attributes or {}))
        with _told_apart(f"publish to {topic} in project {self.project}"):
            answer = self.publisher.publish(
                topic=self.topic_path(topic), messages=[message], retry=None, timeout=RPC_SECONDS
            )
        return str(answer.message_ids[0])

    def pull(self, subscription: str, count: int = 100, wait: float = PULL_SECONDS) -> list[Received]:
        """Up to `count` messages, unacknowledged; none where none came within `wait` seconds."""
        with _told_apart(f"pull from {subscription} in project {self.project}"):
            try:
                answer = self.subscriber.pull(
                    subscription=self.subscription_path(subscription), max_messages=count, retry=None, timeout=wait
                )
            except exceptions.DeadlineExceeded:
                return []
        return [_received(each) for each in answer.received_messages]

    def ack(self, subscription: str, received: Sequence[Received]) -> None:
        """Acknowledge: these messages will not come again."""
        path = self.subscription_path(subscription)
        with _told_apart(f"acknowledge on {subscription} in project {self.project}"):
            for ids in _in_chunks(received):
                self.subscriber.acknowledge(subscription=path, ack_ids=ids, retry=None, timeout=RPC_SECONDS)

    def release(self, subscription: str, received: Sequence[Received]) -> None:
        """Give back what was pulled, so that it comes again at once."""
        request = {"subscription": self.subscription_path(subscription), "ack_deadline_seconds": 0}
        with _told_apart(f"give back to {subscription} in project {self.project}"):
            for ids in _in_chunks(received):
                self.subscriber.modify_ack_deadline(
                    request={**request, "ack_ids": ids}, retry=None, timeout=RPC_SECONDS
                )

    def listen(self, topic: str, count: float = inf, within: float = inf) -> Iterator[Received]:
        """Messages of an outgoing topic as they come, acknowledged; `count` of them, or for `within` seconds."""
        subscription, deadline, seen = topic + LISTEN_SUFFIX, time.monotonic() + within, 0
        while seen < count and (left := deadline - time.monotonic()) > 0:
            for message in self.pull(subscription, 1, min(left, PULL_SECONDS)):
                self.ack(subscription, [message])
                seen += 1
                yield message

    def receive(self, topic: str, count: int = 1, within: float = 30.0) -> list[Received]:
        """The next `count` messages of an outgoing topic, acknowledged; fewer if `within` seconds pass before."""
        return list(self.listen(topic, count, within))


def _received(each: Any) -> Received:
    message = each.message
    when = message.publish_time
    return Received(message.message_id, message.data, dict(message.attributes), when, each.ack_id)


def _in_chunks(received: Sequence[Received]) -> Iterator[list[str]]:
    ids = [message.ack_id for message in received]
    for start in range(0, len(ids), ACKS_PER_REQUEST):
        yield ids[start : start + ACKS_PER_REQUEST]


@contextmanager
def _told_apart(what: str) -> Iterator[None]:
    """Turn an error of the client into one that says what was tried."""
    try:
        yield
    except exceptions.NotFound as error:
        raise InfraError(f"cannot {what}: it does not exist there") from error
    except exceptions.GoogleAPICallError as error:
        raise InfraError(f"cannot {what}: {error.message}") from error
