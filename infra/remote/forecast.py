"""A forecast of what a function would do with an event: the event checked, and its effect on the document."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from infra.errors import InfraError
from infra.remote.event_check import Checked, Problem, check_event
from shared.contracts.inbound.envelope import Delivery, parse_event
from shared.contracts.topics import Topic
from shared.domain.arrival import Arrival
from shared.domain.errors import Rejected
from shared.domain.events import Environment, Event
from shared.domain.terms import Terms
from shared.processing.process import absorb
from shared.record.user_record import UserRecord

Records = Callable[[str], UserRecord | None]
"""Finds a user's document; raises `InfraError` for one that cannot be read."""


class Forecast(NamedTuple):
    """The fate of an event, if it came now."""

    checked: Checked
    """A refusal for what the user's document tells is among its problems, too."""
    effect: str = ""
    """Its effect on the document, in words; empty for what is refused, and for a tick of the clock."""


def forecast(topic: str, delivery: Delivery, records: Records, now: datetime, terms: Terms) -> Forecast:
    """The fate of a delivery at `now` (UTC); `records` finds the document of its user."""
    checked = check_event(topic, delivery, now, terms.clock_skew)
    if checked.reason or topic == Topic.LIFECYCLE_CLOCK:
        return Forecast(checked)
    event = parse_event(topic, delivery)
    try:
        return Forecast(checked, _effect(event, records(event.user_id), now, terms))
    except InfraError as problem:
        return Forecast(checked, f"its effect is not known, since {problem}")
    except Rejected as rejected:
        refused = Checked(topic, rejected.reason, (Problem(rejected.detail),), ignored=checked.ignored)
        return Forecast(refused)


def _effect(event: Event, record: UserRecord | None, now: datetime, terms: Terms) -> str:
    """The effect of an event on its user's document. Raises `Rejected` if it contradicts the document."""
    if event.environment is Environment.SANDBOX:
        return "nothing changes"
    before = record or UserRecord(event.user_id)
    after, arrival, _ = absorb(before, event, terms)
    if arrival is Arrival.IGNORED:
        return "it is older than the user's erasure: nothing changes"
    if arrival is Arrival.DUPLICATE:
        return "it is a duplicate: nothing changes"
    if arrival is Arrival.LATE:
        return "it is older than what the document holds: it counts in part, if at all"
    if after.is_tombstone:
        return "everything about the user is forgotten"
    was, would_be = (each.history.at(now, terms)[0].best.status for each in (before, after))
    return f"the status stays {was}" if was == would_be else f"the status goes from {was} to {would_be}"
