"""Entry points for Pub/Sub push: one ASGI function per topic, which turns an outcome into an HTTP status."""

import logging
from collections.abc import Awaitable, Callable

import functions_framework.aio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from shared import wiring
from shared.contracts.inbound.envelope import decode
from shared.contracts.topics import Topic
from shared.entrypoints.body import read_body
from shared.entrypoints.deliver import (
    BUG,
    FAILED,
    TRANSIENT,
    Delivered,
    Handler,
    deliver,
    extra,
    failed_by_bug,
    first_fields,
    process_event,
)
from shared.observability.trace import TRACE, traceparent

log = logging.getLogger(__name__)

OUTCOME_HEADER = "x-upbeat-outcome"
"""Response header: the outcome, see `Delivered.outcome`."""

CLIENT_GONE = "client_gone"
# Pub/Sub takes 204 as an acknowledgement, and redelivers with back-off after 500 or 503.
# https://cloud.google.com/pubsub/docs/push#receive_push
STATUS = {None: 204, TRANSIENT: 503, CLIENT_GONE: 503, BUG: 500}
"""The HTTP status for each reason of a failure, and for none."""

Function = Callable[[Request], Awaitable[Response]]


def event_function(topic: Topic) -> Function:
    """The function that processes the events of a topic."""
    return push_function(topic, process_event)


def push_function(topic: Topic, handler: Handler) -> Function:
    """The function that answers each push. Its name is the topic's, with underscores for dashes.

    Raises `InvalidSettings` if the function could not work in this environment.
    """
    wiring.check_settings()

    async def function(request: Request) -> Response:
        if request.method != "POST":
            return Response("ok\n")
        outcome, reason = await _respond(topic, handler, request)
        return Response(status_code=STATUS[reason], headers={OUTCOME_HEADER: outcome})

    function.__name__ = function.__qualname__ = topic.replace("-", "_")
    functions_framework.aio.http(function)
    return function


async def _respond(topic: Topic, handler: Handler, request: Request) -> Delivered:
    """Deliver the message in a request."""
    TRACE.set(traceparent({}, request.headers))
    try:
        wired = wiring.current()
        received = await read_body(request, wired.max_body_bytes)
    except ClientDisconnect:
        text = "%s: the client went away before its request was complete"
        log.info(text, topic, extra=extra(first_fields(topic), FAILED, CLIENT_GONE))
        return Delivered(FAILED, CLIENT_GONE)
    except Exception:
        return failed_by_bug(first_fields(topic))
    return await deliver(wired, topic, received, handler, decode)
