"""The outbox: effects become numbered messages, which are stored with the state and published after the commit."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from shared.contracts.outbound.base import EventReference, Json, Sequenced
from shared.contracts.outbound.decision import DecisionMessage
from shared.contracts.outbound.exposure import Exposure, ExposureKind
from shared.contracts.outbound.message import Message
from shared.contracts.outbound.subscription_change import AllFacts, MomentTold, SubscriptionChange, difference
from shared.contracts.outbound.trigger_fields import trigger_fields
from shared.contracts.outbound.upsell_trigger import TriggerKind, UpsellTrigger
from shared.contracts.topics import Topic
from shared.decisioning.decide import Decision, Suppressed
from shared.decisioning.document.schema import Offer
from shared.domain.events import Event, FeedbackGiven
from shared.domain.instants import to_micros
from shared.domain.moments import MomentKind
from shared.domain.subscription import ENTITLED
from shared.domain.terms import Terms
from shared.domain.triggers import Trigger
from shared.processing.effects import Change, Effects
from shared.record.user_record import MAX_PUBLISHED, Pending, UserRecord

Draft = tuple[type[Sequenced], Json]
"""A message without what all messages of a processing share: its model and the fields of its own."""


def write_messages(effects: Effects, record: UserRecord, event: Event, now: datetime) -> tuple[Message, ...]:
    """The messages that tell the effects, each with the next sequence number of the user.

    A sequence number is at least the time in microseconds, so that it grows even if the document was lost.
    """
    drafts = [*_drafts(effects, event, now)]
    if not drafts:
        return ()
    first = max(record.sequence + 1, to_micros(now))
    shared_fields = {
        "user_id": record.user_id,
        "decided_at": now,
        "event": EventReference(topic=event.key.topic, source=event.key.source, event_id=event.key.event_id),
    }
    return tuple(
        model(sequence=sequence, **shared_fields, **fields).message()
        for sequence, (model, fields) in enumerate(drafts, first)
    )


def keep_pending(
    record: UserRecord, event: Event, messages: tuple[Message, ...], now: datetime, terms: Terms
) -> UserRecord:
    """The record with the messages pending under their event, without entries that are kept no longer.

    Those are entries too old to be redelivered, and all but the newest `MAX_PUBLISHED` of those that are out.
    """
    if not messages:
        return record
    young = [entry for entry in record.pending if now - entry.committed_at < terms.redelivery]
    surplus = sum(entry.is_published for entry in young) - MAX_PUBLISHED
    while surplus > 0:
        young.remove(next(entry for entry in young if entry.is_published))
        surplus -= 1
    entry = Pending.of(event, now, messages)
    return record._replace(pending=(*young, entry), sequence=messages[-1].body["sequence"])


def _drafts(effects: Effects, event: Event, now: datetime) -> Iterator[Draft]:
    cause, user_id = event.key.cause, event.user_id
    yield from (_revoked_draft(trigger, user_id) for trigger in effects.untrue)
    yield from _feedback_drafts(effects.reported, event)
    if effects.decision:
        yield from (_issued_draft(trigger, offer, user_id) for trigger, offer in effects.decision.offers)
        yield from (_suppressed_draft(offer, user_id, now) for offer in effects.decision.suppressed)
        if effects.decision.candidates:
            yield _decision_draft(effects.decision, effects.moments, cause)
    yield from (_change_draft(change, cause) for change in effects.changes)
    yield from (_revoked_draft(trigger, user_id) for trigger in effects.gone)


def _issued_draft(trigger: Trigger, offer: Offer, user_id: str) -> Draft:
    about = {"cms_ref": offer.cms_ref, "price_ref": offer.price_ref, "plan_to": offer.plan_to}
    return UpsellTrigger, _about_offer(TriggerKind.ISSUED, trigger) | about | trigger_fields(trigger, user_id)


def _revoked_draft(trigger: Trigger, user_id: str) -> Draft:
    about = _about_offer(TriggerKind.REVOKED, trigger) | {"revoke_reason": trigger.revoke_reason}
    return UpsellTrigger, about | trigger_fields(trigger, user_id)


def _about_offer(kind: TriggerKind, trigger: Trigger) -> Json:
    return {"kind": kind, "offer_id": trigger.offer_id, "expires_at": trigger.expires_at}


def _feedback_drafts(triggers: Iterable[Trigger], event: Event) -> Iterator[Draft]:
    if isinstance(event.fact, FeedbackGiven):
        about = {"kind": ExposureKind(event.fact.kind), "occurred_at": event.occurred_at}
        for trigger in triggers:
            of_trigger = {"offer_id": trigger.offer_id, "issued_at": trigger.decided_at}
            yield Exposure, about | of_trigger | trigger_fields(trigger, event.user_id)


def _suppressed_draft(offer: Suppressed, user_id: str, now: datetime) -> Draft:
    about = {"kind": ExposureKind.SUPPRESSED, "occurred_at": now, "offer_id": offer.offer_id}
    return Exposure, about | {"reason": offer.reason, "detail": offer.detail} | trigger_fields(
        offer.trigger, user_id
    )


def _decision_draft(decision: Decision, moments: tuple[MomentKind, ...], cause: str) -> Draft:
    context = decision.context
    return DecisionMessage, {
        "context": context.values,
        "context_left_out": context.left_out,
        "cause": cause,
        "catalog_version": decision.catalog_version,
        "moments": moments,
        "candidates": decision.candidates,
    }


def _change_draft(change: Change, cause: str) -> Draft:
    told = difference(change.before, change.after)
    return SubscriptionChange, {
        "subscription_id": change.subscription_id,
        "user_status": change.user_status,
        "user_entitled": change.user_status in ENTITLED,
        "cause": cause,
        "before": told.before,
        "after": told.after,
        "changed": told.changed,
        "facts": AllFacts.model_validate(change.after | change.payment),
        "moments": tuple(map(MomentTold.of, change.moments)),
    }


def worth_republishing(entry: Pending, record: UserRecord, now: datetime) -> list[Message]:
    """The pending messages of an event, without offers that were revoked or have expired since.

    A revocation that was published may no longer be pending, and a full document may have forgotten the trigger.
    Only if both are so is a revoked offer published again, with a lower sequence number than its revocation.
    """
    messages = [*entry.messages]
    if not any(_is_trigger(message, TriggerKind.ISSUED) for message in messages):
        return messages
    revoked = {trigger.trigger_id for trigger in record.triggers if trigger.revoked} | {
        message.body["trigger_id"]
        for message in record.pending_messages
        if _is_trigger(message, TriggerKind.REVOKED)
    }
    return [message for message in messages if not _is_over(message, revoked, now)]


def _is_over(message: Message, revoked: set[str], now: datetime) -> bool:
    if not _is_trigger(message, TriggerKind.ISSUED):
        return False
    return message.body["trigger_id"] in revoked or datetime.fromisoformat(message.body["expires_at"]) <= now


def _is_trigger(message: Message, kind: TriggerKind) -> bool:
    return message.topic == Topic.UPSELL_TRIGGER and message.body["kind"] == kind
