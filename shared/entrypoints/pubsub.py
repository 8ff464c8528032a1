"""Entry points for Pub/Sub push: one ASGI function per topic, in which every failure has one of three outcomes.

- Permanent failure (`Rejected`): the message goes to the dead letter and is acknowledged.
- Transient failure (`Transient`): the message is not acknowledged, so that Pub/Sub delivers it again.
- Bug (any other error): the message is not acknowledged either, and the error is logged with its traceback.

A stored document that this version cannot read (`UnreadableRecord`) counts as a bug: the event is redelivered
until a version is deployed that can read the document, and nothing overwrites the document.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import functions_framework.aio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from shared import wiring
from shared.contracts.inbound.envelope import Delivery, check_not_future, decode, parse_event
from shared.contracts.outbound.dead_letter import dead_letter
from shared.contracts.topics import Topic
from shared.domain.errors import Rejected, Transient
from shared.domain.events import Environment
from shared.entrypoints.body import check_complete, read_body
from shared.entrypoints.log_fields import delivery_fields, dropped_fields, message_fields
from shared.observability.event_log import ColdStart, EventFields, hash_user
from shared.observability.trace import TRACE, traceparent
from shared.observability.tracing import delivery_span
from shared.wiring import Wiring

log = logging.getLogger(__name__)

OUTCOME_HEADER = "x-upbeat-outcome"
"""Response header: applied, duplicate, late, ignored, dead_lettered, ticked or failed."""

# Pub/Sub takes 204 as an acknowledgement, and redelivers with back-off after 500 or 503.
# https://cloud.google.com/pubsub/docs/push#receive_push
ACKNOWLEDGED = 204
TRANSIENT_FAILURE = 503
BUG = 500

FAILED = "failed"
COLD_START = ColdStart()


class DeliveryResult(NamedTuple):
    """The outcome of one delivery, and the fields that its log line has besides."""

    outcome: str
    fields: EventFields


Function = Callable[[Request], Awaitable[Response]]
Handler = Callable[[Wiring, str, Delivery], Awaitable[DeliveryResult]]


def event_function(topic: Topic) -> Function:
    """The function that processes the events of a topic."""
    return push_function(topic, _process)


def push_function(topic: Topic, handler: Handler) -> Function:
    """The function that answers each push. Its name is the topic's, with underscores for dashes.

    Raises `InvalidSettings` if the function could not work in this environment.
    """
    wiring.check_settings()

    async def function(request: Request) -> Response:
        if request.method != "POST":
            return Response("ok\n")
        outcome, status = await _respond(topic, handler, request)
        return Response(status_code=status, headers={OUTCOME_HEADER: outcome})

    function.__name__ = function.__qualname__ = topic.replace("-", "_")
    functions_framework.aio.http(function)
    return function


async def _respond(topic: Topic, handler: Handler, request: Request) -> tuple[str, int]:
    """The outcome of one delivery, and the status from which Pub/Sub decides on redelivery."""
    TRACE.set(traceparent({}, request.headers))
    fields: EventFields = {"topic": topic.value, "cold_start": COLD_START.take()}
    try:
        outcome = await _deliver(topic, handler, request, fields)
    except ClientDisconnect:
        text = "%s: the client went away before its request was complete"
        log.info(text, topic, extra=_extra(fields, FAILED, "client_gone"))
        return FAILED, TRANSIENT_FAILURE
    except Transient as error:
        text = "%s: transient failure, redelivery requested: %s"
        log.warning(text, topic, error, extra=_extra(fields, FAILED, "transient"))
        return FAILED, TRANSIENT_FAILURE
    except Exception:
        text = "%s: unexpected error, redelivery requested"
        log.exception(text, topic, extra=_extra(fields, FAILED, "unexpected_error"))
        return FAILED, BUG
    return outcome, ACKNOWLEDGED


async def _deliver(topic: Topic, handler: Handler, request: Request, fields: EventFields) -> str:
    """The outcome of a delivery that is to be acknowledged, after its line was logged."""
    wired = wiring.current()
    delivery = await read_body(request, wired.max_body_bytes)
    received_at = wired.clock.now()
    try:
        check_complete(delivery, wired.max_body_bytes)
        delivery = decode(delivery.data)
        if publisher_trace := traceparent(delivery.attributes, {}):
            TRACE.set(publisher_trace)
        with delivery_span(topic) as note_outcome:
            outcome, own = await handler(wired, topic, delivery)
            note_outcome(outcome)
    except Rejected as rejected:
        await wired.publisher.publish([dead_letter(topic, delivery, rejected)])
        fields |= delivery_fields(delivery, received_at, wired.clock.now())
        text = "%s: dead letter: %s"
        log.warning(text, topic, rejected, extra=_extra(fields, "dead_lettered", rejected.reason))
        return "dead_lettered"
    level = logging.WARNING if "dropped_attributes" in own else logging.INFO
    if log.isEnabledFor(level):
        fields |= own | delivery_fields(delivery, received_at, wired.clock.now())
        log.log(level, "%s: %s", topic, outcome, extra=_extra(fields, outcome))
    return outcome


async def _process(wired: Wiring, topic: str, delivery: Delivery) -> DeliveryResult:
    event = parse_event(topic, delivery)
    if event.environment is Environment.SANDBOX and not wired.process_sandbox:
        return DeliveryResult("ignored", {})
    check_not_future(event, wired.clock.now(), wired.terms.clock_skew)
    handled = await wired.application.handle(event)
    fields = dropped_fields(event, delivery)
    if not log.isEnabledFor(logging.INFO):  # a replay logs no line of a success, and must not pay for its fields
        return DeliveryResult(handled.arrival, fields)
    fields |= message_fields(handled.messages, handled.status)
    if handled.waiting_verdicts:
        fields["waiting_verdicts"] = handled.waiting_verdicts
    if wired.user_hash_key:
        fields["user_hash"] = hash_user(event.user_id, wired.user_hash_key)
    return DeliveryResult(handled.arrival, fields)


def _extra(fields: EventFields, outcome: str, reason: str | None = None) -> dict[str, EventFields]:
    """The fields as `logging` takes them."""
    known: EventFields = {**fields, "outcome": outcome}
    return {"fields": {**known, "reason": reason} if reason else known}
