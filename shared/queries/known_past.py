"""A user's document at an instant of the past, from the best source that tells it."""

from collections.abc import Sequence
from datetime import datetime

from shared.domain.terms import Terms
from shared.queries.past import Past, from_ring
from shared.queries.past_log import Logged, from_log
from shared.record.user_record import UserRecord


def past_at(record: UserRecord, logged: Sequence[Logged] | None, at: datetime, terms: Terms) -> Past | None:
    """The document at an instant (UTC), by the raw log if that is whole, else by the ring; None if neither tells.

    `logged` are the messages about the user in the order of their publication, None where there is no raw log.
    """
    by_log = None if logged is None else from_log(record, logged, at, terms)
    return by_log or from_ring(record, at, terms)
