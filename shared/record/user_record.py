"""The user's document: everything Upbeat knows of one user, and what it has yet to tell others."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import orjson

from shared.contracts.outbound.messages import Message
from shared.domain.assignments import Assignment
from shared.domain.events import Event, TimePassed, cause_of
from shared.domain.history import History
from shared.domain.moments import Deferred
from shared.domain.profiles import ProfileFact
from shared.domain.signals import BehaviouralSignal
from shared.domain.tallies import Tallies
from shared.domain.triggers import Trigger

MAX_TRIGGERS = 48
MAX_DEFERRED = 16
MAX_FIRED = 64


class Pending(NamedTuple):
    """Messages committed with the state, but perhaps not yet published, under the event that caused them."""

    cause: str
    digest: str
    committed_at: datetime
    payload: str = ""
    """The messages as JSON text, since hardly any of them is ever read again."""

    @classmethod
    def of(cls, event: Event, now: datetime, messages: Sequence[Message]) -> "Pending":
        """The messages that an event led to."""
        rows = [(message.topic, message.message_id, orjson.Fragment(message.data)) for message in messages]
        return cls(event.key.cause, event.digest, now, orjson.dumps(rows).decode())

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages, to be published again."""
        return tuple(Message(*row) for row in orjson.loads(self.payload))


class Fired(NamedTuple):
    """The causes that time brought and that were decided, winner or not, so that none is decided twice."""

    causes: tuple[tuple[datetime, str], ...] = ()
    """The short names of the newest 64, by the instant of their moment: a cause itself may be long."""
    floor: datetime | None = None
    """What is not newer than this has been decided, though its cause is no longer kept."""

    def covers(self, at: datetime, cause: str) -> bool:
        """Whether a moment of this instant and cause was decided."""
        name = cause_of(cause)
        return (self.floor is not None and at <= self.floor) or any(name == decided for _, decided in self.causes)

    def plus(self, new: tuple[tuple[datetime, str], ...]) -> "Fired":
        """With more causes decided."""
        if not new:
            return self
        causes = tuple(sorted({*self.causes, *((at, cause_of(cause)) for at, cause in new)}))
        floor = causes[-MAX_FIRED - 1][0] if len(causes) > MAX_FIRED else self.floor
        return Fired(causes[-MAX_FIRED:], floor)


class UserRecord(NamedTuple):
    """One user's document. Every collection in it has a bound.

    A named tuple like `Subscription`, which is three times as quick to copy as a frozen dataclass.
    """

    user_id: str
    history: History = History()
    profile: tuple[ProfileFact, ...] = ()
    signals: tuple[BehaviouralSignal, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    """The newest 48 offers made, oldest first: what caps count, what feedback speaks of, what may be revoked."""
    fired: Fired = Fired()
    announced: dict[str, str | bool | None] = {}  # noqa: RUF012 - nothing ever changes it
    """What the last `subscription-change` told the world; empty before the first."""
    next_due_at: datetime | None = None
    sequence: int = 0
    """The last sequence number given to a message."""
    pending: tuple[Pending, ...] = ()
    """Oldest first."""
    tallies: Tallies = Tallies()
    """Older offers, counted, so that caps are kept for ever."""
    assignments: tuple[Assignment, ...] = ()
    """The variants of experiments that the user was given."""
    deferred: tuple[Deferred, ...] = ()
    """What is to be decided afresh when the user may be disturbed again."""
    raised: tuple[str, ...] = ()
    """The scores that are up, and bring their moment again only after they have fallen."""
    as_of: datetime | None = None
    """The present at the last commit. A user's time never goes back, though instances' clocks differ."""

    def present(self, now: datetime, event: Event) -> datetime:
        """What time it is for this user, where a clock says `now`: no earlier than was committed, or is due."""
        due_at = event.occurred_at if isinstance(event.fact, TimePassed) else now
        return max(now, due_at, self.as_of or now)

    def pending_for(self, cause: str) -> Pending | None:
        """What an event left to be published, if it was committed."""
        return next((entry for entry in self.pending if entry.cause == cause), None)
