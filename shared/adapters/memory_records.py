"""Records in memory, for a replay: they are packed only when they leave it."""

from collections.abc import Iterator
from heapq import merge
from operator import itemgetter

from shared.adapters.packed_records import document_of
from shared.adapters.sqlite import SqliteStore
from shared.domain.errors import Conflict
from shared.domain.terms import Terms
from shared.ports import Loaded
from shared.record.codec import Packing, unpack
from shared.record.user_record import UserRecord, tombstone

MAX_RECORDS = 4096
"""The number of records in memory, at 10 to 30 KB each. A history returns to the same users again and again."""


class MemoryRecords:
    """Implements `Records`. Of more than `max_records`, those committed longest ago move to a file.

    A version is the number of the user's commits, as in the file. No other process may use the file.
    """

    def __init__(self, file: SqliteStore, terms: Terms, max_records: int = MAX_RECORDS) -> None:
        self.file = file
        self.terms = terms
        self.max_records = max_records
        self._in_memory: dict[str, tuple[UserRecord, int]] = {}
        """Record and version by user id, in the order of their commits. The file may hold former ones of them."""

    async def load(self, user_id: str) -> Loaded:
        """See `Records.load`."""
        if kept := self._in_memory.get(user_id):
            return Loaded(*kept)
        blob, version, erased_at = await self.file.load(user_id)
        if erased_at:
            return Loaded(tombstone(user_id, erased_at), version)
        return Loaded(UserRecord(user_id) if blob is None else unpack(blob, self.terms), version)

    async def commit(self, packing: Packing, version: object | None) -> None:
        """See `Records.commit`."""
        record = packing.record
        found = (await self.load(record.user_id)).version
        if found != version:
            raise Conflict("the record has changed since it was loaded")
        self._in_memory.pop(record.user_id, None)
        self._in_memory[record.user_id] = record, found + 1 if isinstance(found, int) else 1
        if len(self._in_memory) > self.max_records:
            oldest = next(iter(self._in_memory))
            self._write(*self._in_memory.pop(oldest))

    def all(self) -> Iterator[UserRecord]:
        """Every user's record, in the order of the ids, without tombstones."""
        of_memory = (
            (user_id, record)
            for user_id, (record, _) in sorted(self._in_memory.items())
            if not record.is_tombstone
        )
        of_file = (
            (user_id, unpack(blob, self.terms))
            for user_id, blob in self.file.blobs()
            if user_id not in self._in_memory
        )
        return (record for _, record in merge(of_memory, of_file, key=itemgetter(0)))

    def flush(self) -> None:
        """Write all records to the file."""
        for record, version in self._in_memory.values():
            self._write(record, version)

    def _write(self, record: UserRecord, version: int) -> None:
        self.file.put(document_of(Packing(record)), version)
