"""The plan of a run, from its seed: what is published when, and what must become of it.

Events are told late and out of order, more than once and in other words, under ids that were used before, dated in
the future, or as bytes that are no event.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any, NamedTuple

from tests.chaos.lives import BEHAVIOUR, Told, lives, written

DIRECT = 0.5
"""The share of messages that the harness delivers itself: Pub/Sub's emulator keeps two pushes in flight."""
ELSEWHERE = timezone(timedelta(hours=2))
FAR_AHEAD = timedelta(hours=1)
"""So far behind the end of the run that no redelivery finds the event in the present."""
Identity = tuple[str, str, str]
"""Topic, source and event id."""
Event = dict[str, Any]


class Publication(NamedTuple):
    """One message to publish."""

    at: float
    """Seconds after the start of the run."""
    topic: str
    data: bytes
    is_direct: bool = False
    """True if the harness delivers it itself, as a second Pub/Sub."""


@dataclass(slots=True)
class Plan:
    """The messages to publish, and the outcome that each must have."""

    publications: list[Publication] = field(default_factory=list)
    accepted: dict[Identity, bytes] = field(default_factory=dict)
    """Every event that must take effect."""
    contested: dict[Identity, tuple[list[bytes], list[bytes]]] = field(default_factory=dict)
    """For an id used twice, the wordings of both contents: one is accepted, the other is `id_reused`."""
    refused: dict[tuple[str, bytes], str] = field(default_factory=dict)
    """The reason of every message that can never be processed, by topic and data."""
    kinds: Counter[str] = field(default_factory=Counter)
    """Publications by kind."""


class Planner:
    """Makes the plan of a run of `seconds` for some topics; the same for the same seed, apart from its start."""

    def __init__(self, seed: int, users: int, seconds: float, start: datetime, topics: Collection[str]) -> None:
        self.random = Random(f"{seed}/plan")  # noqa: S311 - the same plan for the same seed
        self.seconds = seconds
        self.start = start
        self.plan = Plan()
        for told in lives(seed, users, seconds):
            if told.topic in topics:
                self._tell(told)
        self.plan.publications.sort(key=lambda one: one.at)

    def _tell(self, told: Told) -> None:
        """Publish an event, sometimes more than once, and sometimes beside it what must be refused."""
        event = written(told.body, self.start)
        identity = (told.topic, event.get("source", ""), event["event_id"])
        words = [json.dumps(event).encode(), _other_words(event)]
        self.plan.accepted[identity] = words[0]
        delays = (0.0, self.random.uniform(0, 3), self.random.uniform(3, 8))
        self._publish("events", told, self.random.choices(delays, (6, 3, 1))[0], words[0])
        while self.random.random() < 0.15:
            self._publish("duplicates", told, self.random.uniform(0, 8), self.random.choice(words))
        if self.random.random() < 0.02 and event.get("signal") not in BEHAVIOUR:
            self._reuse_id(told, identity, event, words)
        if self.random.random() < 0.04:
            self._refuse(told, event)

    def _publish(self, kind: str, told: Told, delay: float, data: bytes) -> None:
        at = min(max(told.at, 0.0) + delay, self.seconds)
        self.plan.publications.append(Publication(at, told.topic, data, self.random.random() < DIRECT))
        self.plan.kinds[kind] += 1

    def _reuse_id(self, told: Told, identity: Identity, event: Event, words: list[bytes]) -> None:
        """Publish another content under the same id. Whichever is processed first is accepted."""
        earlier = datetime.fromisoformat(event["occurred_at"]) - timedelta(milliseconds=1)
        other = json.dumps(event | {"occurred_at": earlier.isoformat()}).encode()
        del self.plan.accepted[identity]
        self.plan.contested[identity] = words, [other]
        self._publish("ids reused", told, self.random.uniform(0, 2), other)

    def _refuse(self, told: Told, event: Event) -> None:
        """Publish what can never be processed."""
        reason, make = self.random.choice(POISONS)
        changed = event | {"event_id": f"refused:{len(self.plan.refused)}"}
        data = make(changed, self.start + timedelta(seconds=self.seconds))
        self.plan.refused[told.topic, data] = reason
        kind = "dated in the future" if reason == "future_dated" else "poison"
        self._publish(kind, told, self.random.uniform(0, 2), data)


def _other_words(event: Event) -> bytes:
    """The same event in other bytes: another order of the keys, another offset, an unknown field."""
    occurred_at = datetime.fromisoformat(event["occurred_at"]).astimezone(ELSEWHERE).isoformat()
    told = event | {"occurred_at": occurred_at, "unknown": 1}
    return json.dumps(dict(reversed(told.items()))).encode()


def _as_json(change: Callable[[Event, datetime], Event]) -> Callable[[Event, datetime], bytes]:
    return lambda event, end: json.dumps(change(event, end)).encode()


def _in_the_future(event: Event, end: datetime) -> Event:
    """The event, long after the end of the run; a trial still ends after it begins."""
    at, later = end + FAR_AHEAD, end + 2 * FAR_AHEAD
    trial = {"trial_ends_at": later.isoformat()} if "trial_ends_at" in event else {}
    return event | {"occurred_at": at.isoformat()} | trial


POISONS: tuple[tuple[str, Callable[[Event, datetime], bytes]], ...] = (
    ("not_json", lambda event, _end: b"\xff" + event["event_id"].encode()),
    ("not_json", lambda event, _end: json.dumps(event).encode()[:-1]),
    ("invalid", _as_json(lambda event, _end: event | {"user_id": ""})),
    ("invalid", _as_json(lambda event, _end: event | {"occurred_at": "yesterday"})),
    ("invalid", lambda event, _end: json.dumps([event]).encode()),
    ("unknown_value", _as_json(lambda event, _end: event | {"environment": "staging"})),
    ("too_large", _as_json(lambda event, _end: event | {"note": "x" * 70_000})),
    ("future_dated", _as_json(_in_the_future)),
    ("future_dated", _as_json(_in_the_future)),
)
"""Ways to spoil an event, given the end of the run, each with the reason for which it must be refused."""
