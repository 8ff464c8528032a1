"""The rule for what is watched: log field, metric label, alert and runbook have the same names."""

import json
import re
from collections.abc import Iterator

from infra.topology import ROOT
from shared.observability.event_log import FIELDS
from tests.infra.terraform.resources import Resource, of_type

OPERATIONS = ROOT / "docs" / "operations.md"
_fields_of = re.compile(r"jsonPayload\.(\w+)").findall
_metrics_of = re.compile(
    r"logging_googleapis_com:user_upbeat_([a-z_]+?)(?:_bucket|_sum|_count)?\{([^}]*)\}"
).findall
_labels_of = re.compile(r"(\w+)\s*(?:=~|!=|!~|=)").findall
_grouped_by = re.compile(r"\bby \(([^)]*)\)").findall
MONITORED = {"monitored_resource", "le", "service_name", "subscription_id"}
"""Labels that Cloud Monitoring itself sets, and the bucket of a histogram."""


def runbooks() -> list[str]:
    """The headings of the runbooks, in the order of the page."""
    page = OPERATIONS.read_text().partition("## Runbooks\n")[2].partition("\n## ")[0]
    return re.findall(r"^### (.+)$", page, re.MULTILINE)


def watch_problems(found: list[Resource]) -> Iterator[str]:
    """Sentences about names that do not lead from a log field to a metric, an alert and a runbook."""
    metrics = of_type(found, "google_logging_metric")
    alerts = of_type(found, "google_monitoring_alert_policy")
    (dashboard,) = of_type(found, "google_monitoring_dashboard")
    for each in [*metrics, *alerts]:
        for field in sorted(set(_fields_of(json.dumps(each.values))) - set(FIELDS)):
            yield f"{each.name} {each.key}: expected fields of the event log, found {field}"
    labels = {each.values["name"].partition("/")[2]: _metric_labels(each) for each in metrics}
    queries = [*_queries_of(alerts), *_dashboard_queries(dashboard)]
    used = {name for query in queries for name, _ in _metrics_of(query)}
    yield from (f"expected the metric {name} in an alert or chart, found none" for name in set(labels) - used)
    for query in queries:
        yield from _query_problems(query, labels)
    yield from _runbook_problems([each.values["display_name"] for each in alerts])


def _metric_labels(metric: Resource) -> set[str]:
    extractors = metric.values["label_extractors"] or {}
    return {label for label, text in extractors.items() if text == f"EXTRACT(jsonPayload.{label})"}


def _queries_of(alerts: list[Resource]) -> Iterator[str]:
    for each in alerts:
        for condition in each.values["conditions"]:
            for language in condition["condition_prometheus_query_language"]:
                yield language["query"]


def _dashboard_queries(dashboard: Resource) -> Iterator[str]:
    for tile in json.loads(dashboard.values["dashboard_json"])["mosaicLayout"]["tiles"]:
        for chart in tile["widget"]["xyChart"]["dataSets"]:
            yield chart["timeSeriesQuery"]["prometheusQuery"]


def _query_problems(query: str, labels: dict[str, set[str]]) -> Iterator[str]:
    for name, selector in _metrics_of(query):
        asked = {
            *_labels_of(selector),
            *(label.strip() for group in _grouped_by(query) for label in group.split(",")),
        }
        if name not in labels:
            yield f"expected a metric among {', '.join(sorted(labels))}, found {name}"
        for label in sorted(asked - MONITORED - labels.get(name, asked)):
            yield f"{name}: expected a label among {', '.join(sorted(labels[name]))}, found {label}"


def _runbook_problems(titles: list[str]) -> Iterator[str]:
    for title in sorted(set(titles) - set(runbooks())):
        yield f"expected a runbook for the alert {title!r} in docs/operations.md, found none"
    for title in sorted(set(runbooks()) - set(titles)):
        yield f"expected an alert for the runbook {title!r}, found none"
    if len(titles) != len(set(titles)):
        yield "expected alerts with different titles"
