"""Bounds: a record made to fit into its document, by giving up what matters least."""

from shared.domain.tallies import forget
from shared.domain.terms import Terms
from shared.record.codec import pack
from shared.record.user_record import Pending, UserRecord

MAX_BLOB = 12 * 1024
"""Above this many bytes a document sheds its oldest pending messages, and then what is missed least."""


def fit(record: UserRecord, terms: Terms, limit: int = MAX_BLOB) -> tuple[UserRecord, bytes, list[Pending]]:
    """The record, its blob, and the pending messages it had to shed.

    All but the newest pending entry, which is the one being committed, fits into `limit` bytes.
    """
    shed: list[Pending] = []
    blob = pack(record)
    while len(blob) > limit and len(record.pending) > 1:
        shed.append(record.pending[0])
        record = record._replace(pending=record.pending[1:])
        blob = pack(record)
    if len(blob) > limit:
        record = _shrunk(record._replace(pending=()), terms, limit)._replace(pending=record.pending)
        blob = pack(record)
    return record, blob, shed


def _shrunk(record: UserRecord, terms: Terms, limit: int) -> UserRecord:
    """The record in `limit` bytes, as far as that can be.

    The oldest of the ring move to the base; then the oldest offers are only counted, and at last the subscriptions
    least worth are forgotten, all but one. Ids of ordinary length leave room for most of a ring: the rest is for
    very long ones.
    """
    while len(pack(record)) > limit:
        history = record.history
        if history.ring:
            history = history.shrink(len(history.ring) * 3 // 4, terms, record.user_id)
            record = record._replace(history=history)
        elif record.triggers:
            now = record.as_of or record.triggers[-1].decided_at
            kept, tallies, _ = forget(record.triggers, record.tallies, len(record.triggers) * 3 // 4, now)
            record = record._replace(triggers=kept, tallies=tallies)
        elif len(history.head.subscriptions) > 1:
            record = record._replace(history=history.forget_least(terms))
        else:
            break
    return record
