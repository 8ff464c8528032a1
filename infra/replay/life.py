"""The life of one user: all messages of the user, in the order of delivery, go through the pure `process()`.

It needs no store, no bus and no clock, and keeps no state between calls: users can be taken one after the other,
or on many machines at once.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

import orjson

from infra.embedded.push import Push, delivery_of, push_of, undelivered
from infra.errors import InfraError
from infra.replay.world import World
from shared.application.shard_sweep import due_id, due_message
from shared.contracts.inbound.envelope import Delivery, check_not_future, parse_event
from shared.contracts.outbound.dead_letter import dead_letter
from shared.contracts.outbound.message import Message
from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.domain.account import DEFAULT_SUBSCRIPTION
from shared.domain.arrival import Arrival, check_same
from shared.domain.errors import Rejected, Transient
from shared.domain.events import Environment, Event, Key, TimePassed
from shared.entrypoints.body import check_complete
from shared.ports import DueUser
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.record.bounds import fit
from shared.record.user_record import UserRecord
from shared.settings import MAX_BODY_BYTES

log = logging.getLogger(__name__)

DEAD_LETTERED = "dead_lettered"
"""The outcome of a message that becomes a dead letter; those of others are the values of `Arrival`."""


class Refusal(NamedTuple):
    """The reason why something cannot be published."""

    reason: str
    detail: str


class Arriving(NamedTuple):
    """One message of the user's, and when it is delivered."""

    number: int
    """The number of its line in the history, which orders what is delivered at one instant."""
    at: datetime
    """The instant of the delivery (UTC): the present, when the message is processed."""
    push: Push
    refused: Refusal | None = None
    """None unless the line holds nothing that can be published."""


class Step(NamedTuple):
    """One step of a life: a message is delivered, or something that is due happens."""

    at: datetime
    """UTC."""
    arriving: Arriving | None
    """The message of the history; None if the step is one of time."""
    outcome: str
    """`applied`, `duplicate`, `late`, `ignored` or `dead_lettered`."""
    event: Event | None
    """The event that was processed; None for a message that is ignored or whose event cannot be read."""
    before: UserRecord
    record: UserRecord
    """The record afterwards; the very one of before if nothing was committed."""
    messages: tuple[Message, ...]
    """The messages that are published because of it, in order; a dead letter is among them."""

    @property
    def is_committed(self) -> bool:
        """True if the step wrote the user's document."""
        return self.record is not self.before

    @property
    def push(self) -> Push:
        """The message that a function receives: the history's, or the clock's if the step is one of time."""
        if self.arriving:
            return self.arriving.push
        return push_of(due_message(DueUser(self.at, self.record.user_id)), self.at)


def steps_of(
    record: UserRecord, messages: Iterable[Arriving], world: World, until: datetime | None
) -> Iterator[Step]:
    """The steps of a user from a record on, which for most is a new one.

    `messages` are those of this user, in order of delivery. In between, what falls due happens at its due time,
    and after the last one up to `until` (UTC), that instant included. At one instant, messages come before what is
    due. With `until` of None nothing happens by itself: the messages tell of time, too, as a raw log does.

    A message that can never succeed becomes a dead letter, as in a function. So does one that fails for another
    reason, which is logged: the code is pure, so that it would fail again. Raises `InfraError` if a message is
    about another user, or if the user is still due at an instant after what was due there has happened.
    """
    for arriving in messages:
        if until is not None:
            for step in _due(record, world, arriving.at, is_end=False):
                record = step.record
                yield step
        step = _delivered(record, arriving, world)
        record = step.record
        yield step
    if until is not None:
        yield from _due(record, world, until, is_end=True)


def _due(record: UserRecord, world: World, until: datetime, *, is_end: bool) -> Iterator[Step]:
    """The steps of time before an instant; of one at the end also those at that instant."""
    while (at := record.next_due_at) and (at < until or (is_end and at == until)):
        step = _handled(record, due_event(DueUser(at, record.user_id)), at, world)
        record = step.record
        yield step
        if record.next_due_at and record.next_due_at <= at:
            raise InfraError(f"a user due at {at.isoformat()} is still due after it was processed")


def due_event(user: DueUser) -> Event:
    """The event in the clock's message about a user: the one that `parse_event` reads, without JSON in between."""
    event_id, due_at = due_id(user), user.next_due_at
    content = orjson.dumps({"event_id": event_id, "occurred_at": due_at, "user_id": user.user_id})
    digest = blake2b(content, digest_size=8).hexdigest()
    key = Key(due_at, Topic.LIFECYCLE_DUE.value, "", event_id)
    return Event(key, user.user_id, DEFAULT_SUBSCRIPTION, TimePassed(), digest)


def _delivered(record: UserRecord, arriving: Arriving, world: World) -> Step:
    """The step of a message of the history."""
    push, at = arriving.push, arriving.at
    delivery = Delivery(push.data, dict(push.attributes)) if arriving.refused else delivery_of(push)
    try:
        event = _accepted(arriving, delivery, world)
        if event is None:
            return Step(at, arriving, Arrival.IGNORED, None, record, record, ())
        step = _handled(record, event, at, world)
    except Rejected as rejected:
        letter = dead_letter(push.topic, delivery, rejected)
    except Exception:
        log.exception("%s: unexpected error", push.topic)
        letter = undelivered(push)
    else:
        if event.user_id != record.user_id:
            raise InfraError("expected the messages of one user, found one of another")
        return step._replace(arriving=arriving)
    return Step(at, arriving, DEAD_LETTERED, None, record, record, (letter,))


def _accepted(arriving: Arriving, delivery: Delivery, world: World) -> Event | None:
    """The event in a delivery; None for one of a test environment. Raises `Rejected`."""
    if arriving.refused:
        raise Rejected(*arriving.refused)
    check_complete(delivery, MAX_BODY_BYTES)
    event = parse_event(arriving.push.topic, delivery)
    if event.environment is Environment.SANDBOX:
        return None
    check_not_future(event, arriving.at, world.terms.clock_skew)
    return event


def _handled(record: UserRecord, event: Event, at: datetime, world: World) -> Step:
    """The step of an event, as `Application.handle` takes it where every message that is pending is out.

    Raises `Rejected`, and `Transient` if no catalog has the number that the event asks for.
    """
    if pending := record.pending_entry(event.key.cause):
        check_same(pending.digest, event)
        return Step(at, None, Arrival.DUPLICATE, event, record, record, ())
    now = record.effective_now(at, event)
    catalog = _catalog(event, at, world)
    features = world.features_of(record.user_id, catalog, now)
    known = _published(record)
    done = process(known, event, now, Rules(catalog, world.terms), features)
    changed = record if done.record is known else fit(done.record, world.terms)[0].record
    return Step(at, None, done.arrival, event, record, changed, done.messages)


def _catalog(event: Event, at: datetime, world: World) -> Catalog:
    catalog = world.catalogs.at(at)
    least = event.fact.catalog_number if isinstance(event.fact, TimePassed) else 0
    if catalog.number < least:
        raise Transient(f"expected a catalog of number {least} or higher, found {catalog.number}")
    return catalog


def _published(record: UserRecord) -> UserRecord:
    """The record with all its messages marked as published, for the next commit; the very one if they are."""
    if all(entry.is_published for entry in record.pending):
        return record
    return record._replace(pending=tuple(entry._replace(is_published=True) for entry in record.pending))
