"""Spans of deliveries, received by a collector that speaks OTLP over HTTP."""

import gzip
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from shared.domain.errors import Rejected, Transient
from shared.observability.trace import TRACE
from shared.observability.tracing import delivery_span, export_spans

TRACE_ID, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Collector(ThreadingHTTPServer):
    """A collector that keeps the bodies it receives."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.bodies: list[bytes] = []

    @property
    def spans(self) -> list[Span]:
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [
            span
            for request in requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class Receiver(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.bodies.append(
            gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body
        )
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def flush(collector: Collector) -> Iterator[Callable[[], None]]:
    """Export to the collector until the function is called, or the test ends."""
    TRACE.set(f"00-{TRACE_ID}-{PARENT}-01")
    end = export_spans(f"http://127.0.0.1:{collector.server_port}/", "payment")
    yield end
    end()
    TRACE.set(None)


def attributes(span: Span) -> dict[str, str]:
    return {attribute.key: attribute.value.string_value for attribute in span.attributes}


def test_a_delivery_is_a_span_in_the_trace_of_its_message(collector: Collector, flush: Callable[[], None]) -> None:
    with delivery_span("payment") as note_outcome:
        note_outcome("applied")
    flush()
    (span,) = collector.spans
    assert (span.name, span.kind) == ("process payment", Span.SPAN_KIND_CONSUMER)
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE_ID, PARENT)
    assert attributes(span)["messaging.destination.name"] == "payment"
    assert attributes(span)["upbeat.outcome"] == "applied"
    assert b"service.name" in collector.bodies[0]


def test_log_lines_and_outgoing_messages_name_the_span(collector: Collector, flush: Callable[[], None]) -> None:
    with delivery_span("payment"):
        current = TRACE.get()
    flush()
    (span,) = collector.spans
    assert current == f"00-{TRACE_ID}-{span.span_id.hex()}-01"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Transient("gone"), Status.STATUS_CODE_ERROR),
        (KeyError("user-4711"), Status.STATUS_CODE_ERROR),
        (Rejected("invalid", "amount: expected a number"), Status.STATUS_CODE_UNSET),
    ],
)
def test_a_failure_marks_the_span_and_passes_through_without_its_text(
    error: Exception, status: int, collector: Collector, flush: Callable[[], None]
) -> None:
    with pytest.raises(type(error)), delivery_span("payment"):
        raise error
    flush()
    (span,) = collector.spans
    assert (span.status.code, span.status.message, len(span.events)) == (status, "", 0)
    assert attributes(span).get("upbeat.outcome") == ("dead_lettered" if isinstance(error, Rejected) else None)
    assert b"4711" not in collector.bodies[0]


def test_while_spans_are_not_exported_the_trace_stays_and_nothing_is_imported() -> None:
    script = (
        "import sys, shared.wiring, shared.entrypoints.pubsub\n"
        "from shared.observability.trace import TRACE\n"
        "from shared.observability.tracing import delivery_span\n"
        "TRACE.set('t')\n"
        "with delivery_span('payment') as note: note('applied')\n"
        "print(TRACE.get(), any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stdout == "t False\n"
