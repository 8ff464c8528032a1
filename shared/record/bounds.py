"""Size bound of a document: a record that is too large drops the data that matters least."""

from shared.domain.history import RING_SIZE
from shared.domain.tallies import evict
from shared.domain.terms import Terms
from shared.record.codec import Packing, pack
from shared.record.user_record import Pending, UserRecord

# Firestore's limit is 1 MiB per document (https://cloud.google.com/firestore/quotas). The bound is far lower
# because every event reads, inflates, deflates and writes the whole blob.
MAX_BLOB = 12 * 1024
"""The bound on a blob in bytes. A larger record drops its oldest messages first, then other data."""

FEW_NAMES = 32
"""The names of one scope whose tallies a document that is too large keeps for as long as it can."""


def fit(record: UserRecord, terms: Terms, limit: int = MAX_BLOB) -> tuple[Packing, list[Pending]]:
    """The record, whose blob is within `limit` bytes, and the pending entries that it had to drop.

    Those whose messages are out go before the others, the oldest first. The newest entry is being committed: it is
    always kept, and does not count towards the limit if other data must be dropped. One decision over very many
    campaigns must not cost a user the ring.
    """
    dropped: list[Pending] = []
    packing = Packing(record)
    while not packing.is_within(limit) and len(record.pending) > 1:
        oldest = next((entry for entry in record.pending[:-1] if entry.is_published), record.pending[0])
        dropped.append(oldest)
        record = record._replace(pending=tuple(entry for entry in record.pending if entry is not oldest))
        packing = Packing(record)
    if not packing.is_within(limit):
        record = _shrink(record._replace(pending=()), terms, limit)._replace(pending=record.pending)
        packing = Packing(record)
    return packing, dropped


def _shrink(record: UserRecord, terms: Terms, limit: int) -> UserRecord:
    """The record in at most `limit` bytes if possible, else as small as possible.

    First the oldest quarter of the ring moves to the base, repeatedly, down to half of it. Then the tallies of the
    campaigns and offers that won longest ago go, and after them the rest of the ring. Then the oldest triggers
    become tallies, and the oldest attributes are dropped. Last, the least valuable subscriptions are dropped, all
    but one. With ids of ordinary length half of the ring remains; the later steps are for very long ids.
    """
    while len(pack(record)) > limit:
        history, tallies = record.history, record.tallies
        names = tallies.most_names if len(history.ring) <= RING_SIZE // 2 else 0
        if names > FEW_NAMES:
            record = record._replace(tallies=tallies.newest(max(names // 2, FEW_NAMES)))
        elif history.ring:
            history = history.shrink(len(history.ring) * 3 // 4, terms, record.user_id)
            record = record._replace(history=history)
        elif record.triggers:
            now = record.as_of or record.triggers[-1].decided_at
            kept, tallies, _ = evict(record.triggers, tallies, len(record.triggers) * 3 // 4, now)
            record = record._replace(triggers=kept, tallies=tallies)
        elif known := record.attributes.facts:
            record = record._replace(attributes=record.attributes.newest(len(known) * 3 // 4))
        elif len(history.head.subscriptions) > 1:
            record = record._replace(history=history.evict_least_valuable(terms))
        else:
            break
    return record
