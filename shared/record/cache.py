"""Cache of the records that were committed or read last: a document that has not changed is not unpacked again."""

from shared.domain.terms import Terms
from shared.record.codec import unpack
from shared.record.user_record import UserRecord


class RecordCache:
    """At most `max_records` records. A record is used only while the store still returns exactly its blob."""

    def __init__(self, max_records: int, terms: Terms) -> None:
        self.max_records = max_records
        self.terms = terms
        """The terms by which a document of the former format is read."""
        self._entries: dict[str, tuple[bytes, UserRecord]] = {}
        """Blob and record by user id, in the order in which they were stored."""

    def read(self, user_id: str, blob: bytes | None) -> UserRecord:
        """The record in a blob, from the cache if possible. A new record for None. Raises `UnreadableRecord`."""
        if blob is None:
            return UserRecord(user_id)
        cached_blob, cached = self._entries.get(user_id, (None, None))
        if cached and cached_blob == blob:
            return cached
        record = unpack(blob, self.terms)
        self.store(blob, record)
        return record

    def forget(self, user_id: str) -> None:
        """Drop what is cached of a user."""
        self._entries.pop(user_id, None)

    def store(self, blob: bytes, record: UserRecord) -> None:
        """Cache the record of a blob. The entry stored longest ago is evicted if there are too many."""
        self._entries.pop(record.user_id, None)
        self._entries[record.user_id] = blob, record
        if len(self._entries) > self.max_records:
            del self._entries[next(iter(self._entries))]
