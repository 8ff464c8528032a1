"""The log fields of one delivery: its timing, and the effects that its messages tell."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from shared.contracts.inbound.envelope import Delivery
from shared.contracts.outbound.message import Message
from shared.contracts.topics import Topic
from shared.domain.events import Event
from shared.observability.event_log import EventFields, timing_fields


def delivery_fields(delivery: Delivery, received_at: datetime, answered_at: datetime) -> EventFields:
    """The timing of a delivery, and its attempt if Pub/Sub counts attempts."""
    fields = timing_fields(delivery.publish_time, received_at, answered_at)
    if delivery.delivery_attempt is not None:
        fields["delivery_attempt"] = delivery.delivery_attempt
    return fields


def mistake_fields(event: Event, delivery: Delivery) -> EventFields:
    """The parts of an accepted event that were ignored by mistake, with the message's id to find it; or none."""
    if not event.dropped and not event.misspelt:
        return {}
    fields: EventFields = {}
    if event.dropped:
        fields["dropped_attributes"] = [*event.dropped]
    if event.misspelt:
        fields["unknown_fields"] = [*event.misspelt]
    if delivery.message_id:
        fields["message_id"] = delivery.message_id
    return fields


def published(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """The messages by which a reader of the log sees what came of an event, each with its topic."""
    told = (Topic.SUBSCRIPTION_CHANGE, Topic.UPSELL_TRIGGER)
    return [{"topic": message.topic, **message.body} for message in messages if message.topic in told]


def message_fields(messages: Iterable[Message], status: str | None) -> EventFields:
    """The status before and after, and the triggers, as the messages of one processing tell them.

    `status` is the user's status that is announced now; without a change it was the same before.
    """
    fields: EventFields = {"status_before": status, "status_after": status} if status else {}
    for message in messages:
        if message.topic == Topic.SUBSCRIPTION_CHANGE:
            before, after = message.body["before"]["status"], message.body["after"]["status"]
            if before != after == status:
                fields["status_before"] = before
        elif message.topic == Topic.UPSELL_TRIGGER:
            fields.setdefault("trigger_ids", []).append(message.body["trigger_id"])
    return fields
