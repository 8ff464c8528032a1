"""An inbox: a filtered subscription of one smoke test, which expires by itself if the test is killed."""

import time
from types import TracebackType
from typing import Self

from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1.types import ExpirationPolicy, Subscription

from infra.remote.pubsub import PULL_SECONDS, Bus

EXPIRY = Duration(seconds=86_400)
"""The time without a pull after which Pub/Sub removes the subscription: a day, the least that it allows.

See https://cloud.google.com/pubsub/docs/subscription-properties#expiration_period.
"""
RETENTION = Duration(seconds=600)
"""The time for which Pub/Sub keeps a message that is not pulled: 10 minutes, the least that it allows."""


class Inbox:
    """The messages of one topic that pass a filter, while the block runs.

    Raises `InfraError` where Pub/Sub fails.
    """

    def __init__(self, bus: Bus, topic: str, name: str, filter_: str) -> None:
        self._bus = bus
        self._name = name
        self._wanted = Subscription(
            name=bus.subscription_path(name),
            topic=bus.topic_path(topic),
            filter=filter_,
            expiration_policy=ExpirationPolicy(ttl=EXPIRY),
            message_retention_duration=RETENTION,
        )
        self._users: set[str] = set()

    def __enter__(self) -> Self:
        self._bus.create_subscription(self._wanted)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bus.delete_subscription(self._name)

    def wait_for(self, user: str, until: float) -> bool:
        """Wait for a message about a user until `time.monotonic()` is `until`. True if there is one."""
        while user not in self._users and (left := until - time.monotonic()) > 0:
            received = self._bus.pull(self._name, wait=min(left, PULL_SECONDS))
            self._bus.ack(self._name, received)
            self._users.update(message.json["user_id"] for message in received)
        return user in self._users
