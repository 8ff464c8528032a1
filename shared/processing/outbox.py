"""The outbox: effects become numbered messages, which are stored with the state and published after the commit."""

from collections.abc import Iterator
from datetime import datetime

from shared.contracts.outbound import upsell_trigger
from shared.contracts.outbound.base import Draft, rfc3339
from shared.contracts.outbound.decision import decision_draft
from shared.contracts.outbound.exposure import reported, suppressed
from shared.contracts.outbound.message import Message
from shared.contracts.outbound.subscription_change import change_draft, difference
from shared.contracts.outbound.upsell_trigger import TriggerKind
from shared.contracts.topics import Topic
from shared.decisioning.decide import Decision, Suppressed
from shared.decisioning.document.schema import Offer
from shared.decisioning.losses import NOT_GIVEN
from shared.domain.events import Event, FeedbackGiven
from shared.domain.instants import to_micros
from shared.domain.moments import MomentKind
from shared.domain.subscription import ENTITLED
from shared.domain.terms import Terms
from shared.domain.triggers import Trigger
from shared.processing.effects import Change, Effects
from shared.record.user_record import MAX_PUBLISHED, Pending, UserRecord


def write_messages(effects: Effects, record: UserRecord, event: Event, now: datetime) -> tuple[Message, ...]:
    """The messages that tell the effects, each with the next sequence number of the user.

    A sequence number is at least the time in microseconds, so that it grows even if the document was lost.
    """
    drafts = [*_drafts(effects, event, now)]
    if not drafts:
        return ()
    first = max(record.sequence + 1, to_micros(now))
    shared_fields = {
        "schema_version": 1,
        "user_id": record.user_id,
        "decided_at": rfc3339(now),
        "event": {"topic": event.key.topic, "source": event.key.source, "event_id": event.key.event_id},
    }
    return tuple([draft.message(shared_fields, sequence) for sequence, draft in enumerate(drafts, first)])


def keep_pending(
    record: UserRecord, event: Event, messages: tuple[Message, ...], now: datetime, terms: Terms
) -> UserRecord:
    """The record with the messages pending under their event, without entries that are kept no longer.

    Those are entries too old to be redelivered, and all but the newest `MAX_PUBLISHED` of those that are out.
    """
    if not messages:
        return record
    young = [entry for entry in record.pending if now - entry.committed_at < terms.redelivery]
    surplus = [entry for entry in young if entry.is_published][:-MAX_PUBLISHED]
    kept = (entry for entry in young if entry not in surplus)
    entry = Pending.of(event, now, messages)
    return record._replace(pending=(*kept, entry), sequence=messages[-1].body["sequence"])


def _drafts(effects: Effects, event: Event, now: datetime) -> Iterator[Draft]:
    user_id = event.user_id
    yield from (upsell_trigger.revoked(trigger, user_id) for trigger in effects.untrue)
    if isinstance(event.fact, FeedbackGiven):
        kind = event.fact.kind
        yield from (reported(trigger, event, kind) for trigger in effects.reported)
    if effects.decision:
        yield from (_issued(trigger, offer, user_id) for trigger, offer in effects.decision.offers)
        yield from (_suppressed(offer, event, now) for offer in effects.decision.suppressed)
        if effects.decision.results:
            yield _decision(effects.decision, effects.moments, event)
    yield from (_change(change, event) for change in effects.changes)
    yield from (upsell_trigger.revoked(trigger, user_id) for trigger in effects.gone)


def _issued(trigger: Trigger, offer: Offer, user_id: str) -> Draft:
    of_offer = {"cms_ref": offer.cms_ref, "price_ref": offer.price_ref, "plan_to": offer.plan_to}
    return upsell_trigger.issued(trigger, user_id, of_offer)


def _suppressed(offer: Suppressed, event: Event, now: datetime) -> Draft:
    about = {"offer_id": offer.offer_id, "reason": offer.reason.value, "detail": offer.detail}
    if offer.reason in NOT_GIVEN:  # it won, so that the document keeps it
        about["expires_at"] = rfc3339(offer.trigger.expires_at)
        about["counted_offer_id"] = offer.trigger.offer_id
    return suppressed(offer.trigger, event, now, about)


def _decision(decision: Decision, moments: tuple[MomentKind, ...], event: Event) -> Draft:
    candidates = [*decision.candidates]  # before the context, which tells of the scores that they asked for
    context = decision.context
    about = {
        "catalog_version": decision.catalog_version,
        "moments": [kind.value for kind in moments],
        "context": context.values,
    }
    if context.features_missing:
        about["features_missing"] = [*context.features_missing]
    return decision_draft(event.user_id, event.key.cause, about, candidates, context.left_out)


def _change(change: Change, event: Event) -> Draft:
    about = {
        "subscription_id": change.subscription_id,
        "user_status": change.user_status.value,
        "user_entitled": change.user_status in ENTITLED,
        "facts": change.after | change.payment,
    }
    told = difference(change.before, change.after)
    return change_draft(event.user_id, event.key.cause, about, told, change.moments)


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
