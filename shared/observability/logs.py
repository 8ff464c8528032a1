"""Logs as Cloud Logging reads them: one JSON object a line, with severity and trace, and no personal data."""

import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any

import orjson

from shared.domain.errors import UpbeatError

TRACE: ContextVar[str | None] = ContextVar("trace", default=None)
"""The W3C traceparent of the delivery in hand."""

OUTSPOKEN = (UpbeatError, AttributeError, ImportError, NameError, TypeError)
"""Errors whose words speak of code alone; those of any other may quote what was in hand (`KeyError: 'user-1'`)."""

_is_traceparent = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}").fullmatch
"""See https://www.w3.org/TR/trace-context/#traceparent-header."""


class CloudFormatter(logging.Formatter):
    """A record as Cloud Logging's structured payload.

    Field names: https://cloud.google.com/logging/docs/structured-logging#special-payload-fields.
    """

    def __init__(self, project: str) -> None:
        super().__init__()
        self.project = project

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON; what the caller gave as `extra={"fields": ...}` stands beside the message."""
        message = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            message = "\n".join((message, *_told(record.exc_info[1])))
        fields = getattr(record, "fields", {})
        line = {"severity": record.levelname, "message": message, **self._trace(), **fields}
        return orjson.dumps(line, default=str).decode()

    def _trace(self) -> dict[str, Any]:
        given = TRACE.get()
        if given is None:
            return {}
        _, trace, span, flags = given.split("-")
        return {
            "logging.googleapis.com/trace": f"projects/{self.project}/traces/{trace}",
            "logging.googleapis.com/spanId": span,
            "logging.googleapis.com/trace_sampled": bool(int(flags, 16) & 1),
        }


def traceparent(attributes: Mapping[str, str], headers: Mapping[str, str]) -> str | None:
    """The trace of a delivery: the publisher's, as Pub/Sub's clients or it wrote it, else the request's.

    What is not written as a trace is passed over: a producer may have put anything there.
    """
    places = (
        attributes.get("googclient_traceparent"),
        attributes.get("traceparent"),
        headers.get("traceparent"),
    )
    return next(filter(_is_traceparent, filter(None, places)), None)


def configure(project: str, level: str) -> None:
    """Send everything that is logged in this process to standard output, in the form above.

    Google's clients are heard from WARNING on, whatever the level: at DEBUG they tell whole documents.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(CloudFormatter(project))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    google = logging.getLogger("google")
    google.setLevel(logging.WARNING)
    google.propagate = True


def _told(error: BaseException) -> Iterator[str]:
    """An error and what led to it, as Python prints it, without the words that may hold personal data."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before:
        yield from _told(before)
        yield "\nThe error above led to this one:\n"
    yield "Traceback (most recent call last):"
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip()
    words = f": {error}" if isinstance(error, OUTSPOKEN) else ""
    yield f"{type(error).__module__}.{type(error).__qualname__}{words}"
