"""Logs as Cloud Logging reads them: one JSON object a line, with severity and trace, and no personal data."""

import json
import logging
import sys
from collections.abc import Mapping
from contextvars import ContextVar

TRACE: ContextVar[str | None] = ContextVar("trace", default=None)
"""The W3C traceparent of the delivery in hand."""


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
        if record.exc_info:
            message = f"{message}\n{self.formatException(record.exc_info)}"
        fields = getattr(record, "fields", {})
        return json.dumps({"severity": record.levelname, "message": message, **self._trace(), **fields})

    def _trace(self) -> dict[str, object]:
        version_trace_span_flags = (TRACE.get() or "").split("-")
        if len(version_trace_span_flags) != 4:
            return {}
        _, trace, span, flags = version_trace_span_flags
        return {
            "logging.googleapis.com/trace": f"projects/{self.project}/traces/{trace}",
            "logging.googleapis.com/spanId": span,
            "logging.googleapis.com/trace_sampled": flags.endswith("1"),
        }


def traceparent(attributes: Mapping[str, str], headers: Mapping[str, str]) -> str | None:
    """The trace a delivery belongs to: the publisher's, as Pub/Sub's clients or it wrote it, else the request's."""
    for where, name in (
        (attributes, "googclient_traceparent"),
        (attributes, "traceparent"),
        (headers, "traceparent"),
    ):
        if value := where.get(name):
            return value
    return None


def configure(project: str, level: str) -> None:
    """Send everything that is logged in this process to standard output, in the form above."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(CloudFormatter(project))
    logging.basicConfig(handlers=[handler], level=level, force=True)
