"""Entry points for Pub/Sub push: one ASGI function per topic, in which every failure has one of three outcomes.

- Permanent failure (`Rejected`): the message goes to the dead letter and is acknowledged.
- Transient failure (`Transient`): the message is not acknowledged, so that Pub/Sub delivers it again.
- Bug (any other error): the message is not acknowledged either, and the error is logged with its traceback.

A stored document that this version cannot read (`UnreadableRecord`) counts as a bug: the event is redelivered
until a version is deployed that can read the document, and nothing overwrites the document.
"""

import logging
from collections.abc import Awaitable, Callable

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from shared import wiring
from shared.contracts.inbound.envelope import Delivery, check_not_future, decode, parse_clock, parse_event
from shared.contracts.outbound.dead_letter import dead_letter
from shared.contracts.topics import Topic
from shared.domain.errors import Rejected, Transient
from shared.observability.logs import TRACE, traceparent
from shared.wiring import Wiring

log = logging.getLogger(__name__)

OUTCOME_HEADER = "x-upbeat-outcome"
"""Response header: applied, duplicate, late, dead_lettered, ticked or failed."""

# Pub/Sub takes 204 as an acknowledgement, and redelivers with back-off after 500 or 503.
# https://cloud.google.com/pubsub/docs/push#receive_push
ACKNOWLEDGED = 204
TRANSIENT_FAILURE = 503
BUG = 500

Function = Callable[[Request], Awaitable[Response]]
Handler = Callable[[Wiring, str, Delivery], Awaitable[str]]


def event_function(topic: Topic) -> Function:
    """The function that processes the events of a topic. Its name is the topic's, with underscores for dashes."""
    return _function(topic, _process)


def clock_function(topic: Topic) -> Function:
    """The function that publishes one message per due user at each tick of the scheduler."""
    return _function(topic, _tick)


def _function(topic: Topic, handler: Handler) -> Function:
    async def function(request: Request) -> Response:
        if request.method != "POST":
            return Response("ok\n")
        outcome, status = await _respond(topic, handler, await request.body(), request)
        return Response(status_code=status, headers={OUTCOME_HEADER: outcome})

    function.__name__ = function.__qualname__ = topic.replace("-", "_")
    functions_framework.aio.http(function)
    return function


async def _respond(topic: Topic, handler: Handler, body: bytes, request: Request) -> tuple[str, int]:
    """The outcome of one delivery, and the status from which Pub/Sub decides on redelivery."""
    TRACE.set(traceparent({}, request.headers))
    try:
        return await _deliver(topic, handler, body), ACKNOWLEDGED
    except Transient as error:
        log.warning(
            "%s: transient failure, redelivery requested: %s", topic, error, extra=_fields(topic, "failed")
        )
        return "failed", TRANSIENT_FAILURE
    except Exception:
        log.exception("%s: unexpected error, redelivery requested", topic, extra=_fields(topic, "failed"))
        return "failed", BUG


async def _deliver(topic: Topic, handler: Handler, body: bytes) -> str:
    wired = wiring.current()
    delivery = Delivery(body, {})
    try:
        delivery = decode(body)
        if publisher_trace := traceparent(delivery.attributes, {}):
            TRACE.set(publisher_trace)
        return await handler(wired, topic, delivery)
    except Rejected as rejected:
        fields = _fields(topic, "dead_lettered", reason=rejected.reason)
        log.warning("%s: dead letter: %s", topic, rejected, extra=fields)
        await wired.publisher.publish([dead_letter(topic, delivery, rejected)])
        return "dead_lettered"


async def _process(wired: Wiring, topic: str, delivery: Delivery) -> str:
    event = parse_event(topic, delivery)
    check_not_future(event, wired.clock.now(), wired.terms.clock_skew)
    return await wired.application.handle(event)


async def _tick(wired: Wiring, _topic: str, delivery: Delivery) -> str:
    published = await wired.ticker.tick(parse_clock(delivery).shards)
    log.info("due users: %d", published)
    return "ticked"


def _fields(topic: str, outcome: str, **more: str) -> dict[str, dict[str, str]]:
    """The fields that log-based metrics count by."""
    return {"fields": {"topic": topic, "outcome": outcome, **more}}
