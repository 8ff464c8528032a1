"""Publishing to Pub/Sub over bare gRPC, where what is published at once shares requests."""

import asyncio
from collections.abc import Sequence

from shared.adapters.coalescer import Coalescer, Limits
from shared.adapters.gcp.connection import PUBSUB, Connection, routing
from shared.adapters.gcp.protos.pubsub_pb2 import PublishRequest, PublishResponse, PubsubMessage
from shared.adapters.gcp.rpc import RPC_SECONDS, is_refusal, repeated, rpc
from shared.contracts.outbound.message import Message
from shared.observability.trace import trace_attributes

# Pub/Sub takes 1,000 messages and 10 MB a request: https://cloud.google.com/pubsub/quotas#resource_limits.
MAX_REQUEST_MESSAGES = 1000
MAX_REQUEST_BYTES = 4_000_000
"""The size above which no further message is added to a request. A larger message is sent alone."""


class PubsubPublisher:
    """Publishes all messages of a topic that wait at a time in one request. A call ends within `seconds`."""

    def __init__(self, connection: Connection, project: str, seconds: float = RPC_SECONDS) -> None:
        self.connection = connection
        self.project = project
        self.seconds = seconds
        self._publish = connection.unary("/google.pubsub.v1.Publisher/Publish", PublishRequest, PublishResponse)
        self._topics: dict[str, Coalescer[PubsubMessage, str]] = {}
        """By topic: a request has one topic, and topics do not wait for each other."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """See `Publisher.publish`. If a request fails, the other requests are still awaited."""
        if not messages:
            return
        trace = trace_attributes()
        answers = [
            self._topic(message.topic).ask(
                PubsubMessage(data=message.data, attributes=message.attributes() | trace)
            )
            for message in messages
        ]
        async with rpc(PUBSUB, self.seconds):
            for answer in await asyncio.gather(*answers, return_exceptions=True):
                if isinstance(answer, BaseException):
                    raise answer

    def _topic(self, topic: str) -> Coalescer[PubsubMessage, str]:
        """The coalescer of a topic, whose answers are the ids that Pub/Sub gave to the messages."""
        known = self._topics.get(topic)
        if known is None:
            path = f"projects/{self.project}/topics/{topic}"

            async def send(messages: list[PubsubMessage]) -> Sequence[str]:
                return await repeated(lambda: self._send(path, messages))

            limits = Limits(MAX_REQUEST_MESSAGES, MAX_REQUEST_BYTES, self.seconds)
            known = Coalescer(send, limits, PubsubMessage.ByteSize, is_refusal=is_refusal)
            self._topics[topic] = known
        return known

    async def _send(self, path: str, messages: list[PubsubMessage]) -> Sequence[str]:
        """Publish to one topic."""
        headers = (routing(topic=path), *await self.connection.authorization.headers())
        request = PublishRequest(topic=path, messages=messages)
        answer: PublishResponse = await self._publish(request, timeout=self.seconds, metadata=headers)
        return list(answer.message_ids)
