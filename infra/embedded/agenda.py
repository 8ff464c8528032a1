"""The agenda of a replay: when something is next due, for a clock that jumps instead of ticking."""

from datetime import datetime
from heapq import heappop, heappush

from shared.domain.due_shards import due_shard
from shared.ports import Document, Stored, Subscriptions


class Agenda:
    """`Subscriptions` that notes who is due when. It must see every commit, so nobody else may write."""

    def __init__(self, subscriptions: Subscriptions) -> None:
        self.subscriptions = subscriptions
        self._due_at: dict[str, datetime] = {}
        self._entries: list[tuple[datetime, str]] = []
        """A heap; an entry that a later commit has overtaken stays until its turn comes."""

    async def load(self, user_id: str) -> Stored:
        """See `Subscriptions.load`."""
        return await self.subscriptions.load(user_id)

    async def commit(self, document: Document, version: object | None) -> None:
        """See `Subscriptions.commit`."""
        await self.subscriptions.commit(document, version)
        user_id, due_at = document.user_id, document.next_due_at
        if due_at is None:
            self._due_at.pop(user_id, None)
        elif self._due_at.get(user_id) != due_at:
            self._due_at[user_id] = due_at
            heappush(self._entries, (due_at, user_id))

    def next_due(self) -> datetime | None:
        """When something is next due; None where nothing is."""
        while self._entries and not self.is_due(*self._entries[0]):
            heappop(self._entries)
        return self._entries[0][0] if self._entries else None

    def is_due(self, at: datetime, user_id: str) -> bool:
        """Whether that is when this user is due."""
        return self._due_at.get(user_id) == at

    def take(self, at: datetime) -> set[str]:
        """The users who are due at the instant that `next_due` gave; they leave the agenda."""
        users = set()
        while self.next_due() == at:
            users.add(heappop(self._entries)[1])
        return users


def shards_of(users: set[str]) -> list[int]:
    """The due shards of these users, each once, in order."""
    return sorted({due_shard(user_id) for user_id in users})
