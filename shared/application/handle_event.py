"""The way through: load, fold and decide, commit, publish. Optimistic: whoever comes second computes anew."""

import asyncio
import random
from datetime import datetime

from shared.domain.arrival import Arrival, check_same
from shared.domain.errors import Conflict, Transient
from shared.domain.events import Event
from shared.domain.terms import Terms
from shared.ports import Catalogs, Clock, Document, Publisher, Subscriptions
from shared.processing.outbox import worth_republishing
from shared.processing.process import process
from shared.processing.settle import Rules
from shared.record.bounds import fit
from shared.record.cache import RecordCache
from shared.record.user_record import UserRecord

MAX_ATTEMPTS = 40
FIRST_BACKOFF = 0.005
LONGEST_BACKOFF = 0.25
CACHED_RECORDS = 256
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
        cached_records: int = CACHED_RECORDS,
    ) -> None:
        self.subscriptions = subscriptions
        self.publisher = publisher
        self.catalogs = catalogs
        self.clock = clock
        self.terms = terms
        self.cache = RecordCache(cached_records)

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
        record = self.cache.record(event.user_id, stored.blob)
        now = record.present(self.clock.now(), event)
        if left := record.pending_for(event.key.cause):
            check_same(left.digest, event)
            await self.publisher.publish(worth_republishing(left, record, now))
            return Arrival.DUPLICATE
        rules = Rules(await self.catalogs.current(), self.terms)
        processed = process(record, event, now, rules)
        if processed.record is not record:
            await self._commit(processed.record, stored.version, now)
        await self.publisher.publish(processed.messages)
        return processed.arrival

    async def _commit(self, record: UserRecord, version: object | None, now: datetime) -> None:
        """Commit the record within its bound; what it sheds for that is published once more before."""
        fitting, blob, shed = fit(record, self.terms)
        await self.publisher.publish(
            [message for entry in shed for message in worth_republishing(entry, record, now)]
        )
        document = Document(record.user_id, blob, fitting.next_due_at, fitting.announced)
        await self.subscriptions.commit(document, version)
        self.cache.keep(blob, fitting)


def _backoff(attempt: int) -> float:
    """Seconds to wait: up to twice as long after each conflict, and never the same for two writers."""
    longest: float = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2**attempt)
    return random.uniform(0, longest)  # noqa: S311 - jitter, no secret
