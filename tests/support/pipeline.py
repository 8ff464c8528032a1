"""The whole pipeline in memory, with checks: every delivery is checked against the laws."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.adapters.fixed import FixedCatalogs
from shared.adapters.packed_records import PackedRecords
from shared.application.handle_event import Application
from shared.application.tick import Ticker
from shared.contracts.inbound.envelope import Delivery, parse_event
from shared.contracts.outbound.subscription_change import facts_of
from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.domain.arrival import Arrival
from shared.domain.conditions import is_trigger_true
from shared.domain.due_shards import due_shard
from shared.domain.errors import Rejected, Transient
from shared.domain.events import Event
from shared.domain.triggers import Trigger
from shared.processing.settle import user_of
from shared.record.user_record import UserRecord
from tests.support.fakes import Crash, Fault, FlakyBus, MemoryStore, MovableClock
from tests.support.histories import START, TERMS, USER
from tests.support.published import (
    check_allowed,
    check_each_moment_once,
    check_no_issue_after_revocation,
    check_one_body_an_id,
    check_one_id_a_cause,
    check_written_as_modelled,
)
from tests.support.virtual_time import VirtualTimeLoop


def is_true(trigger: Trigger, record: UserRecord, now: datetime) -> bool:
    """True if a trigger of a record says what is true of the user at an instant."""
    account, _ = record.history.at(now, TERMS)
    return is_trigger_true(trigger, user_of(record, account, record.triggers, now))


@dataclass
class Pipeline:
    """The pipeline of one user, with the events that were not acknowledged and must be redelivered."""

    catalog: Catalog
    user_id: str = USER
    clock: MovableClock = field(default_factory=lambda: MovableClock(START))
    store: MemoryStore = field(default_factory=MemoryStore)
    bus: FlakyBus = field(default_factory=FlakyBus)
    unacknowledged: list[Event] = field(default_factory=list)
    waiting_since: datetime = START
    """The arrival of the first event that is waiting for redelivery."""
    acknowledged: set[str] = field(default_factory=set)
    arrivals: Counter[str] = field(default_factory=Counter)
    issued: dict[str, Trigger] = field(default_factory=dict)
    """Every trigger ever committed, in its last known state. One that was open when evicted counts as revoked."""

    def __post_init__(self) -> None:
        self.application, self.other = self._new_instance(), self._new_instance()
        self.loop = VirtualTimeLoop()

    def close(self) -> None:
        self.loop.close()

    def _new_instance(self) -> Application:
        records = PackedRecords(self.store, TERMS)
        return Application(records, self.bus, FixedCatalogs(self.catalog), self.clock, TERMS)

    def change_instance(self) -> None:
        """Let the other of two instances handle what comes next."""
        self.application, self.other = self.other, self.application

    @property
    def record(self) -> UserRecord:
        return self.store.record(self.user_id)

    @property
    def said(self) -> list[str]:
        """The messages about triggers so far, in order and in words: `first issued`, `first replaced`."""
        bodies = [one.body for one in self.bus.taken if one.topic == Topic.UPSELL_TRIGGER]
        return [f"{one['campaign_id']} {one['revoke_reason'] or 'issued'}" for one in bodies]

    @property
    def lost(self) -> dict[str, str]:
        """The reason of every campaign that the last decision turned down."""
        *_, last = [one.body for one in self.bus.taken if one.topic == Topic.DECISION]
        return {one["campaign_id"]: one["reason"] for one in last["candidates"] if one["reason"]}

    def deliver(self, event: Event, fault: Fault | None = None) -> None:
        """Deliver an event once. An event that is not acknowledged is kept for redelivery."""
        before, commits, taken = self.record, self.store.commits, len(self.bus.taken)
        self.store.fault = self.bus.fault = fault
        try:
            arrival = self.loop.run_until_complete(self.application.handle(event)).arrival
        except (Transient, Crash) as failure:
            if isinstance(failure, Crash):
                self.application = self._new_instance()
            self.waiting_since = (
                min(self.waiting_since, self.clock.now()) if self.unacknowledged else self.clock.now()
            )
            self.unacknowledged.append(event)
        except Rejected as rejected:
            self._acknowledge(event, rejected.reason)
        else:
            if event.key.cause in self.acknowledged:
                self._check_no_effect(event, arrival, commits, taken)
            self._acknowledge(event, arrival)
        self.store.fault = self.bus.fault = None
        if self.store.commits != commits:
            self._check_commit(before, self.record)

    def redeliver(self) -> None:
        """Redeliver, without a fault, every event that was not acknowledged."""
        waiting, self.unacknowledged = self.unacknowledged, []
        for event in waiting:
            self.deliver(event)

    def tick(self) -> list[Event]:
        """The events that the clock publishes at this instant, not delivered yet."""
        bus = FlakyBus()
        ticker = Ticker(self.store, bus, self.clock)
        self.loop.run_until_complete(ticker.tick((due_shard(self.user_id),)))
        return [parse_event(one.topic, Delivery(one.data, one.attributes())) for one in bus.taken]

    def pass_time(self, duration: timedelta) -> None:
        """Let time pass, with a tick whenever the user is due."""
        until = self.clock.now() + duration
        while (due := self.store.next_due_at(self.user_id)) and due <= until:
            self.clock.move_to(due)
            for event in self.tick():
                self.deliver(event)
            later = self.store.next_due_at(self.user_id)
            assert later is None or later > self.clock.now(), "still due after a tick"
        self.clock.move_to(until)

    def published(self, kind: str) -> list[str]:
        """The ids of the triggers issued, or revoked, in the order of publishing, with repetitions."""
        triggers = (one for one in self.bus.taken if one.topic == Topic.UPSELL_TRIGGER)
        return [one.body["trigger_id"] for one in triggers if one.body["kind"] == kind]

    def _acknowledge(self, event: Event, outcome: str) -> None:
        self.acknowledged.add(event.key.cause)
        self.arrivals[outcome] += 1

    def _check_no_effect(self, event: Event, arrival: Arrival, commits: int, taken: int) -> None:
        """Check law 2: an event acknowledged before writes nothing and publishes nothing new."""
        if event.key.topic == Topic.LIFECYCLE_DUE and arrival is Arrival.APPLIED:
            return
        assert self.store.commits == commits, f"{arrival}: a redelivery wrote something"
        known = {message.message_id for message in self.bus.taken[:taken]}
        assert {message.message_id for message in self.bus.taken[taken:]} <= known

    def _check_commit(self, before: UserRecord, after: UserRecord) -> None:
        now = self.clock.now()
        known = {trigger.trigger_id: trigger for trigger in before.triggers}
        new = [trigger for trigger in after.triggers if trigger.trigger_id not in known]
        kept = {trigger.trigger_id: trigger for trigger in after.triggers if trigger.trigger_id in known}
        self.issued |= kept
        for trigger in after.triggers:
            assert is_true(trigger, after, now) or not trigger.is_open(now), (
                f"{trigger.moment}: still open although its condition no longer holds"
            )
        for trigger in new:
            assert is_true(trigger, after, now), f"{trigger.moment}: decided although its condition did not hold"
            assert trigger.trigger_id not in self.issued, "one id, decided twice"
            check_allowed(self.catalog, trigger, self.issued.values())
            self.issued[trigger.trigger_id] = trigger
        for gone in known.keys() - kept.keys():
            self.issued[gone] = known[gone]._replace(revoked=known[gone].revoked or known[gone].is_open(now))
        self._check_messages(before, after)

    def _check_messages(self, before: UserRecord, after: UserRecord) -> None:
        """Check that sequence numbers grow, and that every trigger revoked now has its message."""
        if after.sequence == before.sequence:
            return
        messages = after.pending[-1].messages
        numbers = [message.body["sequence"] for message in messages]
        assert numbers == sorted(set(numbers))
        assert before.sequence < numbers[0] <= numbers[-1] == after.sequence
        revoked = {one.body["trigger_id"] for one in messages if one.body.get("kind") == "revoked"}
        were_open = {one.trigger_id for one in before.triggers if not one.revoked}
        given = {id_ for id_, one in self.issued.items() if one.revoked and not one.withheld}
        assert revoked == given & were_open

    def check_at_rest(self) -> None:
        """Check at rest: if an open trigger's condition no longer holds, the clock is due to revoke it."""
        record, now = self.record, self.clock.now()
        account, _ = record.history.at(now, TERMS)
        due = self.store.next_due_at(self.user_id)
        if due is not None and due <= now:
            return
        for trigger in record.triggers:
            assert is_true(trigger, record, now) or not trigger.is_open(now), (
                f"{trigger.moment}: its condition no longer holds, and no tick is due"
            )
        assert all(due is not None and due <= one.until for one in record.deferred), "deferred without a tick"
        for one in record.announced:
            entitled = facts_of(account.get(one.subscription_id))["entitled"]
            assert one.facts["entitled"] == entitled, "a change of access was not announced"

    def check_published(self) -> None:
        """Check laws 6 and 7 over all published messages, once every event was acknowledged."""
        assert not self.unacknowledged
        issued, revoked = set(self.published("issued")), set(self.published("revoked"))
        for trigger_id, trigger in self.issued.items():
            if trigger.withheld:
                assert trigger_id not in issued | revoked, "an offer that was withheld was told"
                continue
            assert trigger_id in issued or not trigger.is_open(self.clock.now()), "a trigger was lost"
            assert trigger_id in revoked or not trigger.revoked, "a revocation was lost"
        assert issued <= set(self.issued)
        check_no_issue_after_revocation(self.bus.taken)
        check_one_id_a_cause(self.bus.taken)
        check_one_body_an_id(self.bus.taken)
        for message in self.bus.taken:
            check_written_as_modelled(message)
        check_each_moment_once(self.bus.taken)
