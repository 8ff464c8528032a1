"""Arrival: an event is new, a duplicate or late; and the check that a duplicate has the same content."""

from enum import StrEnum

from shared.domain.errors import Rejected
from shared.domain.events import Event


class Arrival(StrEnum):
    """The result of matching an event with the history: new, seen before, or older than the history's base."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    LATE = "late"


def check_same(digest: str, event: Event) -> None:
    """Raise `Rejected` (`id_reused`) if the event's content differs from the known `digest` of its identity."""
    if digest != event.digest:
        raise Rejected(
            "id_reused",
            "event_id: expected a new id for a new event, found one that this source used for other content",
        )
