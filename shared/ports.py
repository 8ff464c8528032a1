"""What the application needs of the outside world; each adapter is one of these, and any can be swapped."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from shared.contracts.outbound.messages import Message
from shared.decisioning.catalog import Catalog


class Document(NamedTuple):
    """One user's document as a store keeps it: a blob, and beside it only what a query or a person needs."""

    user_id: str
    blob: bytes
    next_due_at: datetime | None
    """When the clock must look at this user; None: never."""
    summary: dict[str, str | bool | None]
    """What was last announced of the user, readable in a console."""


class Stored(NamedTuple):
    """What a load found, with the mark that lets a commit notice that somebody else was faster."""

    blob: bytes | None
    """None where the document does not exist."""
    version: object | None
    """Opaque, from the store that made it; None where the document does not exist."""


class DueUser(NamedTuple):
    """A user for whom something is due; in this order the clock pages through a shard."""

    next_due_at: datetime
    user_id: str


class Cursor(NamedTuple):
    """Where the clock stopped in a shard, and when it last began there with the oldest."""

    last: DueUser
    began_at: datetime


class Subscriptions(Protocol):
    """One document a user. A load is one read, a commit is one write, and nothing else is read or written."""

    async def load(self, user_id: str) -> Stored:
        """The user's document. Raises `Transient` where the store does not answer."""
        ...

    async def commit(self, document: Document, version: object | None) -> None:
        """Write the document if it is still at `version` (None: if it does not exist).

        Raises `Conflict` if it is not, and `Transient` where the store does not answer (the write may then
        have happened or not).
        """
        ...


class DueUsers(Protocol):
    """The index of who is due, in 64 shards, and how far the clock has come in each."""

    async def due(self, shard: int, now: datetime, after: DueUser | None, limit: int) -> list[DueUser]:
        """Users of a shard due up to `now`, in order, those after a mark; reads nothing else of a document.

        Raises `Transient` where the store does not answer; so do the other two.
        """
        ...

    async def load_cursor(self, shard: int) -> Cursor | None:
        """Where the last tick stopped, or None before the first."""
        ...

    async def save_cursor(self, shard: int, cursor: Cursor) -> None:
        """Remember where this tick stopped."""
        ...


class Publisher(Protocol):
    """The way out."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """Publish every message, and return when the bus has accepted all of them.

        Raises `Transient` if any may not have been accepted; all may then be published again.
        """
        ...


class Catalogs(Protocol):
    """Where the catalog in force comes from."""

    async def current(self) -> Catalog:
        """The newest valid catalog; while the newest is invalid, the last good one; else an empty one."""
        ...


class Clock(Protocol):
    """What time it is."""

    def now(self) -> datetime:
        """The present instant, UTC."""
        ...
