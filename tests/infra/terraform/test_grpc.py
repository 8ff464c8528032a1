"""The services over gRPC: each runs the image as its row says, and with settings that it reads."""

from typing import Any

import pytest

from infra.deploy.cloud_run import FORMAT_VARIABLE
from infra.topology import load
from shared.settings import read_settings
from tests.infra.terraform.functions import names_of_settings
from tests.infra.terraform.offline import GRPC_IMAGE, Applied
from tests.infra.terraform.resources import Resource, of_type, resources


@pytest.fixture(scope="module")
def services(stub: Applied, tmp_path_factory: pytest.TempPathFactory) -> list[Resource]:
    """The services of the applied environment, in which they have an image."""
    outcome = stub.plan(lambda _tree: None, tmp_path_factory.mktemp("grpc"))
    assert outcome.plan, outcome.errors
    return of_type(resources(outcome.plan), "google_cloud_run_v2_service")


def container(service: Resource) -> dict[str, Any]:
    return service.values["template"][0]["containers"][0]


def environment(service: Resource) -> dict[str, str]:
    return {env["name"]: env["value"] or "secret" for env in container(service)["env"]}


def test_each_row_is_a_service_with_the_resources_of_the_row(services: list[Resource]) -> None:
    rows = load().grpc_services
    assert sorted(service.key or "" for service in services) == sorted(rows)
    for service in services:
        row, (template,) = rows[service.key or ""], service.values["template"]
        limits = container(service)["resources"][0]["limits"]
        assert (service.values["name"], container(service)["image"]) == (row.service, GRPC_IMAGE)
        assert template["max_instance_request_concurrency"] == row.concurrency >= 200
        assert template["timeout"] == f"{row.timeout_seconds}s"
        assert limits == {"cpu": str(row.cpu), "memory": f"{row.memory_mib}Mi"}
        assert template["service_account"] == f"upbeat-{row.service}@upbeat-dev.iam.gserviceaccount.com"
        assert [port["name"] for port in container(service)["ports"]] == ["h2c"]


def test_a_service_reads_every_variable_and_only_the_one_for_readers_refuses_changes(
    services: list[Resource],
) -> None:
    for service in services:
        given = environment(service)
        assert set(given) <= names_of_settings(given) | {FORMAT_VARIABLE}
        assert read_settings(given).api_only_reads is not bool(load().grpc_services[service.key or ""].publishes)


def test_a_start_is_over_when_the_service_says_that_it_serves(services: list[Resource]) -> None:
    for service in services:
        (probe,) = container(service)["startup_probe"]
        assert probe["grpc"][0]["service"] == "upbeat.v1.DecisionsService"
