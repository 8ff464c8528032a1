"""The entry point: turns a topic into an ASGI function, and every failure into one of three outcomes.

Can never succeed: to the dead letter, acknowledged. May succeed later: not acknowledged, so that Pub/Sub sends it
again. A bug: the same, and logged as an error with its trace. A stored document that this version cannot read
(`UnreadableRecord`) is a bug too: the event waits for a version that can, and nothing overwrites the document.
"""

import logging
from collections.abc import Awaitable, Callable

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from shared import wiring
from shared.contracts.inbound.envelope import Delivery, check_not_future, decode, parse_clock, parse_event
from shared.contracts.outbound.messages import dead_letter
from shared.contracts.topics import Topic
from shared.domain.errors import Rejected, Transient
from shared.observability.logs import TRACE, traceparent
from shared.wiring import Wiring

log = logging.getLogger(__name__)

OUTCOME = "x-upbeat-outcome"
"""Response header: applied, duplicate, late, dead_lettered, ticked or failed."""
ACKNOWLEDGED = 204
TRY_AGAIN = 503
BUG = 500

Function = Callable[[Request], Awaitable[Response]]
Work = Callable[[Wiring, str, Delivery], Awaitable[str]]


def event_function(topic: Topic) -> Function:
    """The function that processes the events of one topic; its name is the topic's, with underscores."""
    return _function(topic, _process)


def clock_function(topic: Topic) -> Function:
    """The function that turns the scheduler's ticks into one message for each user who is due."""
    return _function(topic, _tick)


def _function(topic: Topic, work: Work) -> Function:
    async def function(request: Request) -> Response:
        if request.method != "POST":
            return Response("ok\n")
        outcome, status = await _answer(topic, work, await request.body(), request)
        return Response(status_code=status, headers={OUTCOME: outcome})

    function.__name__ = function.__qualname__ = topic.replace("-", "_")
    functions_framework.aio.http(function)
    return function


async def _answer(topic: Topic, work: Work, body: bytes, request: Request) -> tuple[str, int]:
    """The outcome of one delivery, and the status that tells Pub/Sub whether to send it again."""
    TRACE.set(traceparent({}, request.headers))
    try:
        return await _deliver(topic, work, body), ACKNOWLEDGED
    except Transient as error:
        log.warning("%s: to be delivered again: %s", topic, error, extra=_fields(topic, "failed"))
        return "failed", TRY_AGAIN
    except Exception:
        log.exception("%s: a bug, to be delivered again", topic, extra=_fields(topic, "failed"))
        return "failed", BUG


async def _deliver(topic: Topic, work: Work, body: bytes) -> str:
    wired = wiring.current()
    delivery = Delivery(body, {})
    try:
        delivery = decode(body)
        if publishers_own := traceparent(delivery.attributes, {}):
            TRACE.set(publishers_own)
        return await work(wired, topic, delivery)
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
    log.info("%d users are due", published)
    return "ticked"


def _fields(topic: str, outcome: str, **more: str) -> dict[str, dict[str, str]]:
    """What log-based metrics count by."""
    return {"fields": {"topic": topic, "outcome": outcome, **more}}
