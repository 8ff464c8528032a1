"""The module as it stands: what its files say without a plan."""

import re

import pytest

from infra.topology import ROOT, load
from tests.infra.terraform.identities import identity_problems
from tests.infra.terraform.resources import Resource
from tests.infra.terraform.storage import unasked
from tests.infra.terraform.watching import OPERATIONS, runbooks
from tests.infra.terraform.written import written_fields

MODULE = ROOT / "infra" / "terraform"
TEXT = "\n".join(file.read_text() for file in sorted(MODULE.glob("*.tf")))


def blocks(kind: str, text: str = TEXT) -> dict[str, str]:
    """The blocks of one kind at the top level, by their labels."""
    found = re.findall(rf'^{kind} ("[^{{]+) {{\n(.*?)^}}$', text, re.MULTILINE | re.DOTALL)
    return {labels.replace('"', ""): content for labels, content in found}


def test_the_folder_holds_the_module_its_environments_and_its_tests() -> None:
    files = {path.name for path in MODULE.iterdir() if not path.name.startswith(".terraform") and path.is_file()}
    assert {name for name in files if not name.endswith(".tf")} == set()
    assert {path.name for path in MODULE.iterdir() if path.is_dir()} - {".terraform"} == {"env", "tests"}


def test_nothing_sets_the_grants_of_others() -> None:
    """A binding or a policy takes away the grants that it does not name."""
    assert re.findall(r"_iam_(?:binding|policy)\b", TEXT) == []
    binding = Resource("google_pubsub_topic_iam_binding", "publishers", None, {})
    assert [each for each in identity_problems([binding], load(), "p", "1") if "only _iam_member" in each]


def test_whatever_holds_data_may_not_be_replaced() -> None:
    """`prevent_destroy` is neither in a plan nor in a state, so it is read here; the plan of a change obeys it."""
    holds_data = (
        "google_bigquery_table raw",
        "google_firestore_database ",
        "google_pubsub_subscription ",
        "google_pubsub_topic topic",
    )
    resources = blocks("resource")
    may_go = "google_pubsub_subscription consumer"  # with e-mail, once it is switched off
    kept = [labels for labels in resources if labels.startswith(holds_data) and labels != may_go]
    assert len(kept) == 6
    assert [labels for labels in kept if "prevent_destroy = true" not in resources[labels]] == []


def test_every_variable_has_a_description_and_each_but_a_switch_a_rule() -> None:
    variables = blocks("variable")
    assert [name for name, content in variables.items() if "description" not in content] == []
    assert [name for name, content in variables.items() if "validation" not in content] == [
        "import_database",
        "dataflow",
    ]


def test_the_provider_has_the_range_that_is_checked() -> None:
    assert 'version = ">= 7.46, < 9.0"' in TEXT
    assert 'required_version = ">= 1.11"' in TEXT


def test_every_field_that_is_written_has_its_indexes_switched_off() -> None:
    (listed,) = re.findall(r"unindexed = {\n(.*?)^  }", TEXT, re.MULTILINE | re.DOTALL)
    collections = dict(re.findall(r"(\w+)\s*= \[(.*)\]", listed))
    found = {name: set(re.findall(r"\w+", fields)) for name, fields in collections.items()}
    written = unasked(written_fields())
    assert written.pop("webhooks") == {"expires_at"}  # cms.tf, with the time at which Firestore removes them
    assert found == written


def test_every_alert_has_a_runbook() -> None:
    alerts = (MODULE / "alerts.tf").read_text() + (MODULE / "alert_policies.tf").read_text()
    titles = re.findall(r'\btitle\s+= "([^"$]+)"|^  display_name\s+= "([^"$]+)"', alerts, re.MULTILINE)
    assert sorted("".join(each) for each in titles) == sorted(runbooks())


@pytest.mark.parametrize("title", runbooks())
def test_a_runbook_says_what_the_alert_means_where_to_look_and_what_to_do(title: str) -> None:
    section = OPERATIONS.read_text().partition(f"### {title}\n")[2].partition("\n#")[0]
    assert re.findall(r"^\*\*(\w+)\.\*\*", section, re.MULTILINE) == ["Meaning", "Look", "Do"]
