"""Fakes of the application's ports, in memory: a store, a bus and a clock, with faults on demand."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache

from shared.contracts.outbound.message import Message
from shared.domain.due_shards import due_shard
from shared.domain.errors import Conflict, Transient
from shared.ports import Cursor, Document, DueUser, Stored, StoredCursor
from shared.record.codec import unpack
from shared.record.user_record import UserRecord, tombstone


class Fault(Enum):
    """The fault of one delivery, which happens once."""

    CONFLICT = "another writer commits in between"
    COMMIT_FAILS = "the store does not answer, and nothing is written"
    COMMIT_UNSURE = "the store does not answer, but the write happened"
    CRASH_BEFORE_PUBLISH = "the process dies between commit and publish"
    CRASH_IN_PUBLISH = "the process dies after the bus accepted the first message"
    CRASH_BEFORE_ACK = "the process dies after the publish"


class Crash(Exception):
    """The process died, and everything in its memory is lost."""


class MovableClock:
    """A clock that shows the instant that a test sets."""

    def __init__(self, start: datetime) -> None:
        self.instant = start

    def now(self) -> datetime:
        return self.instant

    def move_to(self, instant: datetime) -> None:
        """Move the clock forward, never back."""
        self.instant = max(self.instant, instant)

    def pass_by(self, duration: timedelta) -> None:
        self.instant += duration


_unpacked = lru_cache(maxsize=32)(unpack)
"""`unpack`, once for each blob: the checks read every stored record several times. Records are immutable."""


class MemoryStore:
    """`Subscriptions` and `DueUsers` in a dict, with one fault at a time, and a count of commits."""

    def __init__(self) -> None:
        self.documents: dict[str, tuple[Document, int]] = {}
        self.fault: Fault | None = None
        self.commits = 0

    async def load(self, user_id: str) -> Stored:
        document, version = self.documents.get(user_id, (None, None))
        return Stored(document.blob, version, document.erased_at) if document else Stored(None, version)

    async def commit(self, document: Document, version: object | None) -> None:
        _, found = self.documents.get(document.user_id, (None, None))
        fault, self.fault = self._store_fault(), None
        if fault is Fault.CONFLICT or found != version:
            raise Conflict("the document has changed since it was loaded")
        if fault is Fault.COMMIT_FAILS:
            raise Transient("nothing was written")
        self.documents[document.user_id] = (document, (found or 0) + 1)
        self.commits += 1
        if fault is Fault.COMMIT_UNSURE:
            raise Transient("written, but not confirmed")

    def _store_fault(self) -> Fault | None:
        faults = {Fault.CONFLICT, Fault.COMMIT_FAILS, Fault.COMMIT_UNSURE}
        return self.fault if self.fault in faults else None

    def record(self, user_id: str) -> UserRecord:
        """The stored record of a user."""
        document, _ = self.documents.get(user_id, (None, None))
        if document and document.erased_at:
            return tombstone(user_id, document.erased_at)
        return _unpacked(document.blob) if document else UserRecord(user_id)

    def next_due_at(self, user_id: str) -> datetime | None:
        document, _ = self.documents.get(user_id, (None, None))
        return document.next_due_at if document else None

    async def due(
        self, shard: int, after: DueUser, now: datetime, page_size: int
    ) -> AsyncGenerator[list[DueUser]]:
        found = sorted(
            DueUser(document.next_due_at, user_id)
            for user_id, (document, _) in self.documents.items()
            if document.next_due_at and document.next_due_at <= now and due_shard(user_id) == shard
        )
        rest = [user for user in found if user > after]
        for start in range(0, len(rest), page_size):
            yield rest[start : start + page_size]

    async def load_cursor(self, shard: int) -> StoredCursor:  # noqa: ARG002 - the port's
        """None, so that every tick starts from the oldest due user."""
        return StoredCursor(None, None)

    async def save_cursor(self, shard: int, cursor: Cursor, version: object | None) -> object:
        """Store nothing."""


class FlakyBus:
    """A publisher that keeps the messages it accepted, in order, and crashes on demand."""

    def __init__(self) -> None:
        self.taken: list[Message] = []
        self.fault: Fault | None = None

    async def publish(self, messages: Sequence[Message]) -> None:
        fault, self.fault = (self.fault, None) if messages else (None, self.fault)
        if fault is Fault.CRASH_BEFORE_PUBLISH:
            raise Crash
        if fault is Fault.CRASH_IN_PUBLISH:
            self.taken += messages[:1]
            raise Crash
        self.taken += messages
        if fault is Fault.CRASH_BEFORE_ACK:
            raise Crash
