"""The engine alone: parsing, `process` and the messages as bytes, with each user's record in a dictionary.

It is what a replay cannot do without, and the baseline for what a replay adds: the way through the functions, the
documents as bytes, and files. As in a replay, what falls due between two events is processed at its due time.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from heapq import heappop, heappush

import orjson

from shared.contracts.inbound.envelope import Delivery, parse_event
from shared.contracts.outbound.message import Message
from shared.contracts.topics import Topic
from shared.domain.events import Event, cause_of
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.record.user_record import UserRecord


class Engine:
    """All users of a history, and the messages about them."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.records: dict[str, UserRecord] = {}
        self.outputs: dict[str, list[bytes]] = {}
        """The data of every message, by topic."""
        self._due: list[tuple[datetime, str]] = []
        """A heap. An entry of a user who is no longer due at its instant is skipped."""

    def run(self, lines: Iterable[bytes]) -> None:
        """Process a history of events in the order of their times, and what falls due until the last of them."""
        now = None
        for raw in lines:
            line = orjson.loads(raw)
            event = parse_event(line["topic"], Delivery(orjson.dumps(line["data"]), {}))
            now = event.occurred_at
            self._pass_time(now, inclusive=False)
            self._process(event, now)
        if now:
            self._pass_time(now, inclusive=True)

    @property
    def counts(self) -> Counter[str]:
        """The number of messages by topic."""
        return Counter({topic: len(written) for topic, written in self.outputs.items()})

    def _pass_time(self, until: datetime, *, inclusive: bool) -> None:
        while self._due and (self._due[0][0] < until or (inclusive and self._due[0][0] == until)):
            at, user_id = heappop(self._due)
            if self.records[user_id].next_due_at == at:
                event_id = cause_of(Topic.LIFECYCLE_DUE, user_id, at.isoformat())
                body = {"event_id": event_id, "user_id": user_id, "occurred_at": at.isoformat()}
                data = Message(Topic.LIFECYCLE_DUE, event_id, body).data
                self._process(parse_event(Topic.LIFECYCLE_DUE, Delivery(data, {})), at)

    def _process(self, event: Event, now: datetime) -> None:
        record = self.records.get(event.user_id) or UserRecord(event.user_id)
        record = record._replace(pending=())  # an instance drops what it has published
        processed = process(record, event, record.effective_now(now, event), self.rules)
        self.records[event.user_id] = changed = processed.record
        if changed.next_due_at and changed.next_due_at != record.next_due_at:
            heappush(self._due, (changed.next_due_at, event.user_id))
        for message in processed.messages:
            self.outputs.setdefault(message.topic, []).append(message.data)
