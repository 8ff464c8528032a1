"""The user's record: everything Upbeat knows about one user, and the messages not known to be published."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from shared.contracts.outbound.message import Message
from shared.domain.assignments import Assignment
from shared.domain.attributes import NO_ATTRIBUTES, Attributes
from shared.domain.copying import copied_quickly
from shared.domain.events import Event, TimePassed, cause_of
from shared.domain.history import History
from shared.domain.moments import Deferred
from shared.domain.profiles import ProfileFact
from shared.domain.requests import AnsweredRequest
from shared.domain.signals import BehaviouralSignal
from shared.domain.subscription import RANK, Status
from shared.domain.tallies import Tallies
from shared.domain.triggers import Trigger

# Bounds on the collections of a record, which keep its blob near `shared.record.bounds.MAX_BLOB`.
MAX_TRIGGERS = 48
"""Triggers kept individually. Older ones are counted in `tallies`."""
MAX_DEFERRED = 16
MAX_FIRED = 64
"""Decided causes kept individually. Older ones are covered by `Fired.floor`."""
MAX_PUBLISHED = 4
"""Events whose messages are kept although they are out, so that people can look the decisions up."""


class Pending(NamedTuple):
    """The messages of one event, committed with the state: they may not be published yet, unless it says so."""

    cause: str
    """The cause of the event, by which a redelivery finds this entry."""
    digest: str
    """The digest of the event's content, which reveals an id reused for other content."""
    committed_at: datetime
    payload: str = ""
    """The messages as JSON text, because they are rarely read again."""
    is_published: bool = False
    """True if it was known at a later commit that the messages are out."""

    @classmethod
    def of(cls, event: Event, now: datetime, messages: Sequence[Message]) -> "Pending":
        """The entry for the messages of an event."""
        rows = [(message.topic, message.message_id, orjson.Fragment(message.data)) for message in messages]
        return cls(event.key.cause, event.digest, now, orjson.dumps(rows).decode())

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages, decoded so that they can be published again."""
        return tuple(Message(*row) for row in orjson.loads(self.payload))


class Announced(NamedTuple):
    """The facts of one subscription as its last `subscription-change` told them."""

    subscription_id: str
    facts: dict[str, Any]


class Fired(NamedTuple):
    """The causes brought by time that were decided, with or without a winner, so that none is decided twice."""

    causes: tuple[tuple[datetime, str], ...] = ()
    """Instant of the moment and hash of the cause, for the newest 64 in order. A cause itself may be long."""
    floor: datetime | None = None
    """Every moment up to this instant counts as decided, although its cause is no longer kept."""

    def covers(self, at: datetime, cause: str) -> bool:
        """True if the moment of this instant and cause was decided."""
        name = cause_of(cause)
        return (self.floor is not None and at <= self.floor) or any(name == decided for _, decided in self.causes)

    def plus(self, new: tuple[tuple[datetime, str], ...]) -> "Fired":
        """A copy with more decided causes."""
        if not new:
            return self
        causes = tuple(sorted({*self.causes, *((at, cause_of(cause)) for at, cause in new)}))
        floor = causes[-MAX_FIRED - 1][0] if len(causes) > MAX_FIRED else self.floor
        return Fired(causes[-MAX_FIRED:], floor)


@copied_quickly
class UserRecord(NamedTuple):
    """Everything stored about one user. Every collection in it is bounded.

    It is a named tuple, like `Subscription`: copying one is three times as fast as copying a frozen dataclass.
    Fields are stored by position, so a new field goes to the end.
    """

    user_id: str
    history: History = History()
    profile: tuple[ProfileFact, ...] = ()
    signals: tuple[BehaviouralSignal, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    """The newest 48 triggers issued, oldest first: counted by caps, named by feedback, open to revocation."""
    fired: Fired = Fired()
    announced: tuple[Announced, ...] = ()
    """The facts in the last `subscription-change` of each subscription."""
    next_due_at: datetime | None = None
    """The instant at which the clock must process this user, UTC. None means never."""
    sequence: int = 0
    """The sequence number of the last message about this user."""
    pending: tuple[Pending, ...] = ()
    """Messages per event, oldest first: those that may not be out, and the newest 4 entries of those that are."""
    tallies: Tallies = Tallies()
    """Counters for older triggers, so that caps hold for ever."""
    assignments: tuple[Assignment, ...] = ()
    """The variants of experiments assigned to the user."""
    deferred: tuple[Deferred, ...] = ()
    """At most 16 deferred decisions, made again when the user may be disturbed."""
    raised: tuple[str, ...] = ()
    """Scores that reached `at_least`. Each raises its moment again only after it was below `rearm_below`."""
    as_of: datetime | None = None
    """The user's `effective_now` at the last commit, UTC."""
    attributes: Attributes = NO_ATTRIBUTES
    """Named values about the user: at most 32, of 1.5 KB together."""
    catalog_number: int = 0
    """The highest number of a catalog by which a commit of the user was decided."""
    requests: tuple[AnsweredRequest, ...] = ()
    """The newest 16 requests for an offer that campaigns were considered for, oldest first."""
    erased_at: datetime | None = None
    """The instant (UTC) up to which the user was forgotten: nothing that occurred up to it counts any more."""

    @property
    def is_tombstone(self) -> bool:
        """True if the user was erased, and nothing occurred since."""
        return self.erased_at is not None and self == tombstone(self.user_id, self.erased_at)

    def effective_now(self, now: datetime, event: Event) -> datetime:
        """The latest of the clock's `now`, the last commit's time, and the due time if the clock sent the event.

        A user's time never goes back, although the clocks of instances differ.
        """
        due_at = event.occurred_at if isinstance(event.fact, TimePassed) else now
        return max(now, due_at, self.as_of or now)

    @property
    def announced_best(self) -> dict[str, Any]:
        """The announced facts of the subscription with the best status; empty before the first announcement."""
        facts = (one.facts for one in self.announced)
        return min(facts, key=lambda told: RANK[Status(told["status"])], default={})

    @property
    def announced_status(self) -> str | None:
        """The user's status as announced last; None before the first announcement."""
        return self.announced_best.get("status")

    def open_campaigns(self, now: datetime) -> tuple[str, ...]:
        """The campaigns that have a trigger open at `now`, withheld or not: sorted, at most `MAX_TRIGGERS`."""
        return tuple(sorted({trigger.campaign_id for trigger in self.triggers if trigger.is_open(now)}))

    @property
    def pending_messages(self) -> Iterator[Message]:
        """The messages of all pending entries, oldest first."""
        return (message for entry in self.pending for message in entry.messages)

    def trigger(self, trigger_id: str) -> Trigger | None:
        """One of the triggers; None if it is not among them, or not any more."""
        return next((one for one in self.triggers if one.trigger_id == trigger_id), None)

    def pending_entry(self, cause: str) -> Pending | None:
        """The pending messages of an event that was committed before. None if there are none."""
        return next((entry for entry in self.pending if entry.cause == cause), None)


def tombstone(user_id: str, erased_at: datetime) -> UserRecord:
    """All that is left of an erased user, so that a late event does not bring the user back."""
    return UserRecord(user_id, erased_at=erased_at)
