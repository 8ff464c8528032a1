"""A user's stored document as a record, with sentences for those that cannot be read."""

from infra.errors import InfraError
from shared.domain.terms import Terms
from shared.ports import Stored
from shared.record.codec import UnreadableRecord, unpack
from shared.record.damage import damage
from shared.record.user_record import UserRecord, tombstone


def record_in(stored: Stored, user_id: str, place: str, terms: Terms) -> UserRecord:
    """The record in a user's document, which may be a tombstone.

    Raises `InfraError`, which names the place, if it cannot be read.
    """
    if stored.erased_at:
        return tombstone(user_id, stored.erased_at)
    try:
        record = unpack(stored.blob or b"", terms)
    except UnreadableRecord as error:
        raise InfraError(
            f"the document of {user_id!r} in {place} cannot be read by this version: {error}"
        ) from error
    if damaged := damage(record):
        raise InfraError(f"the document of {user_id!r} in {place} is damaged: {damaged}")
    return record
