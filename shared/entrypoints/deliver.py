"""Delivers one message to Upbeat. Functions call it for each push, and local runtimes without HTTP.

Every failure has one of three outcomes:

- Permanent failure (`Rejected`): the message goes to the dead letter and is acknowledged.
- Transient failure (`Transient`): the message is not acknowledged, so that it is delivered again.
- Bug (any other error): the message is not acknowledged either, and the error is logged with its traceback.

A stored document that this version cannot read (`UnreadableRecord`) counts as a bug: the event is redelivered
until a version is deployed that can read the document, and nothing overwrites the document.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from shared.contracts.inbound.envelope import Delivery, check_not_future, parse_event
from shared.contracts.outbound.dead_letter import dead_letter
from shared.domain.arrival import Arrival
from shared.domain.errors import Rejected, Transient
from shared.domain.events import Environment
from shared.entrypoints.body import check_complete
from shared.entrypoints.log_fields import delivery_fields, message_fields, mistake_fields, published
from shared.observability.event_log import ColdStart, EventFields, hash_user
from shared.observability.trace import TRACE, traceparent
from shared.observability.tracing import delivery_span
from shared.wiring import Wiring

log = logging.getLogger(__name__)

FAILED = "failed"
TRANSIENT, BUG = "transient", "unexpected_error"
COLD_START = ColdStart()


class Delivered(NamedTuple):
    """The outcome of a delivery, and the reason if it failed."""

    outcome: str
    """`applied`, `duplicate`, `late`, `ignored`, `dead_lettered`, `ticked` or `failed`."""
    reason: str | None = None
    """The reason of a failure. A message without one is acknowledged."""


class DeliveryResult(NamedTuple):
    """The outcome of one delivery, and the fields that its log line has besides."""

    outcome: str
    fields: EventFields


Handler = Callable[[Wiring, str, Delivery], Awaitable[DeliveryResult]]


async def process_event(wired: Wiring, topic: str, delivery: Delivery) -> DeliveryResult:
    """Process the event in a delivery. Raises what `Application.handle` raises."""
    event = parse_event(topic, delivery)
    if event.environment is Environment.SANDBOX and not wired.process_sandbox:
        return DeliveryResult(Arrival.IGNORED, {"reason": "sandbox"})
    check_not_future(event, wired.clock.now(), wired.terms.clock_skew)
    handled = await wired.application.handle(event)
    fields = mistake_fields(event, delivery)
    if handled.arrival is Arrival.IGNORED:
        fields["reason"] = "erased"
    if not log.isEnabledFor(logging.INFO):  # a replay logs no line of a success, and must not pay for its fields
        return DeliveryResult(handled.arrival, fields)
    fields |= message_fields(handled.messages, handled.status)
    if handled.waiting_verdicts:
        fields["waiting_verdicts"] = handled.waiting_verdicts
    if handled.features_failure:
        fields["features_failure"] = handled.features_failure
    if wired.log_content:
        fields["published"] = published(handled.messages)
    if wired.user_hash_key:
        fields["user_hash"] = hash_user(event.user_id, wired.user_hash_key)
    return DeliveryResult(handled.arrival, fields)


async def deliver(
    wired: Wiring,
    topic: str,
    delivery: Delivery,
    handler: Handler = process_event,
    decode: Callable[[bytes], Delivery] | None = None,
) -> Delivered:
    """Deliver a message of a topic to its handler, and log what became of it. Raises nothing.

    With `decode`, the data is the body of a request, which holds the message.
    """
    fields = first_fields(topic)
    try:
        return Delivered(await _handled(wired, topic, delivery, handler, decode, fields))
    except Transient as error:
        text = "%s: transient failure, redelivery requested: %s"
        log.warning(text, topic, error, extra=extra(fields, FAILED, TRANSIENT))
        return Delivered(FAILED, TRANSIENT)
    except Exception:
        return failed_by_bug(fields)


def first_fields(topic: str) -> EventFields:
    """The log fields that every delivery has."""
    return {"topic": topic, "cold_start": COLD_START.take()}


def failed_by_bug(fields: EventFields) -> Delivered:
    """Log the error that is being handled, with its traceback."""
    text = "%s: unexpected error, redelivery requested"
    log.exception(text, fields["topic"], extra=extra(fields, FAILED, BUG))
    return Delivered(FAILED, BUG)


def extra(fields: EventFields, outcome: str, reason: str | None = None) -> dict[str, EventFields]:
    """The fields as `logging` takes them."""
    known: EventFields = {**fields, "outcome": outcome}
    return {"fields": {**known, "reason": reason} if reason else known}


async def _handled(
    wired: Wiring,
    topic: str,
    delivery: Delivery,
    handler: Handler,
    decode: Callable[[bytes], Delivery] | None,
    fields: EventFields,
) -> str:
    """The outcome of a delivery that is to be acknowledged, after its line was logged."""
    received_at = wired.clock.now()
    try:
        check_complete(delivery, wired.max_body_bytes)
        if decode:
            delivery = decode(delivery.data)
        if wired.log_content:
            fields["data"] = delivery.data.decode(errors="replace")
        if publisher_trace := traceparent(delivery.attributes, {}):
            TRACE.set(publisher_trace)
        with delivery_span(topic) as note_outcome:
            outcome, own = await handler(wired, topic, delivery)
            note_outcome(outcome)
    except Rejected as rejected:
        await wired.publisher.publish([dead_letter(topic, delivery, rejected)])
        fields |= delivery_fields(delivery, received_at, wired.clock.now())
        text = "%s: dead letter: %s"
        log.warning(text, topic, rejected, extra=extra(fields, "dead_lettered", rejected.reason))
        return "dead_lettered"
    level = logging.WARNING if "dropped_attributes" in own else logging.INFO
    if log.isEnabledFor(level):
        fields |= own | delivery_fields(delivery, received_at, wired.clock.now())
        log.log(level, "%s: %s", topic, outcome, extra=extra(fields, outcome))
    return outcome
