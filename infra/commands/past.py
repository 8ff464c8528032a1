"""The past of one user's document: by the raw log if there is one, else by the ring of recent events."""

from datetime import datetime
from typing import TYPE_CHECKING

from infra.commands.raw_log import RawLog
from infra.errors import InfraError

if TYPE_CHECKING:
    from shared.domain.terms import Terms
    from shared.queries.past import Past
    from shared.record.user_record import UserRecord


def past_of(record: "UserRecord", at: datetime, terms: "Terms", log: RawLog) -> "Past | None":
    """The document at an instant (UTC) that was asked for; None if it has not changed since: it tells it itself.

    Raises `InfraError` if nothing tells that past.
    """
    from infra.terminal.wording import of_value
    from shared.queries.known_past import past_at
    from shared.queries.past import is_past, ring_begins

    if not is_past(record, at):
        return None
    if past := past_at(record, log.messages, at, terms):
        return past
    begins = of_value(ring_begins(record))
    other = (
        f"the raw log in {log.place} lacks messages about the user" if log.place else "there is no raw log (--raw)"
    )
    raise InfraError(
        f"what {record.user_id!r} was at {of_value(at)} UTC is not known: the document tells only what was from"
        f" {begins} UTC on, and {other}"
    )
