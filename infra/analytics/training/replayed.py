"""Facts of the past: a raw log goes through the functions' own code again, in the order of its publication.

At every instant the facts are those that a decision would have known then, since they are computed by the same
code from the same document. An event that arrived later has not arrived yet.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from infra.embedded.push import Push
from infra.embedded.runtime import EmbeddedRuntime, VirtualClock
from infra.replay.history_file import CLOCK_START
from infra.replay.part import ATTEMPTS, collect_garbage_rarely, no_sleep, only_errors_logged
from infra.topology import load as load_topology
from shared.adapters.memory_records import MemoryRecords
from shared.adapters.sqlite import SqliteStore
from shared.application.published_events import AllPublished
from shared.contracts.inbound.envelope import EVENTS, parse_event
from shared.decisioning.audiences.facts import ATTRIBUTE, ATTRIBUTES, FACTS
from shared.decisioning.catalog import Catalog
from shared.decisioning.situation import COSTLY_FACTS, EVER_NEW, Situation
from shared.domain.events import Event
from shared.domain.terms import Terms
from shared.processing.settle import user_of
from shared.queries.past_log import Logged
from shared.record.user_record import UserRecord

Accepted = Callable[[Event], None]
"""Told of each event that is accepted."""


class Snapshot(NamedTuple):
    """What was known of a user at an instant."""

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
    messages: Sequence[Logged], catalog: Catalog, terms: Terms, wanted: Wanted, accepted: Accepted
) -> list[Snapshot]:
    """The snapshots, in the order in which they were taken."""
    collect_garbage_rarely()
    with (
        TemporaryDirectory() as folder,
        only_errors_logged(),
        closing(SqliteStore(Path(folder) / "users.sqlite", durable=False)) as file,
    ):
        walk = _Walk(MemoryRecords(file, terms), catalog, terms, wanted, accepted)
        asyncio.run(walk.through(messages))
        return walk.taken


class _Walk:
    def __init__(
        self, records: MemoryRecords, catalog: Catalog, terms: Terms, wanted: Wanted, accepted: Accepted
    ) -> None:
        self.records, self.catalog, self.terms = records, catalog, terms
        self.wanted, self.accepted = wanted, accepted
        self.names = feature_names(catalog)
        self.clock = VirtualClock(CLOCK_START)
        self.runtime = EmbeddedRuntime(
            records,
            catalog,
            self.clock,
            lambda _: None,
            terms=terms,
            published=AllPublished(),
            topology=load_topology().with_each_function(max_delivery_attempts=ATTEMPTS),
            sleep=no_sleep,
        )
        self.taken: list[Snapshot] = []
        self._left = {*wanted.decisions}

    async def through(self, messages: Iterable[Logged]) -> None:
        """Deliver every event at its publish time. What time brings is in the log, too, as `lifecycle-due`."""
        instants = iter(self.wanted.instants)
        ahead = next(instants, None)
        for message in messages:
            if message.topic not in EVENTS:
                continue
            while ahead and ahead < message.published_at:
                self._take_all(ahead)
                ahead = next(instants, None)
            self.clock.move_to(message.published_at)
            await self._deliver(message)
        while ahead:
            self._take_all(ahead)
            ahead = next(instants, None)

    async def _deliver(self, message: Logged) -> None:
        delivery = message.delivery
        push = Push(
            message.topic, delivery.data, delivery.attributes, message.published_at, delivery.message_id or ""
        )
        outcome = await self.runtime.push(push)
        if outcome in ("dead_lettered", "ignored"):
            return
        event = parse_event(message.topic, delivery)
        self.accepted(event)
        key = event.user_id, event.key.cause
        if key in self._left:
            self._left.discard(key)
            record = (await self.records.load(event.user_id)).record
            self._take(record, self.wanted.decisions[key], event)

    def _take_all(self, at: datetime) -> None:
        for record in self.records.all():
            self._take(record, at)

    def _take(self, record: UserRecord, at: datetime, event: Event | None = None) -> None:
        account, _ = record.history.at(at, self.terms)
        if not account.subscriptions or (self.wanted.only_entitled and not account.best.entitled):
            return
        user = user_of(record, account, record.triggers, at, event)
        facts = Situation(self.catalog, user).facts(self.names)
        self.taken.append(Snapshot(record.user_id, at, facts, event.key.cause if event else None))
