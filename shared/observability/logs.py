"""Logs for Cloud Logging: one JSON object per line, with severity and trace, and no personal data."""

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
"""The W3C traceparent of the delivery being processed."""

ERRORS_WITH_SAFE_TEXTS = (UpbeatError, AttributeError, ImportError, NameError, TypeError)
"""Errors whose texts are about code only. Those of all other errors may quote user data (`KeyError: 'user-1'`)."""

# https://www.w3.org/TR/trace-context/#traceparent-header
_is_traceparent = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}").fullmatch


class CloudFormatter(logging.Formatter):
    """Formats a log record as a structured payload of Cloud Logging.

    Field names: https://cloud.google.com/logging/docs/structured-logging#special-payload-fields.
    """

    def __init__(self, project: str) -> None:
        super().__init__()
        self.project = project

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON. The fields given as `extra={"fields": ...}` are added beside the message."""
        message = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            message = "\n".join((message, *_traceback_of(record.exc_info[1])))
        fields = getattr(record, "fields", {})
        line = {"severity": record.levelname, "message": message, **self._trace(), **fields}
        return orjson.dumps(line, default=str).decode()

    def _trace(self) -> dict[str, Any]:
        current = TRACE.get()
        if current is None:
            return {}
        _, trace, span, flags = current.split("-")
        return {
            "logging.googleapis.com/trace": f"projects/{self.project}/traces/{trace}",
            "logging.googleapis.com/spanId": span,
            "logging.googleapis.com/trace_sampled": bool(int(flags, 16) & 1),
        }


def traceparent(attributes: Mapping[str, str], headers: Mapping[str, str]) -> str | None:
    """The trace of a delivery: the publisher's from the message attributes, else the request's. None without one.

    Pub/Sub's clients write `googclient_traceparent`, other publishers `traceparent`. Malformed values are skipped,
    since a producer may put anything there.
    """
    candidates = (
        attributes.get("googclient_traceparent"),
        attributes.get("traceparent"),
        headers.get("traceparent"),
    )
    return next(filter(_is_traceparent, filter(None, candidates)), None)


def configure(project: str, level: str) -> None:
    """Send every log record of this process to standard output, formatted by `CloudFormatter`.

    Google's clients log from WARNING up, whatever the level: at DEBUG they log whole documents.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(CloudFormatter(project))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    google = logging.getLogger("google")
    google.setLevel(logging.WARNING)
    google.propagate = True


def _traceback_of(error: BaseException) -> Iterator[str]:
    """An error and its causes, as Python prints them, without the texts that may hold personal data."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause:
        yield from _traceback_of(cause)
        yield "\nThe error above caused this one:\n"
    yield "Traceback (most recent call last):"
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip()
    text = f": {error}" if isinstance(error, ERRORS_WITH_SAFE_TEXTS) else ""
    yield f"{type(error).__module__}.{type(error).__qualname__}{text}"
