"""Publishing to Pub/Sub."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import grpc
from google.pubsub_v1 import PublisherAsyncClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from google.pubsub_v1.types import PublishRequest, PubsubMessage

from shared.adapters.gcp.rpc import RECONNECT, RPC_SECONDS, rpc
from shared.contracts.outbound.message import Message
from shared.observability.trace import trace_attributes

# Pub/Sub accepts 1,000 messages and 10 MB per request. 500 of Upbeat's messages are far below 10 MB.
# https://cloud.google.com/pubsub/quotas#resource_limits
MAX_REQUEST_MESSAGES = 500

# The protobuf classes behind the proto-plus wrappers, whose objects take 25 µs longer to create, per message.
# https://proto-plus-python.readthedocs.io
MESSAGE_PROTO, REQUEST_PROTO = PubsubMessage.pb(), PublishRequest.pb()


class PubsubPublisher:
    """Publishes with one request per topic, all in parallel, within `timeout_seconds` in all."""

    def __init__(self, client: PublisherAsyncClient, project: str, timeout_seconds: float = RPC_SECONDS) -> None:
        self.client = client
        self.project = project
        self.timeout_seconds = timeout_seconds

    async def publish(self, messages: Sequence[Message]) -> None:
        """See `Publisher.publish`. If a request fails, the other requests are still awaited."""
        if not messages:
            return
        trace = trace_attributes()
        by_topic: dict[str, list[Any]] = defaultdict(list)
        for message in messages:
            by_topic[message.topic].append(
                MESSAGE_PROTO(data=message.data, attributes=message.attributes() | trace)
            )
        requests = [
            self._send(topic, batch[start : start + MAX_REQUEST_MESSAGES])
            for topic, batch in by_topic.items()
            for start in range(0, len(batch), MAX_REQUEST_MESSAGES)
        ]
        async with rpc("Pub/Sub", self.timeout_seconds):
            for failure in filter(None, await asyncio.gather(*requests, return_exceptions=True)):
                raise failure

    async def _send(self, topic: str, batch: list[Any]) -> None:
        request = REQUEST_PROTO(topic=f"projects/{self.project}/topics/{topic}", messages=batch)
        await self.client.publish(PublishRequest(request), retry=RECONNECT)


def publisher_client(environ: Mapping[str, str]) -> PublisherAsyncClient:
    """A client of the emulator at `PUBSUB_EMULATOR_HOST` if set, else of Pub/Sub. Requires a running loop."""
    host = environ.get("PUBSUB_EMULATOR_HOST")
    if not host:
        return PublisherAsyncClient()
    channel = grpc.aio.insecure_channel(host)
    return PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel))
