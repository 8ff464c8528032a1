"""The clock's tick: finds the users for whom something is due, and sends each a message of their own."""

import asyncio
from datetime import datetime, timedelta

from shared.contracts.outbound.messages import Message
from shared.contracts.topics import Topic
from shared.domain.events import cause_of
from shared.ports import Clock, Cursor, DueUser, DueUsers, Publisher

PAGE = 500
BUDGET = timedelta(seconds=45)
"""How long one tick may take, so that it is over before the next one comes."""
RESTART = timedelta(hours=1)
"""How often a shard is read from its oldest again, for those whose message came to nothing."""


class Ticker:
    """Turns what is due into messages; it changes no user's document."""

    def __init__(self, due_users: DueUsers, publisher: Publisher, clock: Clock) -> None:
        self.due_users = due_users
        self.publisher = publisher
        self.clock = clock

    async def tick(self, shards: tuple[int, ...]) -> int:
        """Publish a `lifecycle-due` message for each user due now in these shards, and return how many.

        It goes on where the last tick stopped, so that a document that fails for ever holds up nobody. Raises
        `Transient` where store or bus do not answer; the other shards are looked at all the same, and the next
        tick finds what this one left.
        """
        now = self.clock.now()
        ticks = (self._tick_shard(shard, now) for shard in shards)
        published = 0
        for came in await asyncio.gather(*ticks, return_exceptions=True):
            if isinstance(came, BaseException):
                raise came
            published += came
        return published

    async def _tick_shard(self, shard: int, now: datetime) -> int:
        cursor = await self.due_users.load_cursor(shard)
        resumes = cursor is not None and now - cursor.began_at < RESTART
        began_at = cursor.began_at if cursor and resumes else now
        last = cursor.last if cursor and resumes else None
        published = 0
        while page := await self.due_users.due(shard, now, last, PAGE):
            await self.publisher.publish([_due_message(user) for user in page])
            last = page[-1]
            published += len(page)
            await self.due_users.save_cursor(shard, Cursor(last, began_at))
            if len(page) < PAGE or self.clock.now() - now > BUDGET:
                break
        return published


def _due_message(user: DueUser) -> Message:
    """The message that says a user is due; of one user and instant it is always the same."""
    due_at = user.next_due_at.isoformat()
    event_id = cause_of(Topic.LIFECYCLE_DUE, user.user_id, due_at)
    body = {"event_id": event_id, "user_id": user.user_id, "occurred_at": due_at}
    return Message(Topic.LIFECYCLE_DUE, event_id, body)
