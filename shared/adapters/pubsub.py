"""Messages out through Pub/Sub."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence

import grpc
from google.api_core import exceptions
from google.pubsub_v1 import PublisherAsyncClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from google.pubsub_v1.types import PubsubMessage

from shared.contracts.messages import Message
from shared.domain.errors import Transient

RPC_SECONDS = 10.0
MAX_REQUEST_MESSAGES = 500
"""Half of what Pub/Sub takes in one request; our messages are far below its 10 MB each time."""


class PubsubPublisher:
    """One request a topic, all at once; returns when Pub/Sub has accepted every message."""

    def __init__(self, client: PublisherAsyncClient, project: str) -> None:
        self.client = client
        self.project = project

    async def publish(self, messages: Sequence[Message]) -> None:
        """See `Publisher.publish`."""
        by_topic: dict[str, list[PubsubMessage]] = defaultdict(list)
        for message in messages:
            by_topic[message.topic].append(PubsubMessage(data=message.data(), attributes=message.attributes()))
        requests = [
            self._send(topic, batch[start : start + MAX_REQUEST_MESSAGES])
            for topic, batch in by_topic.items()
            for start in range(0, len(batch), MAX_REQUEST_MESSAGES)
        ]
        try:
            await asyncio.gather(*requests)
        except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
            raise Transient(f"Pub/Sub: {type(error).__name__}") from error

    async def _send(self, topic: str, batch: list[PubsubMessage]) -> None:
        path = f"projects/{self.project}/topics/{topic}"
        await self.client.publish(topic=path, messages=batch, timeout=RPC_SECONDS)


def publisher_client(environ: Mapping[str, str]) -> PublisherAsyncClient:
    """Pub/Sub's client: the emulator's where `PUBSUB_EMULATOR_HOST` names one. Call it inside a running loop."""
    host = environ.get("PUBSUB_EMULATOR_HOST")
    if not host:
        return PublisherAsyncClient()
    channel = grpc.aio.insecure_channel(host)
    return PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel))
