"""Optional export of one OpenTelemetry span for each delivery. While it is off, no exporter is imported.

Spans follow the conventions for messaging: https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/.
They hold the topic and the outcome, and nothing about the user. Error texts are left out: they may quote data.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from shared.domain.errors import Rejected
from shared.observability.trace import TRACE, W3C_NAME

EXPORT_DELAY_MILLISECONDS = 1000
"""The longest wait of a finished span. A function has CPU only while it answers, so a long delay loses spans."""


class _Export:
    """The tracer of this process; None while spans are not exported."""

    tracer: Any = None


def export_spans(endpoint: str, service: str) -> Callable[[], None]:
    """Export a span of each delivery to an OTLP collector over HTTP. Call it after the server forked.

    Returns a function that sends what is not sent yet and ends the export. The SDK reads its further settings from
    the environment: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - if on
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=EXPORT_DELAY_MILLISECONDS))
    _Export.tracer = provider.get_tracer("upbeat")

    def end() -> None:
        _Export.tracer = None
        provider.shutdown()

    return end


@contextmanager
def delivery_span(topic: str) -> Iterator[Callable[[str], None]]:
    """A span of one delivery as a child of its trace, which it then replaces in `TRACE`.

    Yields a function that notes the outcome. Exceptions pass through; any but `Rejected` marks the span as failed.
    """
    if _Export.tracer is None:
        yield _ignore
        return
    from opentelemetry import trace  # noqa: PLC0415
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    propagator = TraceContextTextMapPropagator()
    current = TRACE.get()
    parent = propagator.extract({W3C_NAME: current} if current else {})
    attributes = {"messaging.system": "gcp_pubsub", "messaging.destination.name": topic}
    with _Export.tracer.start_as_current_span(
        f"process {topic}",
        parent,
        trace.SpanKind.CONSUMER,
        attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        carrier: dict[str, str] = {}
        propagator.inject(carrier)
        TRACE.set(carrier[W3C_NAME])
        note_outcome = partial(span.set_attribute, "upbeat.outcome")
        try:
            yield note_outcome
        except Rejected:
            note_outcome("dead_lettered")
            raise
        except Exception:
            span.set_status(trace.StatusCode.ERROR)
            raise


def _ignore(_outcome: str) -> None:
    """Note nothing, while spans are not exported."""
