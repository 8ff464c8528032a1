"""Records in a store of documents: packed by each commit, and unpacked unless they are in the cache."""

from shared.domain.terms import Terms
from shared.ports import Document, Loaded, Subscriptions
from shared.record.cache import RecordCache
from shared.record.codec import Packing
from shared.record.user_record import tombstone

CACHED_RECORDS = 256
"""The number of users' records that an instance caches, at some 10 KB each and rarely ten times that."""


class PackedRecords:
    """Implements `Records` for any `Subscriptions`."""

    def __init__(self, subscriptions: Subscriptions, terms: Terms, cached_records: int = CACHED_RECORDS) -> None:
        self.subscriptions = subscriptions
        self.cache = RecordCache(cached_records, terms)

    async def load(self, user_id: str) -> Loaded:
        """See `Records.load`."""
        stored = await self.subscriptions.load(user_id)
        if stored.erased_at:
            self.cache.forget(user_id)
            return Loaded(tombstone(user_id, stored.erased_at), stored.version)
        return Loaded(self.cache.read(user_id, stored.blob), stored.version)

    async def commit(self, packing: Packing, version: object | None) -> None:
        """See `Records.commit`."""
        await self.subscriptions.commit(document_of(packing), version)
        if packing.record.is_tombstone:
            self.cache.forget(packing.record.user_id)
        else:
            self.cache.store(packing.blob, packing.record)


def document_of(packing: Packing) -> Document:
    """The document of a record, as of the record's last commit."""
    record = packing.record
    if record.is_tombstone:
        return Document(record.user_id, None, None, {}, erased_at=record.erased_at)
    campaigns = record.open_campaigns(record.as_of) if record.as_of else ()
    return Document(record.user_id, packing.blob, record.next_due_at, record.announced_best, campaigns)
