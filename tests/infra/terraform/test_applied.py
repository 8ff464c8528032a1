"""The development environment, once it is applied, is what the topology and the code say."""

from pathlib import Path

from infra.topology import load
from tests.infra.terraform.functions import deployed, function_problems
from tests.infra.terraform.identities import grants, identity_problems
from tests.infra.terraform.resources import Document, Resource, changes, of_type, read, resources
from tests.infra.terraform.storage import firestore_problems, warehouse_problems
from tests.infra.terraform.watching import watch_problems
from tests.infra.terraform.wiring import wiring_problems
from tests.infra.terraform.written import written_fields

PROJECT, NUMBER = "upbeat-dev", "123456789012"


def test_each_identity_has_what_its_row_implies_and_nothing_else(applied: list[Resource]) -> None:
    table = sorted(grants(applied))
    print(*("| identity | resource | permission |", "| --- | --- | --- |"), sep="\n")
    print(*(f"| {' | '.join(grant)} |" for grant in table), sep="\n")
    assert list(identity_problems(applied, load(), PROJECT, NUMBER)) == []


def test_topics_and_subscriptions_are_those_of_the_local_runtime(applied: list[Resource]) -> None:
    assert list(wiring_problems(applied, load(), PROJECT)) == []


def test_functions_are_private_and_each_variable_is_read(applied: list[Resource]) -> None:
    assert list(function_problems(applied, load())) == []


def test_documents_are_protected_and_no_field_is_indexed_alone(applied: list[Resource]) -> None:
    assert list(firestore_problems(applied, written_fields())) == []


def test_every_message_lands_in_a_table(applied: list[Resource]) -> None:
    assert list(warehouse_problems(applied, load())) == []


def test_log_fields_lead_to_metrics_alerts_and_runbooks(applied: list[Resource]) -> None:
    assert list(watch_problems(applied)) == []


def test_a_push_has_a_token_for_the_bare_address_of_its_function(applied: list[Resource]) -> None:
    addresses = {
        each.key: each.values["service_config"][0]["uri"]
        for each in of_type(applied, "google_cloudfunctions2_function")
    }
    for each in of_type(applied, "google_pubsub_subscription", "push"):
        (push,) = each.values["push_config"]
        (token,) = push["oidc_token"]
        assert token["audience"] == addresses[each.key]
        assert token["service_account_email"] == f"upbeat-push@{PROJECT}.iam.gserviceaccount.com"


def test_each_schedule_publishes_an_empty_object(applied: list[Resource]) -> None:
    jobs = of_type(applied, "google_cloud_scheduler_job", "tick")
    found = {each.key: (each.values["schedule"], each.values["pubsub_target"][0]["data"]) for each in jobs}
    assert found == {topic: (schedule, "e30=") for topic, schedule in load().schedules.items()}


def test_each_function_runs_with_the_resources_of_its_row(applied: list[Resource]) -> None:
    for each in of_type(applied, "google_cloudfunctions2_function"):
        row, (service,) = deployed(applied, load())[each.key or ""], each.values["service_config"]
        assert service["timeout_seconds"] == row.timeout_seconds
        assert service["max_instance_request_concurrency"] == row.concurrency
        assert (service["available_cpu"], service["available_memory"]) == (str(row.cpu), f"{row.memory_mib}Mi")
        assert (service["min_instance_count"], service["max_instance_count"]) == (
            row.min_instances,
            row.max_instances,
        )
        assert each.values["build_config"][0]["runtime"] == row.runtime


def test_the_key_of_the_user_hashes_is_in_no_state(applied: list[Resource]) -> None:
    assert of_type(applied, "google_secret_manager_secret_version") == []
    assert not any("secret_data" in each.values for each in applied)


def test_a_first_plan_only_creates(plan: Document) -> None:
    assert set(map(tuple, changes(plan).values())) == {("create",)}


def test_a_source_is_named_for_its_content(plan: Document) -> None:
    sources = of_type(resources(plan), "google_storage_bucket_object")
    assert sorted(each.key or "" for each in sources) == sorted(deployed(resources(plan), load()))
    for each in sources:
        assert each.values["source"] == f"../build/{each.key}.zip"
        digest = each.values["name"].removeprefix(f"{each.key}-").removesuffix(".zip")
        assert len(digest) == 64
        assert int(digest, 16)


def test_prod_is_told_of_alerts_and_keeps_instances_warm(plans: Path) -> None:
    prod = resources(read(plans / "plan-prod.json"))
    assert of_type(prod, "google_monitoring_notification_channel")
    functions = of_type(prod, "google_cloudfunctions2_function")
    warm = {each.key: each.values["service_config"][0]["min_instance_count"] for each in functions}
    assert warm["payment"] > 0
    assert warm["lifecycle_clock"] == 0
