"""Ports: the interfaces through which the application reaches the outside world. Adapters implement them."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from shared.contracts.outbound.message import Message
from shared.decisioning.catalog import Catalog
from shared.decisioning.document.entries import Entry, Mistake
from shared.decisioning.document.schema import CatalogDocument
from shared.domain.features import KnownFeatures
from shared.record.codec import Packing
from shared.record.user_record import UserRecord


class Document(NamedTuple):
    """One user's document as a store keeps it: a blob, and beside it only the fields for queries and people.

    A tombstone has `erased_at` alone: of the others nothing is stored, nor is it in any index.
    """

    user_id: str
    blob: bytes | None
    """None for a tombstone."""
    next_due_at: datetime | None
    """The instant at which the clock must process this user, UTC. None means never."""
    summary: dict[str, Any]
    """The facts last announced about the user, readable in a console."""
    open_campaigns: tuple[str, ...] = ()
    """The campaigns of the triggers that were open at the commit, withheld ones included: sorted, each once."""
    erased_at: datetime | None = None
    """For a tombstone, the instant up to which the user was forgotten, UTC. None for every other document."""


class Stored(NamedTuple):
    """The result of a load, with the version that makes the next commit conditional (optimistic concurrency)."""

    blob: bytes | None
    """None if the document does not exist, and for a tombstone."""
    version: object | None
    """An opaque value from the store that made it. None if the document does not exist."""
    erased_at: datetime | None = None
    """For a tombstone, the instant up to which the user was forgotten, UTC. None for every other document."""


class Loaded(NamedTuple):
    """A user's record, with the version that makes the next commit conditional."""

    record: UserRecord
    """A new one for a user without a document."""
    version: object | None
    """An opaque value from the records that made it. None for a user without a document."""


class DueUser(NamedTuple):
    """A user for whom something is due. The clock pages through a shard in the order of these tuples."""

    next_due_at: datetime
    user_id: str


class Lease(NamedTuple):
    """The right of one tick to a shard, which keeps all other ticks from it."""

    holder: str
    """The id of the tick."""
    until: datetime
    """The instant, UTC, at which the lease ends if nobody has renewed or returned it."""


class Cursor(NamedTuple):
    """The clock's position in a shard of due users: everybody up to `last` was sent a message, and then `told`."""

    last: DueUser
    """The position behind which the next tick starts. No commit can make a user due before it any more."""
    pass_started_at: datetime
    """The instant at which the current pass over the shard started from the oldest due user, UTC."""
    told: Mapping[str, datetime] = MappingProxyType({})
    """The messages published for users behind `last`: their ids, and the due times of their users, UTC."""
    lease: Lease | None = None
    """The tick that is at work on the shard, or is about to be."""


class StoredCursor(NamedTuple):
    """The result of loading a cursor, with the version that makes the next save conditional."""

    cursor: Cursor | None
    """None before the first save."""
    version: object | None
    """An opaque value from the store that made it. None before the first save."""


class InForce(NamedTuple):
    """The catalog in force, as the pointer to it tells."""

    version: str | None
    """None if there is none."""
    token: object | None
    """An opaque value from the store that read it, which makes the next publication conditional."""


class Said(NamedTuple):
    """The record of a publication beside its content."""

    by: str | None = None
    """The person or process that puts the catalog in force; None if that is not said."""
    approved_by: str | None = None
    """The second person, or persons; None if nobody approved it."""
    emergency: str | None = None
    """The reason for which it goes in force without a second person; None if it did not need one."""


class SyncState(NamedTuple):
    """The progress of the syncs from one source."""

    asked: int = 0
    """The requests for a sync that came so far."""
    served: int = 0
    """The number of `asked` that the last finished sync had seen: those requests are done."""
    lease: Lease | None = None
    """The sync under way, which also serves who asks meanwhile."""
    version: str | None = None
    """The version of the last valid catalog that was read, whether it awaits an approval or not."""
    authors: tuple[str, ...] = ()
    """The people whose requests are not done yet, or led to no valid catalog."""


class StoredSync(NamedTuple):
    """The result of loading a state, with the version that makes the next save conditional."""

    state: SyncState
    version: object | None
    """An opaque value from the store that made it. None before the first save."""


class Subscriptions(Protocol):
    """A store with one document per user. A load is one read, a commit is one write; there is no other access."""

    async def load(self, user_id: str) -> Stored:
        """The user's document. Raises `Transient` if the store does not answer."""
        ...

    async def commit(self, document: Document, version: object | None) -> None:
        """Write the document if it is still at `version`, or if it does not exist where `version` is None.

        Raises `Conflict` if the document has changed since. Raises `Transient` if the store does not answer;
        the write may then have happened or not.
        """
        ...


