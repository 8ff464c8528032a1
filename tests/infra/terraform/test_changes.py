"""Changes of the applied development environment: each plans what it concerns, and replaces nothing with data."""

import shutil
from pathlib import Path

import pytest

from infra.analytics.features.statement import PROFILE
from infra.deploy.package import zip_function
from infra.topology import ROOT, load
from shared.adapters.gcp.feature_rows import FAMILY, MARKS
from shared.settings import read_settings
from tests.infra.terraform.edits import edit
from tests.infra.terraform.offline import Applied
from tests.infra.terraform.resources import changes, of_type, resources
from tests.infra.terraform.test_grpc import environment

HOLDS_DATA = (
    "google_pubsub_topic.",
    "google_pubsub_subscription.",
    "google_bigquery_table.raw",
    "google_firestore_database.",
)


def test_a_change_in_one_main_deploys_one_function(stub: Applied, tmp_path: Path) -> None:
    def change(tree: Path) -> None:
        root = tmp_path / "repository"
        for name in ("functions", "shared"):
            shutil.copytree(ROOT / name, root / name)
        (root / "requirements.txt").write_bytes((ROOT / "requirements.txt").read_bytes())
        main = root / "functions" / "payment" / "main.py"
        main.write_text(main.read_text() + "\n# changed\n")
        for zipped in (tree / "build").glob("*.zip"):
            zip_function(zipped.stem, zipped, root=root)

    planned = changes(stub.plan(change, tmp_path).plan or {})
    assert planned == {
        'google_storage_bucket_object.source["payment"]': ["create", "delete"],
        'google_cloudfunctions2_function.function["payment"]': ["update"],
    }


def test_a_change_of_nothing_plans_nothing(stub: Applied, tmp_path: Path) -> None:
    assert changes(stub.plan(lambda _tree: None, tmp_path).plan or {}) == {}


def test_a_new_row_makes_new_resources_and_replaces_none(stub: Applied, tmp_path: Path) -> None:
    def change(tree: Path) -> None:
        edit("topology.yaml", "  exposure: {}\n", "  exposure: {}\n  seat-removal: {}\n")(tree)
        row = "  payment: {listens: payment}\n"
        edit("topology.yaml", row, row + "  seat_removal: {listens: seat-removal}\n")(tree)
        (tree / "build" / "seat_removal.zip").write_bytes((tree / "build" / "payment.zip").read_bytes())

    planned = changes(stub.plan(change, tmp_path).plan or {})
    assert planned['google_cloudfunctions2_function.function["seat_removal"]'] == ["create"]
    assert planned['google_pubsub_subscription.landing["seat-removal"]'] == ["create"]
    assert [address for address, actions in planned.items() if "delete" in actions] == []


TABLE = "projects/upbeat-dev/instances/upbeat/tables/user_features"
EVERY_COLUMN = {
    "ack_deadline_seconds: 70": "ack_deadline_seconds: 90",
    "min_backoff_seconds: 10": "min_backoff_seconds: 20",
    "max_backoff_seconds: 600": "max_backoff_seconds: 300",
    "max_delivery_attempts: 100": "max_delivery_attempts: 50",
    "timeout_seconds: 60": "timeout_seconds: 80",
    "concurrency: 40": "concurrency: 20",
    "cpu: 1": "cpu: 2",
    "memory_mib: 512": "memory_mib: 1024",
    "min_instances: 0": "min_instances: 1",
    "max_instances: 100": "max_instances: 200",
    "runtime: python311": "runtime: python313",
    "retention_days: 7": "retention_days: 3",
    f"record_format: {load().record_format}": "record_format: 99",
}
EVERY_VARIABLE = """
expiry_days      = 60
log_level        = "WARNING"
stored_successes = 0.5
billing_account  = "012345-6789AB-CDEF01"
alert_emails     = ["oncall@example.com"]
"""


