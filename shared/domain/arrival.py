"""Arrival: whether an event is new, came before, or came too late to matter."""

from enum import StrEnum

from shared.domain.errors import Rejected
from shared.domain.events import Event


class Arrival(StrEnum):
    """How an event found the history."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    LATE = "late"


def check_same(digest: str, event: Event) -> None:
    """Raises `Rejected` (`id_reused`) if the content is not the one seen under this identity before."""
    if digest != event.digest:
        raise Rejected(
            "id_reused",
            "event_id: expected a new id for a new event, found one that this source used for other content",
        )