class Records(Protocol):
    """All users' records. What `Subscriptions` says of documents holds for them, too."""

    async def load(self, user_id: str) -> Loaded:
        """The user's record. Raises `Transient` as `Subscriptions.load`, and `UnreadableRecord`."""
        ...

    async def commit(self, packing: Packing, version: object | None) -> None:
        """Keep the record if the user's is still at `version`. Raises what `Subscriptions.commit` raises."""
        ...


class DueUsers(Protocol):
    """The index of due users, in 64 shards, and the clock's cursor in each shard.

    Every method raises `Transient` if the store does not answer.
    """

    def due(self, shard: int, after: DueUser, now: datetime, page_size: int) -> AsyncGenerator[list[DueUser]]:
        """Pages of the users of a shard due up to `now`, in order, that follow the position `after`.

        A page is read when it is asked for, and has `page_size` users unless it is the last one. No other field is
        read. A position with an empty user id stands before all users of its instant.
        """
        ...

    async def load_cursor(self, shard: int) -> StoredCursor:
        """The cursor of a shard, as saved last."""
        ...

    async def save_cursor(self, shard: int, cursor: Cursor, version: object | None) -> object:
        """Store the cursor if the stored one is still at `version`, and return its new version.

        Raises `Conflict` if it has changed since.
        """
        ...


class Publisher(Protocol):
    """The message bus to which Upbeat publishes."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """Publish every message, and return when the bus has accepted all of them.

        Raises `Transient` if the bus may not have accepted some of them. The caller may then publish all of them
        again.
        """
        ...


class Catalogs(Protocol):
    """The source of the catalog in force."""

    async def current(self, at_least: int = 0) -> Catalog:
        """The newest catalog if it is valid, else the last valid one, else an empty one.

        A source that keeps the catalog for a while looks again if its number is below `at_least`. It may be below
        even then.
        """
        ...


class Entries(Protocol):
    """A source of a catalog that editors keep entry by entry: a CMS, or a folder of files."""

    @property
    def name(self) -> str:
        """The source in one word."""
        ...

    async def list(self) -> tuple[Sequence[Entry], Sequence[Mistake]]:
        """All published entries, and the mistakes of those that are none.

        Raises `Transient` if they cannot all be read: nothing is known then.
        """
        ...

    async def report(self, mistakes: Sequence[Mistake], version: str | None) -> None:
        """Tell the editors of mistakes, each at its entry; of none, that all is well, with the catalog's version.

        Raises `Transient` if they cannot be told.
        """
        ...


class CatalogStore(Protocol):
    """The store into which a sync publishes. Every method raises `Transient` if it does not answer."""

    async def in_force(self) -> InForce:
        """The catalog in force."""
        ...

    async def artifacts(self, document: CatalogDocument) -> Mapping[str, bytes]:
        """The scores and policies that a catalog names, as far as they are published, by their paths."""
        ...

    async def content(self, version: str) -> Mapping[str, Any]:
        """The catalog of a version that was in force, as it is stored; empty if there is none."""
        ...

    async def awaits(self, version: str) -> bool:
        """True if a catalog of this version was proposed, and nobody has approved it yet."""
        ...

    async def publish(self, catalog: Catalog, replaced: InForce, now: datetime, said: Said) -> int:
        """Put a catalog in force in place of `replaced` at `now` (UTC), and return the publication's number.

        Raises `Conflict` if another catalog has come into force meanwhile.
        """
        ...

    async def announce(self) -> None:
        """Publish the message about the catalog in force; sent again, it has the same id."""
        ...

    async def propose(self, catalog: Catalog, authors: Sequence[str], now: datetime, *, after: str | None) -> None:
        """Keep a catalog until somebody else than its authors approves it.

        If nobody has approved the proposal `after`, its authors are authors of this one, too.
        """
        ...

    async def load_sync(self, source: str) -> StoredSync:
        """The state of the syncs from a source, as saved last."""
        ...

    async def save_sync(self, source: str, state: SyncState, version: object | None) -> object:
        """Store the state if the stored one is still at `version`, and return its new version.

        Raises `Conflict` if it has changed since.
        """
        ...


class Features(Protocol):
    """The source of what analysts computed about users. A decision does without it where it does not answer."""

    async def load(self, user_id: str, now: datetime) -> KnownFeatures:
        """The newest value of each feature of the user that tells of an instant up to `now` (UTC).

        Raises nothing where the source fails or takes too long: the answer then has no values but the failure.
        """
        ...


class Clock(Protocol):
    """The source of the current time."""

    def now(self) -> datetime:
        """The current instant, UTC."""
        ...
