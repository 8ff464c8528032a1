"""The steps of a user's life as it was processed: each event, and what messages tell of its processing."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from infra.rebuild.told import Told, processings
from shared.contracts.inbound.envelope import EVENTS, check_not_future, parse_event
from shared.domain.errors import Rejected
from shared.domain.events import Environment, Event
from shared.domain.terms import Terms
from shared.queries.life_letters import Letters
from shared.queries.past_log import Logged

Identity = tuple[str, str, str]
"""Topic, source and id of an event."""


class Came(NamedTuple):
    """An event as it landed."""

    published_at: datetime
    """UTC: the present by which it is judged."""
    event: Event

    @property
    def identity(self) -> Identity:
        """The event's identity, by which messages name it."""
        return self.event.key[1:]


class Step(NamedTuple):
    """One processing: at least one of the two is there."""

    came: Came | None
    """None for what has no event in the log: an app's request, or an event that the log lacks."""
    told: Told | None
    """None where no message tells of it: a duplicate, for example."""


def steps(
    user_id: str, logged: Sequence[Logged], terms: Terms, counts: Counter[str], *, process_sandbox: bool
) -> Iterator[Step]:
    """Every processing of the user's, in the order in which they happened.

    `logged` are messages in the order of their publication, also those about others. An event without messages is
    taken to have been processed when it was published. Events that were not processed are counted and left out.
    """
    came = [*_accepted(user_id, logged, terms, counts, process_sandbox=process_sandbox)]
    order = _Order(came, processings(user_id, logged, counts))
    for place in range(len(came)):
        yield from order.up_to(place)
    yield from order.rest()


def _accepted(
    user_id: str, logged: Sequence[Logged], terms: Terms, counts: Counter[str], *, process_sandbox: bool
) -> Iterator[Came]:
    """The user's events, but for those that were rejected when they came, and those of test environments."""
    letters = Letters(user_id, logged)
    for message in logged:
        topic, published_at, delivery = message
        if topic not in EVENTS:
            continue
        if letters.of(message):
            counts["events_rejected"] += 1
            continue
        try:
            event = parse_event(topic, delivery)
            if event.user_id != user_id:
                continue
            check_not_future(event, published_at, terms.clock_skew)
        except Rejected:
            counts["events_rejected"] += 1
            continue
        if event.environment is Environment.SANDBOX and not process_sandbox:
            counts["events_sandbox"] += 1
        else:
            yield Came(published_at, event)


class _Order:
    """Brings events and what messages tell into one order, that of the processings."""

    def __init__(self, came: Sequence[Came], told: Sequence[Told]) -> None:
        self._came, self._told = came, told
        self._place = {one.identity: place for place, one in reversed([*enumerate(came)])}
        """The place of each event where it came first."""
        self._number = {one.event: number for number, one in reversed([*enumerate(told)])}
        """The number of the first processing of each event that messages tell."""
        self._taken: set[int] = set()
        self._done = 0

    def up_to(self, place: int) -> Iterator[Step]:
        """The steps that are left up to an event, and that event's."""
        one = self._came[place]
        if place in self._taken:
            return
        number = self._number.get(one.identity) if self._place[one.identity] == place else None
        while self._done < len(self._told) and self._comes_first(self._told[self._done], number, one):
            yield self._next()
        if place not in self._taken:
            yield Step(one, None)

    def rest(self) -> Iterator[Step]:
        """The steps that are left after the last event."""
        while self._done < len(self._told):
            yield self._next()

    def _comes_first(self, told: Told, number: int | None, one: Came) -> bool:
        """True if the next processing is at or before that of an event, which has this number if any.

        At the very instant of its publication an event was not processed yet.
        """
        if number is not None:
            return self._done <= number
        has_no_event = told.event not in self._place
        return told.at < one.published_at or (told.at == one.published_at and has_no_event)

    def _next(self) -> Step:
        told = self._told[self._done]
        self._done += 1
        place = self._place.get(told.event)
        if place is None or place in self._taken:
            return Step(None, told)
        self._taken.add(place)
        return Step(self._came[place], told)
