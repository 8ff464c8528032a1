"""One tick's sweep of one shard: pages of due users, a message for each user, the cursor saved after each page.

The cursor stays behind the present by the longest commit, so that nobody can become due behind it. It remembers
the users ahead of it who were sent a message, so that they are not sent another.
"""

from collections.abc import Callable
from contextlib import aclosing
from datetime import datetime, timedelta

from shared.contracts.outbound.message import Message
from shared.contracts.topics import Topic
from shared.domain.errors import Conflict, Transient
from shared.domain.events import cause_of
from shared.domain.instants import BEGINNING_OF_TIME
from shared.ports import Cursor, DueUser, DueUsers, Lease, Publisher, StoredCursor

# A page is one publish request: half of the 1,000 messages that Pub/Sub accepts per request.
# https://cloud.google.com/pubsub/quotas#resource_limits
PAGE_SIZE = 500
LONGEST_COMMIT = timedelta(seconds=60)
"""The longest time from the instant for which a function computes a due time until its commit can be read.

In between are at most three calls of 10 s: for the catalog, to publish what the document has no room for, and to
commit. The rest allows for a commit whose answer did not arrive, and for clocks of instances that differ.
"""
MAX_TOLD = 4_000
"""The number of messages that a cursor remembers, at 40 bytes each.

All further users of the shard wait until they have been due for `LONGEST_COMMIT` and need not be remembered.
"""
LEASE = timedelta(minutes=4)
"""The time for which a tick may hold a shard without a sign of life: longer than the function's time-out."""
RESTART_INTERVAL = timedelta(hours=1)
"""The age at which a pass over a shard starts again from the oldest due user, once the shard is swept to its end.

The new pass reaches the users whose message had no effect.
"""
TWICE = "another delivery of this tick is at work"
"""The reason for not acknowledging a delivery of a tick although nothing failed."""
START = DueUser(BEGINNING_OF_TIME, "")
"""The position before all users."""


def cursor_of(stored: StoredCursor, now: datetime) -> Cursor:
    """The stored cursor, or a new one at the start."""
    return stored.cursor or Cursor(START, now)


def lease_from(now: datetime, holder: str) -> Lease:
    """A lease that begins now."""
    return Lease(holder, now + LEASE)


def is_held_by_another(cursor: Cursor, tick_id: str, now: datetime) -> bool:
    """True if another tick has a lease on the shard that has not ended."""
    lease = cursor.lease
    return lease is not None and lease.holder != tick_id and lease.until > now


class ShardSweep:
    """Publishes a message for each user of a shard who is due at `now`, and counts them in `told`."""

    def __init__(self, due_users: DueUsers, publisher: Publisher, shard: int, tick_id: str, now: datetime) -> None:
        self.due_users = due_users
        self.publisher = publisher
        self.shard = shard
        self.tick_id = tick_id
        self.now = now
        self.settled = DueUser(now - LONGEST_COMMIT, "")
        """Every user due before this position can be read by now, and nobody can be added."""
        self.lease = lease_from(now, tick_id)
        self.told = 0
        self.cursor: Cursor
        self.version: object | None

    async def run(self, stored: StoredCursor, is_time_up: Callable[[], bool]) -> bool:
        """Sweep the shard from its cursor to its end or until time is up. Returns False if users may be left.

        A shard that another tick holds counts as done, because that tick publishes what is left of it. Raises
        `Transient` if another delivery of this tick is at work on it.
        """
        cursor = cursor_of(stored, self.now)
        if is_held_by_another(cursor, self.tick_id, self.now):
            return True
        self.cursor, self.version = self._restarted_if_old(cursor), stored.version
        try:
            return await self._sweep(is_time_up)
        except Conflict:
            saved = await self.due_users.load_cursor(self.shard)
            lease = cursor_of(saved, self.now).lease
            if lease and lease.holder == self.tick_id:
                raise Transient(TWICE) from None
            return True

    def _restarted_if_old(self, cursor: Cursor) -> Cursor:
        """The cursor, at the start of a new pass if its pass is old and no unfinished sweep is continued."""
        if cursor.lease and cursor.lease.holder == self.tick_id:
            return cursor
        if self.now - cursor.pass_started_at < RESTART_INTERVAL:
            return cursor
        recent = {id_: due_at for id_, due_at in cursor.told.items() if due_at >= self.settled.next_due_at}
        return cursor._replace(last=START, pass_started_at=self.now, told=recent)

    async def _sweep(self, is_time_up: Callable[[], bool]) -> bool:
        async with aclosing(self.due_users.due(self.shard, self.cursor.last, self.now, PAGE_SIZE)) as pages:
            async for page in pages:
                if not self._has_room_for(page):
                    break
                is_last = len(page) < PAGE_SIZE
                await self._tell(page, is_last=is_last)
                if is_time_up() and not is_last:
                    return False
        if self.cursor.lease:
            await self._save(self.cursor._replace(lease=None))
        return True

    def _has_room_for(self, page: list[DueUser]) -> bool:
        """True if the cursor can remember those users of the page whom it must."""
        return page[-1] < self.settled or len(self.cursor.told) + len(page) <= MAX_TOLD

    async def _tell(self, page: list[DueUser], *, is_last: bool) -> None:
        """Publish the messages that were not published yet, under a lease, and move the cursor."""
        messages = [due_message(user) for user in page]
        if news := [message for message in messages if message.message_id not in self.cursor.told]:
            if self.cursor.lease != self.lease:
                await self._save(self.cursor._replace(lease=self.lease))
            await self.publisher.publish(news)
            self.told += len(news)
        last = max(self.cursor.last, self.settled if is_last else min(page[-1], self.settled))
        told = {id_: due_at for id_, due_at in self.cursor.told.items() if due_at >= last.next_due_at}
        told |= {m.message_id: user.next_due_at for m, user in zip(messages, page, strict=True) if user > last}
        moved = self.cursor._replace(last=last, told=told, lease=None if is_last else self.cursor.lease)
        if moved != self.cursor:
            await self._save(moved)

    async def _save(self, cursor: Cursor) -> None:
        self.version = await self.due_users.save_cursor(self.shard, cursor, self.version)
        self.cursor = cursor


def due_message(user: DueUser) -> Message:
    """The message that reports a user as due. It is always the same for the same user and instant."""
    event_id, due_at = due_id(user), user.next_due_at.isoformat()
    body = {"event_id": event_id, "user_id": user.user_id, "occurred_at": due_at}
    return Message(Topic.LIFECYCLE_DUE, event_id, body)


def due_id(user: DueUser) -> str:
    """The id of the message that reports a user as due."""
    return cause_of(Topic.LIFECYCLE_DUE, user.user_id, user.next_due_at.isoformat())
