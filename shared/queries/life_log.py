"""The entries of a user's life in a raw log: every event with its fate, and every message about the user."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from shared.contracts.inbound.envelope import EVENTS, check_not_future, parse_event
from shared.contracts.outbound.dead_letter import dead_letter
from shared.domain.arrival import Arrival, check_same
from shared.domain.errors import Rejected
from shared.domain.events import Environment, Event, FeedbackGiven, TimePassed
from shared.domain.terms import Terms
from shared.processing.process import absorb
from shared.queries.life_entry import Body, LifeEntry, LifeKind, outbound_entry
from shared.queries.life_letters import Letters, event_in, rejected_entry
from shared.queries.past_log import ABOUT_USER, Logged, is_whole, json_object
from shared.record.user_record import UserRecord

SANDBOX = "sandbox"
"""The note of an event of a test environment, which changes nothing."""


class Told(NamedTuple):
    """The life of a user as a raw log tells it."""

    entries: list[LifeEntry]
    """In the order of their publication."""
    record: UserRecord
    """The record to which the accepted events but feedback add up."""
    odd: int
    """Messages about the user that are not of this version's contract, and are left out."""


def read_log(user_id: str, logged: Sequence[Logged], terms: Terms) -> Told:
    """The life that messages tell, which come in the order of their publication."""
    letters = Letters(user_id, logged)
    fold = _Fold(user_id, terms)
    entries = [entry for message in logged if message.topic in EVENTS if (entry := fold.entry(message, letters))]
    out = [message for message in logged if message.topic in ABOUT_USER]
    told, odd = _messages_out(user_id, out)
    return Told(sorted((*entries, *letters.left(), *told), key=_published), fold.record, odd)


class _Fold:
    """The events of a user, each folded into what came before it."""

    def __init__(self, user_id: str, terms: Terms) -> None:
        self.record = UserRecord(user_id)
        self._terms = terms
        self._feedback: dict[str, str] = {}
        """The digests of the feedback so far, by cause."""

    def entry(self, message: Logged, letters: Letters) -> LifeEntry | None:
        """The entry of an event, accepted or not; None if it is about somebody else."""
        topic, published_at, delivery = message
        if letter := letters.of(message):
            return letter
        try:
            event = parse_event(topic, delivery)
            if event.user_id != self.record.user_id:
                return None
            check_not_future(event, published_at, self._terms.clock_skew)
            note = self._note(event)
        except Rejected as rejected:
            refusal = dead_letter(topic, delivery, rejected).body
            return rejected_entry(self.record.user_id, message, refusal, delivery)
        return LifeEntry(event.occurred_at, _kind(event), topic, event_in(delivery), published_at, note, event)

    def _note(self, event: Event) -> str:
        """Fold an event in; what became of it."""
        if event.environment is Environment.SANDBOX:
            return SANDBOX
        match event.fact:
            case TimePassed():
                return Arrival.APPLIED
            case FeedbackGiven():
                return self._feed_back(event)
        self.record, arrival, _ = absorb(self.record, event, self._terms)
        return arrival

    def _feed_back(self, event: Event) -> str:
        cause = event.key.cause
        if known := self._feedback.get(cause):
            check_same(known, event)
            return Arrival.DUPLICATE
        self._feedback[cause] = event.digest
        return Arrival.APPLIED


def _kind(event: Event) -> LifeKind:
    match event.fact:
        case TimePassed():
            return LifeKind.DUE
        case FeedbackGiven():
            return LifeKind.FEEDBACK
        case _:
            return LifeKind.EVENT


def _messages_out(user_id: str, out: Iterable[Logged]) -> tuple[list[LifeEntry], int]:
    """The entries of the messages about the user, each once, and the number of those that cannot be told."""
    entries: dict[str, LifeEntry] = {}
    odd = Counter[str]()
    for topic, published_at, delivery in out:
        body = json_object(delivery.data)
        if body.get("user_id") != user_id:
            continue
        if not is_whole(ABOUT_USER[topic], body):
            odd[topic] += 1
        else:
            entries.setdefault(_own_id(topic, body), outbound_entry(topic, body, published_at))
    return [*entries.values()], odd.total()


def _own_id(topic: str, body: Body) -> str:
    return str(body.get("message_id") or f"{topic} {body['sequence']}")


def _published(entry: LifeEntry) -> datetime:
    return entry.published_at or entry.at
