"""Mistakes made on purpose in the module: the plan refuses each, or a rule names it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.topology import load
from tests.infra.terraform.edits import edit, without
from tests.infra.terraform.functions import function_problems
from tests.infra.terraform.identities import identity_problems
from tests.infra.terraform.offline import Applied, Change
from tests.infra.terraform.resources import Resource, resources
from tests.infra.terraform.storage import firestore_problems, warehouse_problems
from tests.infra.terraform.watching import watch_problems
from tests.infra.terraform.wiring import wiring_problems
from tests.infra.terraform.written import written_fields

PROJECT, NUMBER = "upbeat-dev", "123456789012"


def problems(found: list[Resource]) -> Iterator[str]:
    """Everything that the rules say about an environment."""
    topology = load()
    yield from identity_problems(found, topology, PROJECT, NUMBER)
    yield from wiring_problems(found, topology, PROJECT)
    yield from function_problems(found, topology)
    yield from firestore_problems(found, written_fields())
    yield from warehouse_problems(found, topology)
    yield from watch_problems(found)


def without_zip(tree: Path) -> None:
    (tree / "build" / "payment.zip").unlink()


REFUSED_BY_THE_PLAN = {
    "a misspelt argument": (
        edit("terraform/subscriptions.tf", "  ack_deadline_seconds ", "  ack_deadline_second "),
        "Unsupported argument",
    ),
    "a role that does not exist": (
        edit("terraform/identities.tf", "roles/run.invoker", "roles/run.invokers"),
        "no such predefined role",
    ),
    "a permission that does not exist": (
        edit("terraform/identities.tf", "entities.list", "entities.lists"),
        "no such permission",
    ),
    "a token for an address with a path": (
        edit(
            "terraform/subscriptions.tf",
            "audience              = local.addresses[each.key]",
            'audience = "${local.addresses[each.key]}/x"',
        ),
        "Value of audience has the wrong form",
    ),
    "a zip that was not built": (without_zip, "Build the zips first: make zips."),
    "a region that is none": (
        edit("terraform/variables.tf", 'default     = "europe-west1"', 'default     = "europe-west0"'),
        "expected a region of Cloud Run functions, found",
    ),
    "a concurrency without a whole CPU": (
        edit("terraform/functions.tf", "tostring(each.value.cpu)", '"0.5"'),
        "concurrency above 1 needs at least 1 CPU",
    ),
    "a label that no line has an extractor for": (
        edit("terraform/watch.tf", "key = labels.value", 'key = "subject"'),
        "extractors",
    ),
    "a job that runs at an hour that is none": (
        edit("terraform/variables.tf", '"0 3 * * *"', '"0 24 * * *"'),
        "'24' is not from 0 to 23",
    ),
    "a schedule that is no cron": (edit("topology.yaml", '"* * * * *"', '"* * * *"'), "must have five fields"),
    "a deadline equal to the timeout": (
        edit("topology.yaml", "ack_deadline_seconds: 70", "ack_deadline_seconds: 60"),
        "above the timeout_seconds of 60, found 60",
    ),
    "an unknown column": (
        edit("topology.yaml", "{listens: payment}", "{listens: payment, memory: 512}"),
        "found memory",
    ),
    "an unknown topic": (
        edit("topology.yaml", "{listens: payment}", "{listens: payments}"),
        "expected functions to listen to topics of the table, found payments",
    ),
    "two listeners": (
        edit("topology.yaml", "{listens: payment}", "{listens: trial-start}"),
        "expected one listener for each topic",
    ),
    "a filter on a subscription that exists": (
        edit(
            "terraform/subscriptions.tf", "  push_config {", '  filter = "attributes.x = \\"y\\""\n  push_config {'
        ),
        "Instance cannot be destroyed",
    ),
}
"""For each mistake: the change, and words of the plan's error."""

