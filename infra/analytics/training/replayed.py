"""Facts of the past: a raw log goes through the functions' own code again, in the order of its publication.

At every instant the facts are those that a decision would have known then, since they are computed by the same
code from the same document. An event that arrived later has not arrived yet.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple

from infra.embedded.push import Push
from infra.raw.subject import named_user
from infra.replay.life import Arriving, Step, steps_of
from infra.replay.world import CatalogHistory, World
from shared.contracts.inbound.envelope import EVENTS
from shared.decisioning.audiences.facts import ATTRIBUTE, ATTRIBUTES, FACTS
from shared.decisioning.catalog import Catalog
from shared.decisioning.situation import COSTLY_FACTS, EVER_NEW, Situation
from shared.domain.arrival import Arrival
from shared.domain.events import Event
from shared.domain.terms import Terms
from shared.processing.settle import user_of
from shared.queries.past_log import Logged, json_object
from shared.record.user_record import UserRecord

Accepted = Callable[[Event], None]
"""Told of each event that is accepted."""


class Snapshot(NamedTuple):
    """The facts that were known of a user at an instant."""

    user_id: str
    at: datetime
    facts: Mapping[str, object]
    cause: str | None = None
    """The event that brought the decision; None at a fixed instant."""


class Wanted(NamedTuple):
    """The snapshots to take."""

    instants: Sequence[datetime] = ()
    """Fixed instants (UTC), in order: every user who is known by then."""
    decisions: Mapping[tuple[str, str], datetime] = {}
    """By user and cause, the instants of decisions."""
    only_entitled: bool = False
    """True if users without access at the instant are left out."""


def feature_names(catalog: Catalog) -> tuple[str, ...]:
    """The facts that a score can use: those of a clause that are single values, and the declared attributes."""
    left_out = COSTLY_FACTS | EVER_NEW | {ATTRIBUTES, "subscription.id"}
    attributes = (f"{ATTRIBUTE}{name}" for name in sorted(catalog.document.attributes))
    return *(name for name in FACTS if name not in left_out), *attributes


def snapshots(
    messages: Iterable[Logged], catalog: Catalog, terms: Terms, wanted: Wanted, accepted: Accepted
) -> list[Snapshot]:
    """The snapshots: those at fixed instants by instant and user, those of decisions in the order of the log.

    `messages` are in the order of their publication. What time brings is among them, too, as `lifecycle-due`.
    """
    look = _Look(catalog, terms, wanted, accepted)
    for user_id, arriving in sorted(_by_user(messages).items()):
        look.at_life_of(user_id, arriving)
    in_order = sorted(look.at_instants, key=itemgetter(0)) + sorted(look.at_decisions, key=itemgetter(0))
    return [taken for _, taken in in_order]


def _by_user(messages: Iterable[Logged]) -> Mapping[str, Sequence[Arriving]]:
    """The events of each user. What cannot be read is left out: it leads to no state."""
    by_user = defaultdict[str, list[Arriving]](list)
    for number, (topic, at, delivery) in enumerate(messages):
        if topic in EVENTS and (user_id := named_user(json_object(delivery.data), delivery.attributes)):
            push = Push(topic, delivery.data, delivery.attributes, at, delivery.message_id or "")
            by_user[user_id].append(Arriving(number, at, push))
    return by_user


class _Look:
    """Looks at one life after the other, and takes the snapshots that are wanted."""

    def __init__(self, catalog: Catalog, terms: Terms, wanted: Wanted, accepted: Accepted) -> None:
        self.catalog, self.terms = catalog, terms
        self.wanted, self.accepted = wanted, accepted
        self.names = feature_names(catalog)
        self.world = World(CatalogHistory(catalog), terms)
        self.at_instants: list[tuple[int, Snapshot]] = []
        """Each with the number of its instant; by user and instant."""
        self.at_decisions: list[tuple[int, Snapshot]] = []
        """Each with the number of the message that brought it; by user and message."""
        self._left = {*wanted.decisions}

    def at_life_of(self, user_id: str, messages: Iterable[Arriving]) -> None:
        """Take the snapshots of a user."""
        record, ahead = UserRecord(user_id), deque(enumerate(self.wanted.instants))
        for step in steps_of(record, messages, self.world, None):
            while ahead and ahead[0][1] < step.at:
                self._take_at(*ahead.popleft(), record)
            record = step.record
            if step.event and step.outcome != Arrival.IGNORED:
                self.accepted(step.event)
                self._take_after(step)
        for number, at in ahead:
            self._take_at(number, at, record)

    def _take_at(self, number: int, at: datetime, record: UserRecord) -> None:
        self.at_instants += [(number, taken) for taken in self._taken(record, at)]

    def _take_after(self, step: Step) -> None:
        """Take the snapshot of a decision if it is wanted and if this is the first delivery of its event."""
        event, arriving = step.event, step.arriving
        if event and arriving and (key := (event.user_id, event.key.cause)) in self._left:
            self._left.discard(key)
            taken = self._taken(step.record, self.wanted.decisions[key], event)
            self.at_decisions += [(arriving.number, one) for one in taken]

    def _taken(self, record: UserRecord, at: datetime, event: Event | None = None) -> Iterator[Snapshot]:
        """The snapshot of a record; none without a subscription, or without access if that is asked for."""
        account, _ = record.history.at(at, self.terms)
        if account.subscriptions and (account.best.entitled or not self.wanted.only_entitled):
            user = user_of(record, account, record.triggers, at, event)
            facts = Situation(self.catalog, user).facts(self.names)
            yield Snapshot(record.user_id, at, facts, event.key.cause if event else None)
