"""A user's stored document as a record, with sentences for those that cannot be read."""

from infra.errors import InfraError
from shared.domain.terms import Terms
from shared.record.codec import UnreadableRecord, unpack
from shared.record.damage import damage
from shared.record.user_record import UserRecord


def record_in(blob: bytes, user_id: str, place: str, terms: Terms) -> UserRecord:
    """The record in a user's document. Raises `InfraError`, which names the place, if it cannot be read."""
    try:
        record = unpack(blob, terms)
    except UnreadableRecord as error:
        raise InfraError(
            f"the document of {user_id!r} in {place} cannot be read by this version: {error}"
        ) from error
    if damaged := damage(record):
        raise InfraError(f"the document of {user_id!r} in {place} is damaged: {damaged}")
    return record
