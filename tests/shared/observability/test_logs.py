"""Logs: the fields that Cloud Logging reads, and no personal data."""

import contextlib
import importlib
import io
import json
import logging
import logging.config
import sys

import pytest

from shared.domain.errors import Transient
from shared.observability.logs import CloudFormatter, configure
from shared.observability.trace import TRACE, traceparent

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN_ID = "00f067aa0ba902b7"
SAMPLED = f"00-{TRACE_ID}-{SPAN_ID}-01"
OTHER = f"00-{TRACE_ID[::-1]}-{SPAN_ID[::-1]}-00"


def line(message: str, *values: object, level: int = logging.INFO, **more: object) -> dict[str, object]:
    """A log line as Cloud Logging would parse it."""
    error = sys.exc_info() if sys.exc_info()[0] else None
    record = logging.LogRecord("shared", level, __file__, 1, message, values, error)
    record.__dict__.update(more)
    written = CloudFormatter("p").format(record)
    assert "\n" not in written
    return json.loads(written)


@pytest.fixture
def trace():
    """A function that sets the trace of the current delivery."""
    tokens = []
    yield lambda value: tokens.append(TRACE.set(value))
    for token in reversed(tokens):
        TRACE.reset(token)


def test_a_line_has_severity_and_message() -> None:
    assert line("%d users are due", 3) == {"severity": "INFO", "message": "3 users are due"}
    assert line("oh", level=logging.ERROR)["severity"] == "ERROR"


def test_fields_stand_beside_the_message() -> None:
    assert line("no", fields={"topic": "payment"}) == {"severity": "INFO", "message": "no", "topic": "payment"}


def test_a_line_names_its_trace(trace) -> None:
    trace(SAMPLED)
    assert line("hi") == {
        "severity": "INFO",
        "message": "hi",
        "logging.googleapis.com/trace": f"projects/p/traces/{TRACE_ID}",
        "logging.googleapis.com/spanId": SPAN_ID,
        "logging.googleapis.com/trace_sampled": True,
    }


@pytest.mark.parametrize(("flags", "sampled"), [("00", False), ("01", True), ("03", True), ("02", False)])
def test_the_last_bit_of_the_flags_says_whether_it_is_sampled(trace, flags: str, sampled: bool) -> None:
    trace(SAMPLED[:-2] + flags)
    assert line("hi")["logging.googleapis.com/trace_sampled"] is sampled


def test_the_publishers_trace_goes_before_the_requests() -> None:
    both = {"googclient_traceparent": SAMPLED, "traceparent": OTHER}
    assert traceparent(both, {"traceparent": OTHER}) == SAMPLED
    assert traceparent({"traceparent": SAMPLED}, {"traceparent": OTHER}) == SAMPLED
    assert traceparent({}, {"traceparent": OTHER}) == OTHER
    assert traceparent({}, {}) is None


@pytest.mark.parametrize("nonsense", ["", "user-1", "a-b-c-d", SAMPLED + "\n", SAMPLED.upper(), SAMPLED + "-00"])
def test_what_is_no_trace_is_passed_over(nonsense: str) -> None:
    assert traceparent({"googclient_traceparent": nonsense, "traceparent": nonsense}, {}) is None
    assert traceparent({"googclient_traceparent": nonsense}, {"traceparent": OTHER}) == OTHER


def test_an_error_is_told_with_its_trace_but_not_in_words_that_may_be_a_users() -> None:
    try:
        try:
            int("user-4711")
        except ValueError as error:
            raise KeyError("user-4711") from error
    except KeyError:
        told = str(line("a bug", level=logging.ERROR)["message"])
    assert "4711" not in told.replace('"user-4711"', "")
    first, second = told.split("The error above caused this one:")
    assert first.startswith("a bug\nTraceback (most recent call last):\n")
    assert first.rstrip().endswith("\nbuiltins.ValueError")
    assert second.endswith("\nbuiltins.KeyError")
    assert __file__ in first
    assert __file__ in second


def test_words_that_speak_of_code_alone_are_kept() -> None:
    for error in (Transient("Firestore: DeadlineExceeded"), AttributeError("'NoneType' has no attribute 'plan'")):
        try:
            raise error
        except type(error):
            assert str(line("oh")["message"]).endswith(f"{type(error).__name__}: {error}")


def test_a_context_that_was_suppressed_is_not_told() -> None:
    try:
        try:
            int("user-4711")
        except ValueError:
            raise TypeError("words") from None
    except TypeError:
        assert "ValueError" not in str(line("oh")["message"])


@pytest.mark.usefixtures("loggers_as_they_were")
def test_everything_logged_in_the_process_goes_to_standard_output(capfd) -> None:
    configure("p", "WARNING")
    logging.getLogger("elsewhere").warning("from %s", "elsewhere")
    logging.getLogger("shared").info("too quiet")
    (only,) = capfd.readouterr().out.splitlines()
    assert json.loads(only) == {"severity": "WARNING", "message": "from elsewhere"}


@pytest.mark.usefixtures("loggers_as_they_were")
def test_loggers_that_the_framework_disabled_log_again(capfd) -> None:
    """functions-framework does this after it loads main.py, if LOG_EXECUTION_ID is set."""
    own = logging.getLogger("shared.entrypoints.deliver")
    logging.config.dictConfig({"version": 1, "root": {"level": "WARNING"}})
    assert own.disabled
    configure("p", "INFO")
    with contextlib.redirect_stdout(io.StringIO()):
        own.info("heard again")
    (only,) = capfd.readouterr().out.splitlines()
    assert json.loads(only) == {"severity": "INFO", "message": "heard again"}


@pytest.mark.usefixtures("loggers_as_they_were")
def test_googles_clients_never_tell_what_they_send(capfd) -> None:
    configure("p", "DEBUG")
    importlib.import_module("google.cloud.firestore")
    logging.getLogger("google.cloud.firestore_v1").debug("a whole document")
    logging.getLogger("google.auth").warning("no credentials")
    assert [json.loads(told)["message"] for told in capfd.readouterr().out.splitlines()] == ["no credentials"]
