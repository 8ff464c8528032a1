"""The answer to a request for an offer: what the decision gives in the placement, or what is open there."""

from datetime import datetime

from shared.decisioning.decide import Decision
from shared.domain.events import Event, OfferRequested
from shared.domain.requests import AnsweredRequest, remember
from shared.domain.triggers import Trigger
from shared.record.user_record import UserRecord


def answered(
    record: UserRecord, event: Event, request: OfferRequested, decision: Decision | None, now: datetime
) -> UserRecord:
    """The record, settled at `now` (UTC), with the answer to the request.

    A request for which no campaign was considered, and that finds nothing open, leaves the record as it is.
    """
    issued = decision.issued if decision else ()
    answer = next((one for one in issued if one.placement == request.placement), None)
    answer = answer or newest_open(record.triggers, request.placement, now)
    if answer is None and not (decision and decision.results):
        return record
    known = AnsweredRequest(event.key.cause, event.digest, now, answer.trigger_id if answer else None)
    return record._replace(requests=remember(record.requests, known))


def newest_open(triggers: tuple[Trigger, ...], placement: str, now: datetime) -> Trigger | None:
    """The newest trigger that a consumer may show in a placement now, and that the user has not answered."""
    shown = (one for one in reversed(triggers) if one.placement == placement and not one.withheld)
    return next((one for one in shown if one.holds_place(now)), None)
