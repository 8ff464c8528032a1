"""The outbox: the messages one processing owes the world, numbered, and kept with the state that they tell of."""

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property

from shared.contracts.outbound.messages import (
    ExposureDetails,
    ExposureKind,
    Facts,
    Json,
    Message,
    TriggerKind,
    change_message,
    decision_message,
    difference,
    exposure_message,
    facts_of,
    header,
    trigger_message,
)
from shared.contracts.topics import Topic
from shared.decisioning.decide import Candidate, Decision, Suppressed
from shared.domain.account import Account
from shared.domain.events import Event, FeedbackGiven
from shared.domain.instants import to_micros
from shared.domain.moments import Moment
from shared.domain.subscription import Subscription
from shared.domain.terms import Terms
from shared.domain.triggers import Trigger
from shared.record.user_record import Pending, UserRecord

UNKNOWN = facts_of(Subscription(""))
"""What the world knows of a user of whom it was told nothing."""
ALWAYS_TOLD = Candidate._fields[: Candidate._fields.index("suppressed")]
TOLD_IF_SO = ("holdout", *Candidate._fields[Candidate._fields.index("experiment_id") :])
"""Fields of a candidate that are told where they are not None."""


class Outbox:
    """Collects the messages of one processing, each with the next sequence number of its user."""

    def __init__(self, record: UserRecord, event: Event, now: datetime) -> None:
        self.record = record
        self.event = event
        self.now = now
        self.sequence = max(record.sequence, to_micros(now) - 1)
        self.messages: list[Message] = []

    def issue(self, trigger: Trigger) -> None:
        """Say that an offer is to be shown."""
        self.messages.append(trigger_message(self._header(), TriggerKind.ISSUED, trigger))

    def revoke(self, trigger: Trigger) -> None:
        """Say that an offer is to be shown no longer."""
        self.messages.append(trigger_message(self._header(), TriggerKind.REVOKED, trigger))

    def expose(self, trigger: Trigger, given: FeedbackGiven) -> None:
        """Say what a consumer reports of a trigger."""
        fate = ExposureDetails(ExposureKind(given.kind), self.event.occurred_at, trigger.offer_id)
        self.messages.append(exposure_message(self._header(), trigger, fate))

    def spare(self, spared: Suppressed) -> None:
        """Say what the user would have received."""
        fate = ExposureDetails(
            ExposureKind.SUPPRESSED, self.now, spared.offer_id, spared.reason.value, spared.detail
        )
        self.messages.append(exposure_message(self._header(), spared.trigger, fate))

    def explain(self, decision: Decision, moments: Iterable[Moment]) -> None:
        """Say what was considered, and why each campaign won or lost."""
        kinds = [moment.kind for moment in moments]
        candidates = [_told(candidate) for candidate in decision.candidates]
        cause = self.event.key.cause
        self.messages.append(decision_message(self._header(), cause, decision.catalog_version, kinds, candidates))

    def announce(self, account: Account) -> Facts:
        """Say what changed of the user's subscription, if anything did; returns what the world now knows."""
        before, after = self.record.announced or UNKNOWN, facts_of(account.best)
        if before == after:
            return self.record.announced
        then, now = difference(before, after)
        self.messages.append(change_message(self._header(), account.best.id, self.event.key.cause, then, now))
        return after

    def leave(self, record: UserRecord, terms: Terms) -> UserRecord:
        """The record with these messages pending under their event, and without what is too old to come again."""
        if not self.messages:
            return record
        kept = tuple(entry for entry in record.pending if self.now - entry.committed_at < terms.redelivery)
        entry = Pending.of(self.event, self.now, self.messages)
        return record._replace(pending=(*kept, entry), sequence=self.sequence)

    @cached_property
    def _beginning(self) -> Json:
        return header(self.record.user_id, self.now, self.event.key)

    def _header(self) -> Json:
        self.sequence += 1
        return self._beginning | {"sequence": self.sequence}


def _told(candidate: Candidate) -> Json:
    """A candidate as JSON."""
    told: Json = dict(zip(ALWAYS_TOLD, candidate, strict=False))
    if candidate.suppressed:
        told["suppressed"] = True
    if candidate.caps:
        told["caps"] = [count._asdict() for count in candidate.caps]
    return told | {name: value for name in TOLD_IF_SO if (value := getattr(candidate, name)) is not None}


def worth_republishing(left: Pending, record: UserRecord, now: datetime) -> list[Message]:
    """What is worth publishing again: no offer that was revoked or has expired since.

    A trigger that was revoked may not be remembered any more, but as long as its offer is pending its revocation,
    which came later, is pending too.
    """
    if not any(_says(message, TriggerKind.ISSUED) for message in left.messages):
        return [*left.messages]
    later = (message for entry in record.pending for message in entry.messages)
    revoked = {message.body["trigger_id"] for message in later if _says(message, TriggerKind.REVOKED)}
    return [message for message in left.messages if not _is_over(message, revoked, now)]


def _is_over(message: Message, revoked: set[str], now: datetime) -> bool:
    if not _says(message, TriggerKind.ISSUED):
        return False
    return message.body["trigger_id"] in revoked or datetime.fromisoformat(message.body["expires_at"]) <= now


def _says(message: Message, kind: TriggerKind) -> bool:
    return message.topic == Topic.UPSELL_TRIGGER and message.body["kind"] == kind
