"""The outbox: the messages one processing owes the world, numbered, and kept with the state that they tell of."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.contracts.messages import (
    Candidate,
    DecisionMessage,
    EventReference,
    Facts,
    Message,
    SubscriptionChange,
    SubscriptionFacts,
    TriggerKind,
    UpsellTrigger,
    difference,
    facts_of,
)
from shared.contracts.topics import Topic
from shared.decisioning.decide import Decision, Issued
from shared.domain.account import Account
from shared.domain.events import Event
from shared.domain.moments import Moment
from shared.domain.ring import to_micros
from shared.domain.subscription import Status, Subscription
from shared.domain.terms import Terms
from shared.domain.triggers import Trigger
from shared.record import Pending, UserRecord

UNKNOWN = facts_of(Subscription(""))
"""What the world knows of a user of whom it was told nothing."""


class Outbox:
    """Collects the messages of one processing, each with the next sequence number of its user.

    The models are not validated again here: what they are made of comes from the domain, and
    tests/test_messages_out.py validates every message of a replay.
    """

    def __init__(self, record: UserRecord, event: Event, now: datetime) -> None:
        self.record = record
        self.event = event
        self.now = now
        self.sequence = max(record.sequence, to_micros(now) - 1)
        self.reference = EventReference.model_construct(
            topic=event.key.topic, source=event.key.source, event_id=event.key.event_id
        )
        self.messages: tuple[Message, ...] = ()

    def issue(self, issued: Issued, catalog_version: str) -> None:
        """Say that an offer is to be shown."""
        self._trigger(
            TriggerKind.ISSUED,
            issued.trigger,
            catalog_version=catalog_version,
            experiment_id=issued.experiment_id,
            variant=issued.variant,
            propensity=issued.propensity,
            score=issued.score,
        )

    def revoke(self, trigger: Trigger) -> None:
        """Say that an offer is to be shown no longer."""
        self._trigger(TriggerKind.REVOKED, trigger)

    def explain(self, decision: Decision, moments: list[Moment]) -> None:
        """Say what was considered, and why each campaign won or lost."""
        self._add(
            DecisionMessage.model_construct(
                **self._header(),
                cause=self.event.key.cause,
                catalog_version=decision.catalog_version,
                moments=tuple(moment.kind for moment in moments),
                candidates=tuple(
                    Candidate.model_construct(**candidate._asdict()) for candidate in decision.candidates
                ),
            ).message()
        )

    def announce(self, account: Account) -> Facts:
        """Say what changed of the user's subscription, if anything did; returns what the world now knows."""
        before, after = self.record.announced or UNKNOWN, facts_of(account.best)
        if before == after:
            return self.record.announced
        then, now = difference(before, after)
        self._add(
            SubscriptionChange.model_construct(
                **self._header(),
                subscription_id=account.best.id,
                cause=self.event.key.cause,
                before=_told(then),
                after=_told(now),
            ).message()
        )
        return after

    def leave(self, record: UserRecord, terms: Terms) -> UserRecord:
        """The record with these messages pending under their event, and without what is too old to come again."""
        if not self.messages:
            return record
        kept = tuple(entry for entry in record.pending if self.now - entry.committed_at < terms.redelivery)
        entry = Pending.of(self.event, self.now, self.messages)
        return replace(record, pending=(*kept, entry), sequence=self.sequence)

    def _trigger(self, kind: TriggerKind, trigger: Trigger, **chosen: Any) -> None:
        self._add(
            UpsellTrigger.model_construct(
                **self._header(),
                kind=kind,
                trigger_id=trigger.trigger_id,
                subscription_id=trigger.subscription_id,
                campaign_id=trigger.campaign_id,
                offer_id=trigger.offer_id,
                placement=trigger.placement,
                channel=trigger.channel,
                moment=trigger.moment,
                cause=trigger.cause,
                expires_at=trigger.expires_at,
                **chosen,
            ).message()
        )

    def _header(self) -> dict[str, Any]:
        self.sequence += 1
        return {
            "user_id": self.record.user_id,
            "sequence": self.sequence,
            "decided_at": self.now,
            "event": self.reference,
        }

    def _add(self, message: Message) -> None:
        self.messages = (*self.messages, message)


def _told(facts: dict[str, Any]) -> SubscriptionFacts:
    return SubscriptionFacts.model_construct(**{**facts, "status": Status(facts["status"])})


def still_alive(left: Pending, record: UserRecord, now: datetime) -> list[Message]:
    """What is worth publishing again: no offer that was revoked or has expired since."""
    revoked = {trigger.trigger_id for trigger in record.triggers if trigger.revoked}
    return [message for message in left.messages if not (_is_issue(message) and _is_over(message, revoked, now))]


def _is_over(issue: Message, revoked: set[str], now: datetime) -> bool:
    return issue.body["trigger_id"] in revoked or datetime.fromisoformat(issue.body["expires_at"]) <= now


def _is_issue(message: Message) -> bool:
    return message.topic == Topic.UPSELL_TRIGGER and message.body["kind"] == TriggerKind.ISSUED
