"""The agenda of a replay: the next due time over all users, for a clock that jumps instead of ticking.

It is the future event list of a discrete-event simulation.
"""

from datetime import datetime
from heapq import heappop, heappush

from shared.ports import Loaded, Records
from shared.record.codec import Packing


class Agenda:
    """`Records` that keep when each user is due.

    Every commit must go through the agenda: a commit that bypasses it leaves a wrong due time in it.
    """

    def __init__(self, records: Records) -> None:
        self.records = records
        self._due_at: dict[str, datetime] = {}
        self._entries: list[tuple[datetime, str]] = []
        """A heap. An entry that a later commit made obsolete stays until it reaches the top."""

    async def load(self, user_id: str) -> Loaded:
        """Load a record; see `Records.load`."""
        return await self.records.load(user_id)

    async def commit(self, packing: Packing, version: object | None) -> None:
        """Commit a record and keep its due time; see `Records.commit`."""
        await self.records.commit(packing, version)
        user_id, due_at = packing.record.user_id, packing.record.next_due_at
        if due_at is None:
            self._due_at.pop(user_id, None)
        elif self._due_at.get(user_id) != due_at:
            self._due_at[user_id] = due_at
            heappush(self._entries, (due_at, user_id))

    def next_due(self) -> datetime | None:
        """The earliest due time of any user (UTC); None if no user is due."""
        while self._entries and not self.is_due(*self._entries[0]):
            heappop(self._entries)
        return self._entries[0][0] if self._entries else None

    def is_due(self, at: datetime, user_id: str) -> bool:
        """True if the user is due at exactly this instant."""
        return self._due_at.get(user_id) == at

    def take(self, at: datetime) -> set[str]:
        """Remove and return the users who are due at `at`, the instant that `next_due` returned."""
        users = set()
        while self.next_due() == at:
            users.add(heappop(self._entries)[1])
        return users
