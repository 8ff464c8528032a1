"""The use case for an event: load the record, fold and decide, commit, publish.

Concurrency is optimistic: if another writer committed first, the event is processed again from the load.
"""

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from weakref import WeakValueDictionary

from shared.application.published_events import PublishedEvents
from shared.contracts.outbound.message import Message
from shared.decisioning.catalog import Catalog
from shared.domain.arrival import Arrival, check_same
from shared.domain.errors import Conflict, Transient
from shared.domain.events import Event, TimePassed
from shared.domain.features import NO_FEATURES, UNCONFIGURED, KnownFeatures
from shared.domain.terms import Terms
from shared.ports import Catalogs, Clock, Features, Publisher, Records
from shared.processing.outbox import worth_republishing
from shared.processing.process import Processed, process
from shared.processing.rules import Rules
from shared.record.bounds import fit
from shared.record.user_record import Pending, UserRecord

# Exponential back-off with full jitter: 40 waits add up to 8.8 s at most, well within a function's 60 s.
# https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
MAX_ATTEMPTS = 40
"""Attempts on conflicts, after which the event is left to Pub/Sub's redelivery."""
FIRST_BACKOFF_SECONDS = 0.005
"""The longest wait after the first conflict. It doubles with each further conflict."""
MAX_BACKOFF_SECONDS = 0.25
"""The longest wait after any conflict."""


class Handled(NamedTuple):
    """The outcome of handling an event, for the caller's log."""

    record: UserRecord
    """The user's record after it."""
    arrival: Arrival
    messages: Sequence[Message]
    """The messages that were published."""
    status: str | None
    """The user's status as announced last; None if nothing was ever announced."""
    waiting_verdicts: int = 0
    """The user's verdicts whose payment is not known, if this event added one."""
    features_failure: str | None = None
    """The reason why the user's features, which the catalog asks for, could not be read."""


class _Reading:
    """The reading of the features of an event's user: at most once, however often the event is processed."""

    def __init__(self, source: Features | None, user_id: str) -> None:
        self._source = source
        self._user_id = user_id
        self._known: KnownFeatures | None = None

    async def features(self, catalog: Catalog, now: datetime) -> KnownFeatures:
        """The features for a decision by this catalog. Nothing is read if it asks for none."""
        if not catalog.asks_features:
            return NO_FEATURES
        if self._source is None:
            return UNCONFIGURED
        if self._known is None:
            self._known = await self._source.load(self._user_id, now)
        return self._known


