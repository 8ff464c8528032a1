"""The use case for a tick of the clock: find the due users, and publish one message for each."""

import asyncio
from datetime import datetime, timedelta

from shared.contracts.outbound.message import Message
from shared.contracts.topics import Topic
from shared.domain.events import cause_of
from shared.ports import Clock, Cursor, DueUser, DueUsers, Publisher

# A page is one query and one publish request: half of the 1,000 messages that Pub/Sub accepts per request.
# https://cloud.google.com/pubsub/quotas#resource_limits
PAGE_SIZE = 500
TICK_BUDGET = timedelta(seconds=45)
"""The time after which a tick starts no further page, so that it ends before the next one, a minute after it."""
RESTART_INTERVAL = timedelta(hours=1)
"""The age at which a pass over a shard starts again from the oldest due user.

The new pass reaches the users whose message had no effect, and those who became due behind the cursor.
"""


class Ticker:
    """Publishes a message for every due user. It changes no user's document."""

    def __init__(self, due_users: DueUsers, publisher: Publisher, clock: Clock) -> None:
        self.due_users = due_users
        self.publisher = publisher
        self.clock = clock

    async def tick(self, shards: tuple[int, ...]) -> int:
        """Publish a `lifecycle-due` message for each user due now in these shards, and return their number.

        Each shard continues where its last tick stopped, so that a document that always fails delays nobody else.
        Raises `Transient` if the store or the bus does not answer for some shard. All other shards are processed
        anyway, and the next tick finds the users that this one missed.
        """
        now = self.clock.now()
        ticks = (self._tick_shard(shard, now) for shard in shards)
        published = 0
        for result in await asyncio.gather(*ticks, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result
            published += result
        return published

    async def _tick_shard(self, shard: int, now: datetime) -> int:
        cursor = await self.due_users.load_cursor(shard)
        resumes = cursor is not None and now - cursor.pass_started_at < RESTART_INTERVAL
        pass_started_at = cursor.pass_started_at if cursor and resumes else now
        last = cursor.last if cursor and resumes else None
        published = 0
        while page := await self.due_users.due(shard, now, last, PAGE_SIZE):
            await self.publisher.publish([_due_message(user) for user in page])
            last = page[-1]
            published += len(page)
            await self.due_users.save_cursor(shard, Cursor(last, pass_started_at))
            if len(page) < PAGE_SIZE or self.clock.now() - now > TICK_BUDGET:
                break
        return published


def _due_message(user: DueUser) -> Message:
    """The message that reports a user as due. It is always the same for the same user and instant."""
    due_at = user.next_due_at.isoformat()
    event_id = cause_of(Topic.LIFECYCLE_DUE, user.user_id, due_at)
    body = {"event_id": event_id, "user_id": user.user_id, "occurred_at": due_at}
    return Message(Topic.LIFECYCLE_DUE, event_id, body)
