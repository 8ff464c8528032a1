"""The use case for a tick of the clock: sweep shards for due users until time is up, then pass on what is left.

A tick that leaves shards publishes the next tick for exactly these, and leases them to it first. A regular tick
that finds one of its shards leased, or at work in its process, does nothing: a second chain of ticks would only
slow down the first. The next tick of a chain always works, because its shards are leased to it, and so does a
regular one that is delivered again and holds a shard from before: nobody else could return it.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from shared.application.shard_sweep import TWICE, ShardSweep, cursor_of, is_held_by_another, lease_from
from shared.contracts.outbound.message import Message
from shared.contracts.topics import Topic
from shared.domain.errors import Conflict, Transient
from shared.domain.events import cause_of
from shared.ports import Clock, DueUsers, Publisher, StoredCursor

SHARDS_AT_ONCE = 2
"""The number of shards that a tick sweeps at once: while one waits for the store, the other publishes."""
TICK_BUDGET = timedelta(seconds=30)
"""The time after which a tick starts no further page. The time limits of calls bound what it does after that."""


class Ticked(NamedTuple):
    """The result of one tick."""

    due_users: int
    """Users for whom a message was published."""
    left: tuple[int, ...]
    """The shards passed on to the next tick, in ascending order."""


class Ticker:
    """Publishes a message for every due user. It changes no user's document."""

    def __init__(
        self,
        due_users: DueUsers,
        publisher: Publisher,
        clock: Clock,
        at_work: Counter[int | str] | None = None,
    ) -> None:
        self.due_users = due_users
        self.publisher = publisher
        self.clock = clock
        self.at_work = Counter() if at_work is None else at_work
        """The number of ticks that this process runs at present, by shard and by the tick's id."""

    async def tick(self, shards: tuple[int, ...], tick_id: str = "", *, continues: bool = False) -> Ticked:
        """Publish a `lifecycle-due` message for each user due in these shards, and the next tick for what is left.

        `continues` says that the tick is such a next one, and no regular one.
        Raises `Transient` if the store or the bus did not answer for some shard. The other shards are swept
        nevertheless, but nothing is passed on: the tick itself is delivered again, and goes on where it stopped.
        Also raises it if another delivery of the same tick is at work, which may fail yet: were this one
        acknowledged, nobody would deliver the tick again, and its shards would stay leased.
        """
        own = tuple(dict.fromkeys(shards))
        if tick_id and self.at_work[tick_id]:
            raise Transient(TWICE)
        yields = not continues and any(self.at_work[shard] for shard in own)
        run = _Run(self, tick_id, own, continues=continues, yields=yields)
        names: tuple[int | str, ...] = (*own, tick_id)
        self.at_work.update(names)
        try:
            left = await run.sweep()
        finally:
            self.at_work.subtract(names)
        if left:
            body = {"tick_id": run.next_id, "shards": list(left)}
            await self.publisher.publish([Message(Topic.LIFECYCLE_CLOCK, run.next_id, body)])
        return Ticked(run.told, left)


class _Run:
    """One tick at work: the shards still to be swept, and the results so far."""

    def __init__(
        self, ticker: Ticker, tick_id: str, shards: tuple[int, ...], *, continues: bool, yields: bool
    ) -> None:
        self.ticker = ticker
        self.tick_id = tick_id
        self.shards = shards
        self.continues = continues
        self.yields = yields
        """True if another tick of this process is at work on some of the shards."""
        self.next_id = cause_of(Topic.LIFECYCLE_CLOCK, tick_id)
        self.started_at = ticker.clock.now()
        self.told = 0
        self.unfinished: list[int] = []
        self.failures: list[Exception] = []

    def is_time_up(self) -> bool:
        """True if no further page is to be started."""
        return self.ticker.clock.now() - self.started_at > TICK_BUDGET

    async def sweep(self) -> tuple[int, ...]:
        """Sweep the shards, and lease those that are left to the next tick. Returns the latter."""
        cursors = await self._cursors()
        leases = [cursor_of(stored, self.started_at).lease for _, stored in cursors]
        began_before = any(lease and lease.holder == self.tick_id for lease in leases)
        if not self.continues and not began_before and (self.yields or self._are_held(cursors)):
            return ()
        waiting = iter(cursors)
        await asyncio.gather(*(self._work(waiting) for _ in range(SHARDS_AT_ONCE)))
        if self.failures:
            raise self._failure()
        reserved = await asyncio.gather(*(self._reserve(shard) for shard in sorted(self.unfinished)))
        return tuple(shard for shard in reserved if shard is not None)

    def _are_held(self, cursors: list[tuple[int, StoredCursor]]) -> bool:
        """True if another tick holds one of the shards."""
        now = self.started_at
        return any(is_held_by_another(cursor_of(stored, now), self.tick_id, now) for _, stored in cursors)

    async def _cursors(self) -> list[tuple[int, StoredCursor]]:
        """The cursors of the shards, less those that cannot be loaded."""
        found = await asyncio.gather(
            *(self.ticker.due_users.load_cursor(shard) for shard in self.shards), return_exceptions=True
        )
        self.failures += [error for error in found if isinstance(error, Exception)]
        return [
            (shard, one) for shard, one in zip(self.shards, found, strict=True) if isinstance(one, StoredCursor)
        ]

    async def _work(self, waiting: Iterator[tuple[int, StoredCursor]]) -> None:
        """Sweep one waiting shard after the other, and note those for which no time is left."""
        for shard, stored in waiting:
            if self.is_time_up():
                self.unfinished.append(shard)
                continue
            sweep = ShardSweep(self.ticker.due_users, self.ticker.publisher, shard, self.tick_id, self.started_at)
            try:
                if not await sweep.run(stored, self.is_time_up):
                    self.unfinished.append(shard)
            except Exception as error:  # no shard holds up another: `tick` raises it in the end
                self.failures.append(error)
            self.told += sweep.told

    async def _reserve(self, shard: int) -> int | None:
        """Lease a shard to the next tick. Returns the shard, or None if that is impossible."""
        now = self.ticker.clock.now()
        try:
            stored = await self.ticker.due_users.load_cursor(shard)
            cursor = cursor_of(stored, now)
            if is_held_by_another(cursor, self.tick_id, now):
                return None
            cursor = cursor._replace(lease=lease_from(now, self.next_id))
            await self.ticker.due_users.save_cursor(shard, cursor, stored.version)
        except Conflict:
            return None
        return shard

    def _failure(self) -> Exception:
        """The error of a tick in which some shards failed: a bug, else `Transient` with what was done and left."""
        first = next((error for error in self.failures if not isinstance(error, Transient)), self.failures[0])
        if not isinstance(first, Transient):
            return first
        failed, left = len(self.failures), len(self.unfinished)
        return Transient(f"{first}; {self.told} users were told, {failed} shards failed, {left} are left")