def test_nothing_that_holds_data_is_replaced_when_every_column_and_variable_changes(
    stub: Applied, tmp_path: Path
) -> None:
    def change(tree: Path) -> None:
        for before, after in EVERY_COLUMN.items():
            edit("topology.yaml", before, after)(tree)
        variables = (tree / "terraform" / "env" / "dev.tfvars").read_text().splitlines()
        kept = [line for line in variables if line.split(" ")[0] not in EVERY_VARIABLE]
        (tree / "terraform" / "env" / "dev.tfvars").write_text("\n".join(kept) + EVERY_VARIABLE)

    planned = changes(stub.plan(change, tmp_path).plan or {})
    assert planned['google_pubsub_subscription.push["payment"]'] == ["update"]
    assert planned['google_bigquery_table.raw["payment"]'] == ["update"]
    assert [a for a, actions in planned.items() if a.startswith(HOLDS_DATA) and actions != ["update"]] == []


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("topology.yaml", "  exposure: {}\n", "  exposures: {}\n"),
        ("terraform/subscriptions.tf", "each.value.service", '"push-${each.value.service}"'),
        ("terraform/warehouse.tf", '"raw_$', '"landed_$'),
        ("terraform/firestore.tf", '"(default)" #', '"upbeat" #'),
    ],
)
def test_a_plan_that_would_replace_what_holds_data_is_refused(
    stub: Applied, tmp_path: Path, file: str, before: str, after: str
) -> None:
    def change(tree: Path) -> None:
        edit(file, before, after)(tree)
        if file == "topology.yaml":
            edit(file, "decision, exposure,", "decision, exposures,")(tree)

    assert "Instance cannot be destroyed" in stub.plan(change, tmp_path).errors


def test_features_bring_a_table_that_the_functions_read_and_only_the_export_writes(
    stub: Applied, tmp_path: Path
) -> None:
    def change(tree: Path) -> None:
        with (tree / "terraform" / "env" / "dev.tfvars").open("a") as variables:
            variables.write("features_nodes = 1\n")

    plan = stub.plan(change, tmp_path).plan or {}
    planned, found = changes(plan), resources(plan)
    assert [address for address, actions in planned.items() if "delete" in actions] == []
    readers = {each.key for each in of_type(found, "google_bigtable_table_iam_member", "reader")}
    rows = {**load().deployed, **load().grpc_services}
    assert readers == {name for name, row in rows.items() if "decision" in row.publishes}
    (role,) = [each for each in of_type(found, "google_project_iam_custom_role") if each.name == "features"]
    assert role.values["permissions"] == ["bigtable.tables.readRows"]
    (table,) = of_type(found, "google_bigtable_table")
    assert {family["family"] for family in table.values["column_family"]} == {FAMILY, MARKS}
    (profile,) = of_type(found, "google_bigtable_app_profile")
    assert profile.values["app_profile_id"] == PROFILE
    for function in of_type(found, "google_cloudfunctions2_function"):
        (service,) = function.values["service_config"]
        settings = read_settings(service["environment_variables"])
        assert (settings.features_table == TABLE) == (function.key in readers)
    for service in of_type(found, "google_cloud_run_v2_service"):
        assert (read_settings(environment(service)).features_table == TABLE) == (service.key in readers)


def test_a_database_that_exists_is_taken_over(stub: Applied, tmp_path: Path) -> None:
    def change(tree: Path) -> None:
        # The stub imports a database without any value, so all of them differ; a real one has them.
        edit("terraform/firestore.tf", "prevent_destroy = true", "prevent_destroy = false")(tree)
        (tree / "terraform" / "terraform.tfstate").unlink()
        with (tree / "terraform" / "env" / "dev.tfvars").open("a") as variables:
            variables.write("import_database = true\n")

    plan = stub.plan(change, tmp_path).plan or {}
    (database,) = [each for each in plan["resource_changes"] if each["type"] == "google_firestore_database"]
    assert database["change"]["importing"] == {"id": "projects/upbeat-dev/databases/(default)"}