class Application:
    """Keeps every user's subscription correct, and publishes what follows from each event."""

    def __init__(
        self,
        records: Records,
        publisher: Publisher,
        catalogs: Catalogs,
        clock: Clock,
        terms: Terms,
        published: PublishedEvents | None = None,
        features: Features | None = None,
    ) -> None:
        self.records = records
        self.publisher = publisher
        self.catalogs = catalogs
        self.clock = clock
        self.terms = terms
        self.published = published or PublishedEvents()
        self.features = features
        """None where no source of features is configured: then they are all unknown."""
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """By user: events of one user take turns in an instance, so that only other instances cause conflicts."""

    async def handle(self, event: Event) -> Handled:
        """Process one event, and return when its effects are committed and its messages are published.

        Raises `Rejected` if the event can never succeed, and `Transient` if a redelivery may succeed.
        """
        turn = self._turns.setdefault(event.user_id, asyncio.Lock())
        reading = _Reading(self.features, event.user_id)
        for attempt in range(MAX_ATTEMPTS):
            try:
                async with turn:
                    return await self._attempt(event, reading)
            except Conflict:
                await asyncio.sleep(_backoff_seconds(attempt))
        raise Transient(f"the user's document changed during each of {MAX_ATTEMPTS} attempts")

    async def preview(self, event: Event) -> Handled:
        """The result that `handle` would have now; nothing is committed or published. Raises what it raises."""
        record, _ = await self.records.load(event.user_id)
        if pending := record.pending_entry(event.key.cause):
            check_same(pending.digest, event)
            return Handled(record, Arrival.DUPLICATE, (), record.announced_status)
        now = record.effective_now(self.clock.now(), event)
        processed, _ = await self._processed(record, event, now, _Reading(self.features, event.user_id))
        return Handled(processed.record, processed.arrival, processed.messages, processed.record.announced_status)

    async def _attempt(self, event: Event, reading: _Reading) -> Handled:
        record, version = await self.records.load(event.user_id)
        now = record.effective_now(self.clock.now(), event)
        if pending := record.pending_entry(event.key.cause):
            check_same(pending.digest, event)
            messages = await self._publish_again([pending], record, now)
            return Handled(record, Arrival.DUPLICATE, messages, record.announced_status)
        record = self._with_published(record)
        processed, features = await self._processed(record, event, now, reading)
        if processed.record is not record:
            await self._commit(processed.record, version, now)
        await self.publisher.publish(processed.messages)
        if processed.messages:
            self.published.add(event.user_id, event.key.cause)
        new, waiting = processed.record, waiting_verdicts(processed.record)
        is_unmatched = waiting > waiting_verdicts(record)
        unmatched = waiting if is_unmatched else 0
        return Handled(
            new, processed.arrival, processed.messages, new.announced_status, unmatched, features.failure
        )

    async def _processed(
        self, record: UserRecord, event: Event, now: datetime, reading: _Reading
    ) -> tuple[Processed, KnownFeatures]:
        """The result of the event at `now` (UTC) by the catalog in force, and the features of the decision."""
        rules = Rules(await self._catalog(record, event), self.terms)
        features = await reading.features(rules.catalog, now)
        return process(record, event, now, rules, features), features

    async def _catalog(self, record: UserRecord, event: Event) -> Catalog:
        """The catalog by which to decide. Raises `Transient` if its number is below what the event asks for."""
        least = event.fact.catalog_number if isinstance(event.fact, TimePassed) else 0
        catalog = await self.catalogs.current(max(least, record.catalog_number))
        if catalog.number < least:
            raise Transient(f"expected a catalog of number {least} or higher, found {catalog.number}")
        return catalog

    def _with_published(self, record: UserRecord) -> UserRecord:
        """The record in which the messages that are known to be out are marked, for the next commit."""
        pending = tuple(
            entry._replace(is_published=True) if self._is_out(record, entry) else entry for entry in record.pending
        )
        return record if pending == record.pending else record._replace(pending=pending)

    def _is_out(self, record: UserRecord, entry: Pending) -> bool:
        return entry.is_published or (record.user_id, entry.cause) in self.published

    async def _publish_again(self, entries: Sequence[Pending], record: UserRecord, now: datetime) -> list[Message]:
        """Publish the pending messages that may not be out and are still worth it, and return them."""
        unknown = [entry for entry in entries if not self._is_out(record, entry)]
        messages = [message for entry in unknown for message in worth_republishing(entry, record, now)]
        await self.publisher.publish(messages)
        for entry in unknown:
            self.published.add(record.user_id, entry.cause)
        return messages

    async def _commit(self, record: UserRecord, version: object | None, now: datetime) -> None:
        """Commit the record within its size bound. Pending messages dropped for that are first published again."""
        packing, dropped = fit(record, self.terms)
        if dropped:
            await self._publish_again(dropped, record, now)
        await self.records.commit(packing, version)


def waiting_verdicts(record: UserRecord) -> int:
    """The number of a user's verdicts whose payment is not known."""
    return sum(len(sub.waiting) for sub in record.history.head.subscriptions)


def _backoff_seconds(attempt: int) -> float:
    """A random wait, up to a bound that doubles with each attempt. The jitter keeps two writers apart."""
    longest: float = min(MAX_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2**attempt)
    return random.uniform(0, longest)  # noqa: S311 - jitter, not a secret
