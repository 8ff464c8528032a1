"""The trace of the delivery being processed, in the form of W3C Trace Context."""

import re
from collections.abc import Mapping
from contextvars import ContextVar

TRACE: ContextVar[str | None] = ContextVar("trace", default=None)
"""The traceparent of the delivery being processed."""

PUBSUB_ATTRIBUTE = "googclient_traceparent"
"""The message attribute that Pub/Sub's client libraries write and read."""
W3C_NAME = "traceparent"
"""The name of the header, and of the message attribute that other publishers write."""

# https://www.w3.org/TR/trace-context/#traceparent-header
_is_traceparent = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}").fullmatch


def traceparent(attributes: Mapping[str, str], headers: Mapping[str, str]) -> str | None:
    """The trace of a delivery: the publisher's from the message attributes, else the request's. None without one.

    Malformed values are skipped, since a producer may put anything there.
    """
    candidates = (attributes.get(PUBSUB_ATTRIBUTE), attributes.get(W3C_NAME), headers.get(W3C_NAME))
    return next(filter(_is_traceparent, filter(None, candidates)), None)


def trace_attributes() -> dict[str, str]:
    """The attributes that carry the current trace into an outgoing message; none without a trace."""
    current = TRACE.get()
    return {PUBSUB_ATTRIBUTE: current, W3C_NAME: current} if current else {}
