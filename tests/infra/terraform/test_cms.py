"""The webhook of a CMS, where one is named: who may call it, its secrets, and that each variable is read."""

from pathlib import Path

import pytest

from infra.topology import load
from shared.adapters.cms.settings import read_cms_settings
from tests.infra.terraform.functions import SECRET, function_problems
from tests.infra.terraform.offline import Applied
from tests.infra.terraform.resources import Resource, changes, of_type, resources

CMS = {"contentful": 'contentful_space = "space1"\n', "wagtail": 'wagtail_url = "https://cms.example.com"\n'}


@pytest.fixture(scope="module", params=CMS)
def cms(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def planned(stub: Applied, cms: str, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The plan that names a CMS in the applied environment."""

    def change(tree: Path) -> None:
        with (tree / "terraform" / "env" / "dev.tfvars").open("a") as variables:
            variables.write(CMS[cms])

    outcome = stub.plan(change, tmp_path_factory.mktemp(cms))
    assert outcome.plan, outcome.errors
    return outcome.plan


@pytest.fixture(scope="module")
def found(planned: dict) -> list[Resource]:
    return resources(planned)


def test_to_name_one_creates_the_webhook_and_replaces_nothing(planned: dict) -> None:
    made = {tuple(actions) for actions in changes(planned).values()}
    assert made <= {("create",), ("update",)}
    watching = ("google_logging_", "google_monitoring_")
    changed = [name for name, actions in changes(planned).items() if actions == ["update"]]
    assert [name for name in changed if not name.startswith(watching)] == []


def test_anybody_may_call_it_and_it_has_the_secrets_of_its_cms_alone(found: list[Resource], cms: str) -> None:
    assert [each.key for each in found if each.values.get("member") == "allUsers"] == ["catalog_sync"]
    (webhook,) = (each for each in of_type(found, "google_cloudfunctions2_function") if each.key == "catalog_sync")
    secrets = {each["secret"] for each in webhook.values["service_config"][0]["secret_environment_variables"]}
    assert secrets == {f"upbeat-{cms}-secret", f"upbeat-{cms}-token", "upbeat-user-hash-key"}
    others = [each for each in of_type(found, "google_cloudfunctions2_function") if each is not webhook]
    for each in others:
        assert len(each.values["service_config"][0]["secret_environment_variables"]) == 1


def test_each_variable_is_read_and_accepted(found: list[Resource], cms: str) -> None:
    assert list(function_problems(found, load())) == []
    (webhook,) = (each for each in of_type(found, "google_cloudfunctions2_function") if each.key == "catalog_sync")
    (service,) = webhook.values["service_config"]
    secrets = {each["key"]: SECRET for each in service["secret_environment_variables"]}
    settings = read_cms_settings(service["environment_variables"] | secrets)
    assert type(settings.cms).__name__.lower().startswith(cms)
    assert not settings.needs_approval


def test_alerts_look_at_it(found: list[Resource]) -> None:
    policies = of_type(found, "google_monitoring_alert_policy")
    alerts = {each.values["display_name"]: str(each.values) for each in policies}
    for title in ("Memory runs out", "An error outside of events", "The catalog is not synced"):
        assert "catalog-sync" in alerts[title]


def test_the_project_says_whether_two_persons_must_agree(applied: list[Resource]) -> None:
    (document,) = of_type(applied, "google_firestore_document")
    assert (document.values["collection"], document.values["document_id"]) == ("settings", "catalog")
    assert document.values["fields"] == '{"needs_approval":{"booleanValue":false}}'
