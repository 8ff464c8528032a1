"""Logs for Cloud Logging: one JSON object per line, with severity and trace, and no personal data."""

import logging
import sys
import traceback
from collections.abc import Iterator
from typing import Any, TextIO

import orjson

from shared.domain.errors import UpbeatError
from shared.observability.trace import TRACE

ERRORS_WITH_SAFE_TEXTS = (UpbeatError, AttributeError, ImportError, NameError, TypeError)
"""Errors whose texts are about code only. Those of all other errors may quote user data (`KeyError: 'user-1'`)."""


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


def configure(project: str, level: str) -> None:
    """Send every log record of this process to standard output, formatted by `CloudFormatter`.

    Google's clients log from WARNING up, whatever the level: at DEBUG they log whole documents.
    """
    handler = logging.StreamHandler(_standard_output())
    handler.setFormatter(CloudFormatter(project))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    google = logging.getLogger("google")
    google.setLevel(logging.WARNING)
    google.propagate = True
    _enable_loggers()


def _standard_output() -> TextIO:
    """The process's own standard output.

    With `LOG_EXECUTION_ID`, functions-framework replaces `sys.stdout` while a function runs, and overwrites the
    span of each JSON line with the request's.
    """
    return sys.stdout if sys.__stdout__ is None else sys.__stdout__


def _enable_loggers() -> None:
    """Enable the loggers that `logging.config.dictConfig` disabled.

    With `LOG_EXECUTION_ID`, which Cloud Functions sets by default, functions-framework calls it after it loaded
    main.py, and `disable_existing_loggers` is on by default:
    https://docs.python.org/3/library/logging.config.html#logging-config-dictschema.
    """
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False


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