NAMED_BY_A_RULE = {
    "a public function": (
        edit(
            "terraform/identities.tf",
            '"roles/run.invoker"\n  member   = google_service_account.push.member',
            '"roles/run.invoker"\n  member   = "allUsers"',
        ),
        "expected no grant of allUsers, service payment, roles/run.invoker",
    ),
    "a basic role": (
        edit("terraform/identities.tf", '"roles/logging.logWriter"', '"roles/editor"'),
        "expected no grant of upbeat-build, project, roles/editor",
    ),
    "a role in the whole project": (
        without("terraform/identities.tf", "  condition {", "  }\n"),
        "expected no grant of upbeat-payment, project, datastore.",
    ),
    "a misspelt variable": (
        edit("terraform/functions.tf", "UPBEAT_LOG_LEVEL ", "UPBEAT_LOGLEVEL "),
        "found UPBEAT_LOGLEVEL",
    ),
    "loggers that the framework replaces": (
        edit("terraform/functions.tf", '= "false"', '= "true"'),
        "LOG_EXECUTION_ID: expected false, found true",
    ),
    "a function that everybody reaches": (
        edit("terraform/topology.tf", "ALLOW_INTERNAL_ONLY", "ALLOW_ALL"),
        "expected ALLOW_INTERNAL_ONLY, found ALLOW_ALL",
    ),
    "a subscription without a dead letter": (
        without("terraform/subscriptions.tf", "  dead_letter_policy {", "  }\n"),
        "attempts: expected 100, found None",
    ),
    "a subscription that expires": (
        without("terraform/dead_letter.tf", "  expiration_policy {", "  }\n"),
        "dead-letter-hold: expected a subscription that never expires",
    ),
    "a column that refuses what is not JSON": (
        edit("terraform/warehouse.tf", '"BYTES"', '"JSON"'),
        "data: expected BYTES, found JSON",
    ),
    "a field that is indexed": (edit("terraform/firestore.tf", '"blob", ', ""), "subscriptions: expected {"),
    "a field that a recall asks for without its index": (
        edit("terraform/firestore.tf", '"blob", ', '"blob", "open_campaigns", '),
        "subscriptions: expected {",
    ),
    "a job that may change what landed": (
        edit("terraform/models.tf", "roles/bigquery.dataViewer", "roles/bigquery.dataEditor"),
        "expected no grant of upbeat-warehouse, dataset upbeat, roles/bigquery.dataEditor",
    ),
    "a job that everybody may start": (
        edit(
            "terraform/models.tf",
            '"roles/run.invoker"\n  member   = google_service_account.warehouse[0].member',
            '"roles/run.invoker"\n  member   = "allUsers"',
        ),
        "expected no grant of allUsers, job warehouse, roles/run.invoker",
    ),
    "a field that no line has": (
        edit("terraform/watch.tf", '"latency_ms", unit', '"latency", unit'),
        "expected fields of the event log, found latency",
    ),
    "an alert without a runbook": (
        edit("terraform/alerts.tf", '"Memory runs out"', '"Memory is short"'),
        "expected a runbook for the alert 'Memory is short'",
    ),
    "a chart of a label that no metric has": (
        edit("terraform/dashboard.tf", "sum by (outcome)", "sum by (result)"),
        "found result",
    ),
}
"""For each mistake: the change, and words of the rule's sentence."""


@pytest.mark.parametrize(("change", "words"), REFUSED_BY_THE_PLAN.values(), ids=REFUSED_BY_THE_PLAN.keys())
def test_the_plan_refuses(stub: Applied, tmp_path: Path, change: Change, words: str) -> None:
    assert words in stub.plan(change, tmp_path).errors


@pytest.mark.parametrize(("change", "words"), NAMED_BY_A_RULE.values(), ids=NAMED_BY_A_RULE.keys())
def test_a_rule_names(stub: Applied, tmp_path: Path, change: Change, words: str) -> None:
    outcome = stub.plan(change, tmp_path)
    assert outcome.plan, outcome.errors
    found = list(problems(resources(outcome.plan)))
    assert [problem for problem in found if words in problem], found
