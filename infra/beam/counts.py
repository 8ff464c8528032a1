"""The counters of a pipeline: Dataflow's page shows them while the pipeline runs, and `running` at the end."""

from typing import Any

from apache_beam.metrics import Metrics
from apache_beam.metrics.metric import MetricsFilter

NAMESPACE = "upbeat"
"""Of our counters, beside those of Beam."""


def _counter(name: str) -> Any:
    return Metrics.counter(NAMESPACE, name)


messages = _counter("messages")
users = _counter("users")
unreadable = _counter("unreadable_lines")
too_early = _counter("rows_too_early")
checked = _counter("facts_checked")
different = _counter("facts_different")


def counted(result: Any) -> dict[str, int]:
    """The counters of a pipeline that has ended, by their names, without those that are 0."""
    found = result.metrics().query(MetricsFilter().with_namespace(NAMESPACE))["counters"]
    values = {one.key.metric.name: int(one.result) for one in found}
    return {name: value for name, value in sorted(values.items()) if value}
