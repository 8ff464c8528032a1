"""Arrival: an event is new, a duplicate, late or of no account; and the check that a duplicate is the same."""

from enum import StrEnum

from shared.domain.errors import Rejected
from shared.domain.events import Event


class Arrival(StrEnum):
    """The result of matching an event with the history: new, seen before, or older than the history's base.

    Ignored is what occurred before the user's erasure.
    """

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    LATE = "late"
    IGNORED = "ignored"


def check_same(digest: str, event: Event) -> None:
    """Raise `Rejected` (`id_reused`) if the event's content differs from the known `digest` of its identity."""
    if digest != event.digest:
        raise Rejected(
            "id_reused",
            "event_id: expected a new id for a new event, found one that this source used for other content",
        )
