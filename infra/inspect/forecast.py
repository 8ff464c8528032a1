"""What a function would do with an event, without doing it."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from infra.terminal import wording
from shared.contracts.inbound.envelope import Delivery, check_not_future, parse_clock, parse_event
from shared.contracts.topics import Topic
from shared.domain.arrival import Arrival
from shared.domain.errors import Rejected
from shared.domain.events import Environment, Event, TimePassed
from shared.domain.terms import Terms
from shared.processing.process import absorb
from shared.record.user_record import UserRecord

Records = Callable[[str], UserRecord | None]
"""Finds a user's document."""
A_TICK = "a tick of the clock: users who are due are looked for"


class Forecast(NamedTuple):
    """The fate of an event, if it came now."""

    refused: Rejected | None
    event: Event | None = None
    """None for what is refused, and for a tick of the clock."""
    effect: str = ""
    """What it would do, in words; empty for what is refused."""


def parsed(topic: str, delivery: Delivery) -> Event | None:
    """The event in a delivery; None for a tick of the clock. Raises `Rejected`, as the topic's function does."""
    if topic == Topic.LIFECYCLE_CLOCK:
        parse_clock(delivery)
        return None
    return parse_event(topic, delivery)


def forecast(topic: str, delivery: Delivery, records: Records, now: datetime, terms: Terms) -> Forecast:
    """The fate of a delivery at `now` (UTC); `records` finds the document of its user."""
    try:
        event = parsed(topic, delivery)
        if event is None:
            return Forecast(None, None, A_TICK)
        check_not_future(event, now, terms.clock_skew)
        return Forecast(None, event, _effect(event, records(event.user_id), now, terms))
    except Rejected as rejected:
        return Forecast(rejected)


def _effect(event: Event, record: UserRecord | None, now: datetime, terms: Terms) -> str:
    """What an event does to its user's document. Raises `Rejected` if it contradicts the document."""
    said = wording.of_event(event)
    if event.environment is Environment.SANDBOX:
        return f"{said}; it is of the sandbox and changes nothing"
    before = record or UserRecord(event.user_id)
    after, arrival, _ = absorb(before, event, terms)
    if arrival is Arrival.DUPLICATE:
        return f"{said}; it is a duplicate and changes nothing"
    if arrival is Arrival.LATE:
        return f"{said}; it is too late to change anything: older than all that is kept of the user"
    if after is before and not isinstance(event.fact, TimePassed):
        return f"{said}; it is accepted and changes nothing"
    return f"{said}; {_statuses(before, after, now, terms)}"


def _statuses(before: UserRecord, after: UserRecord, now: datetime, terms: Terms) -> str:
    was, would_be = (each.history.at(now, terms)[0].best.status for each in (before, after))
    return f"the status stays {was}" if was == would_be else f"the status goes from {was} to {would_be}"
