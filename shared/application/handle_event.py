"""The way through: load, fold and decide, commit, publish. Optimistic: whoever comes second computes anew."""

import asyncio
import random
from datetime import datetime

from shared.domain.arrival import Arrival, check_same
from shared.domain.errors import Conflict, Transient
from shared.domain.events import Event
from shared.domain.tallies import forget
from shared.domain.terms import Terms
from shared.ports import Catalogs, Clock, Document, Publisher, Subscriptions
from shared.processing.outbox import still_alive
from shared.processing.process import process
from shared.processing.settle import Policy
from shared.record.cache import Recall
from shared.record.codec import pack
from shared.record.user_record import Pending, UserRecord

MAX_BLOB = 12 * 1024
"""Above this many bytes a document sheds its oldest pending messages, and then what is missed least."""
MAX_ATTEMPTS = 40
FIRST_BACKOFF = 0.005
LONGEST_BACKOFF = 0.25
REMEMBERED = 256
"""How many users' records an instance remembers: some 10 KB each, seldom ten times that."""


class Application:
    """Keeps every user's subscription right, and says what follows from it."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        publisher: Publisher,
        catalogs: Catalogs,
        clock: Clock,
        terms: Terms,
        remembered: int = REMEMBERED,
    ) -> None:
        self.subscriptions = subscriptions
        self.publisher = publisher
        self.catalogs = catalogs
        self.clock = clock
        self.terms = terms
        self.recall = Recall(remembered)

    async def handle(self, event: Event) -> Arrival:
        """Process one event, and return when its effects are committed and its messages are out.

        Raises `Rejected` if it can never succeed, `Transient` if it may when it comes again.
        """
        for attempt in range(MAX_ATTEMPTS):
            try:
                return await self._attempt(event)
            except Conflict:
                await asyncio.sleep(_backoff(attempt))
        raise Transient(f"the user's document changed under each of {MAX_ATTEMPTS} attempts")

    async def _attempt(self, event: Event) -> Arrival:
        stored = await self.subscriptions.load(event.user_id)
        record = self.recall.record(event.user_id, stored.blob)
        now = record.present(self.clock.now(), event)
        if left := record.pending_for(event.key.cause):
            check_same(left.digest, event)
            await self.publisher.publish(still_alive(left, record, now))
            return Arrival.DUPLICATE
        policy = Policy(await self.catalogs.current(), self.terms)
        processed = process(record, event, now, policy)
        if processed.record is not record:
            await self._commit(processed.record, stored.version, now)
        await self.publisher.publish(processed.messages)
        return processed.arrival

    async def _commit(self, record: UserRecord, version: object | None, now: datetime) -> None:
        """Commit the record within its bound; what it sheds for that is published once more before."""
        fitting, blob, shed = fit(record, self.terms)
        await self.publisher.publish([message for entry in shed for message in still_alive(entry, record, now)])
        document = Document(record.user_id, blob, fitting.next_due_at, fitting.announced)
        await self.subscriptions.commit(document, version)
        self.recall.keep(blob, fitting)


def fit(record: UserRecord, terms: Terms, limit: int = MAX_BLOB) -> tuple[UserRecord, bytes, list[Pending]]:
    """The record, its blob, and the pending messages it had to shed.

    All but the newest pending entry, which is the one being committed, fits into `limit` bytes.
    """
    shed: list[Pending] = []
    blob = pack(record)
    while len(blob) > limit and len(record.pending) > 1:
        shed.append(record.pending[0])
        record = record._replace(pending=record.pending[1:])
        blob = pack(record)
    if len(blob) > limit:
        record = _shrunk(record._replace(pending=()), terms, limit)._replace(pending=record.pending)
        blob = pack(record)
    return record, blob, shed


def _shrunk(record: UserRecord, terms: Terms, limit: int) -> UserRecord:
    """The record in `limit` bytes, as far as that can be.

    The oldest of the ring move to the base; then the oldest offers are only counted, and at last the subscriptions
    least worth are forgotten, all but one. Ids of ordinary length leave room for most of a ring: the rest is for
    very long ones.
    """
    while len(pack(record)) > limit:
        history = record.history
        if history.ring:
            history = history.shrink(len(history.ring) * 3 // 4, terms, record.user_id)
            record = record._replace(history=history)
        elif record.triggers:
            now = record.as_of or record.triggers[-1].decided_at
            kept, tallies, _ = forget(record.triggers, record.tallies, len(record.triggers) * 3 // 4, now)
            record = record._replace(triggers=kept, tallies=tallies)
        elif len(history.head.subscriptions) > 1:
            record = record._replace(history=history.forget_least(terms))
        else:
            break
    return record


def _backoff(attempt: int) -> float:
    """Seconds to wait: up to twice as long after each conflict, and never the same for two writers."""
    longest: float = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2**attempt)
    return random.uniform(0, longest)  # noqa: S311 - jitter, no secret
