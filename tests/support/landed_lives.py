"""The life of one user as functions process it, with everything that lands of it in a raw log."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson

from shared.application.shard_sweep import due_message
from shared.contracts.inbound.envelope import Delivery, check_not_future, parse_event
from shared.contracts.outbound.dead_letter import dead_letter
from shared.contracts.outbound.message import Message
from shared.decisioning.catalog import Catalog
from shared.domain.account import DEFAULT_SUBSCRIPTION
from shared.domain.arrival import check_same
from shared.domain.errors import Rejected
from shared.domain.events import Environment, Event, FeedbackKind, Key, OfferRequested
from shared.domain.requests import OFFER_REQUEST, request_digest
from shared.ports import DueUser
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.queries.past_log import Logged
from shared.record.bounds import fit
from shared.record.user_record import UserRecord
from tests.support.histories import TERMS, USER


class LandedLife:
    """A user whose events are delivered at once; what is due in between happens when it is due."""

    def __init__(self, catalog: Catalog, record: UserRecord | None = None) -> None:
        self.rules = Rules(catalog, TERMS)
        self.record = record or UserRecord(USER)
        self.logged: list[Logged] = []
        """Everything that landed, in the order of its publication."""
        self.published: list[Message] = []
        self.arrivals: list[str] = []

    def go_on(self, until: datetime) -> None:
        """Let time pass: everything that is due by then happens."""
        while (at := self.record.next_due_at) and at <= until:
            due = due_message(DueUser(at, USER))
            self._land(due.topic, at, due.data, due.message_id)
            self._process(parse_event(due.topic, Delivery(due.data, {})), at)
            assert self.record.next_due_at != at, "the user is still due after what was due has happened"

    def deliver(self, line: dict[str, Any], at: datetime) -> None:
        """Deliver a line of a history at an instant."""
        self.go_on(at)
        topic, data = line["topic"], orjson.dumps(line["data"])
        delivery = Delivery(data, {}, self._land(topic, at, data))
        try:
            event = parse_event(topic, delivery)
            if event.environment is Environment.SANDBOX:
                self.arrivals.append("sandbox")
                return
            check_not_future(event, at, TERMS.clock_skew)
            self._process(event, at)
        except Rejected as rejected:
            self.arrivals.append("rejected")
            self._publish([dead_letter(topic, delivery, rejected)], at)

    def request(self, placement: str, key: str, at: datetime) -> None:
        """An app asks for an offer, which lands nowhere."""
        self.go_on(at)
        about = Key(at, OFFER_REQUEST, "", key), USER, DEFAULT_SUBSCRIPTION
        self._process(Event(*about, OfferRequested(placement), request_digest(placement)), at)

    def feed_back(self, trigger_id: str, kind: FeedbackKind, at: datetime, event_id: str) -> None:
        """A consumer reports on a trigger."""
        about = {"event_id": event_id, "user_id": USER, "occurred_at": at.isoformat()}
        self.deliver({"topic": "trigger-feedback", "data": about | {"trigger_id": trigger_id, "kind": kind}}, at)

    def _process(self, event: Event, at: datetime) -> None:
        record = self.record
        if pending := record.pending_entry(event.key.cause):
            check_same(pending.digest, event)
            self.arrivals.append("duplicate")
            return
        now = record.effective_now(at, event)
        out = tuple(entry._replace(is_published=True) for entry in record.pending)
        known = record if out == record.pending else record._replace(pending=out)
        done = process(known, event, now, self.rules)
        self.arrivals.append(done.arrival)
        if done.record is not known:
            self.record = fit(done.record, TERMS)[0].record
        self._publish(done.messages, at)

    def _publish(self, messages: Iterable[Message], at: datetime) -> None:
        for message in messages:
            self.published.append(message)
            self._land(message.topic, at, message.data)

    def _land(self, topic: str, at: datetime, data: bytes, message_id: str = "") -> str:
        id_ = message_id or str(len(self.logged))
        self.logged.append(Logged(topic, at, Delivery(data, {}, id_)))
        return id_
