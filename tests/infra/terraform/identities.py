"""The rule for identities: each has the permissions that its row of the topology implies, and nothing else."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from infra.topology import DeployedRow, Topology
from tests.infra.terraform.resources import Resource, of_type

DOCUMENTS = (
    "datastore.databases.get, datastore.entities.create, datastore.entities.get, datastore.entities.list,"
    " datastore.entities.update"
)
"""The permissions that reading and writing documents takes: none deletes."""
READING = "datastore.databases.get, datastore.entities.get"
"""The permissions of a service that publishes nothing, and therefore writes nothing."""
GRANTED_ON = {
    "google_artifact_registry_repository_iam_member": ("repository", "repository"),
    "google_bigquery_dataset_iam_member": ("dataset", "dataset_id"),
    "google_cloud_run_v2_job_iam_member": ("job", "name"),
    "google_cloud_run_v2_service_iam_member": ("service", "name"),
    "google_pubsub_subscription_iam_member": ("subscription", "subscription"),
    "google_pubsub_topic_iam_member": ("topic", "topic"),
    "google_secret_manager_secret_iam_member": ("secret", "secret_id"),
    "google_service_account_iam_member": ("account", "service_account_id"),
    "google_storage_bucket_iam_member": ("bucket", "bucket"),
}
"""For each type of a grant, the kind of its resource, and the attribute that names the resource."""


class Grant(NamedTuple):
    """One row of the table of identities."""

    identity: str
    resource: str
    permission: str


def identity_problems(found: list[Resource], topology: Topology, project: str, number: str) -> Iterator[str]:
    """Sentences about grants that are missing, not implied by the topology, or made by replacing others."""
    for each in found:
        if "_iam_" in each.type and not each.type.endswith(("_iam_member", "_iam_custom_role")):
            yield f"{each.type}.{each.name}: expected only _iam_member, which leaves the grants of others alone"
    granted, implied = set(grants(found)), set(implied_grants(topology, project, number))
    if of_type(found, "google_cloud_run_v2_service_iam_member", "webhook"):
        implied |= set(_webhook_grants(topology, found, project))
    if of_type(found, "google_cloud_run_v2_job"):
        implied |= set(_job_grants(project))
    if of_type(found, "google_storage_bucket", "dataflow"):
        implied |= set(_dataflow_grants(project))
    if of_type(found, "google_cloud_run_v2_service"):
        implied |= set(_account_grants(topology.grpc_services.values(), project))
    yield from (f"expected {', '.join(grant)}; found no such grant" for grant in sorted(implied - granted))
    yield from (f"expected no grant of {', '.join(grant)}; found it" for grant in sorted(granted - implied))


def grants(found: list[Resource]) -> Iterator[Grant]:
    """The table of identities, from the resources of a plan or state."""
    roles = {role.values["name"]: role.values for role in of_type(found, "google_project_iam_custom_role")}
    for each in found:
        if each.type.endswith("_iam_member"):
            role = each.values["role"]
            permission = ", ".join(sorted(roles[role]["permissions"])) if role in roles else role
            yield Grant(_short(each.values["member"]), _resource(each), permission)


def _resource(grant: Resource) -> str:
    if grant.type == "google_project_iam_member":
        conditions = grant.values["condition"]
        return f"project where {conditions[0]['expression']}" if conditions else "project"
    kind, attribute = GRANTED_ON[grant.type]
    return f"{kind} {_short(grant.values[attribute])}"


def _short(name: str) -> str:
    """The part of a member, an account or an address that tells it from others in this project."""
    return name.rpartition("/")[2].removeprefix("serviceAccount:").partition("@")[0]


def implied_grants(topology: Topology, project: str, number: str) -> Iterator[Grant]:
    """The table of identities that a topology implies."""
    agent = f"service-{number}"
    letters = topology.dead_letter.topic
    yield Grant(agent, f"topic {letters}", "roles/pubsub.publisher")
    yield Grant(agent, "dataset upbeat", "roles/bigquery.dataEditor")
    yield from _account_grants(topology.deployed.values(), project)
    for function in topology.functions.values():
        yield Grant("upbeat-push", f"service {function.service}", "roles/run.invoker")
        yield Grant(agent, f"subscription {function.subscription}", "roles/pubsub.subscriber")
    for each in ("upbeat-push", "upbeat-build"):
        yield Grant("upbeat-deployer", f"account {each}", "roles/iam.serviceAccountUser")
    yield from _build_grants(project, number)


def _account_grants(rows: Iterable[DeployedRow], project: str) -> Iterator[Grant]:
    """What each row has that runs as an account of its own."""
    for row in rows:
        account = f"upbeat-{row.service}"
        yield from (Grant(account, f"topic {topic}", "roles/pubsub.publisher") for topic in row.publishes)
        yield Grant(account, _database(project), DOCUMENTS if row.publishes else READING)
        yield Grant(account, "secret upbeat-user-hash-key", "roles/secretmanager.secretAccessor")
        yield Grant("upbeat-deployer", f"account {account}", "roles/iam.serviceAccountUser")


def _webhook_grants(topology: Topology, found: list[Resource], project: str) -> Iterator[Grant]:
    """Anybody may call a webhook, and it alone reads the secrets of its CMS."""
    yield from _account_grants(topology.webhooks.values(), project)
    functions = {each.key: each.values for each in of_type(found, "google_cloudfunctions2_function")}
    cms = functions["catalog_sync"]["service_config"][0]["environment_variables"]["UPBEAT_CMS"]
    for row in topology.webhooks.values():
        yield Grant("allUsers", f"service {row.service}", "roles/run.invoker")
        for name in ("secret", "token"):
            account = f"upbeat-{row.service}"
            yield Grant(account, f"secret upbeat-{cms}-{name}", "roles/secretmanager.secretAccessor")


def _build_grants(project: str, number: str) -> Iterator[Grant]:
    own, copies = f"{project}-upbeat-sources", f"gcf-v2-sources-{number}-europe-west1"
    buckets = " || ".join(f'resource.name.startsWith("projects/_/buckets/{name}/")' for name in (own, copies))
    yield Grant("upbeat-build", "project", "roles/logging.logWriter")
    yield Grant("upbeat-build", f"project where {buckets}", "roles/storage.objectViewer")
    yield Grant("upbeat-build", "repository upbeat-functions", "roles/artifactregistry.writer")


def _database(project: str) -> str:
    return f'project where resource.name == "projects/{project}/databases/(default)"'


def _job_grants(project: str) -> Iterator[Grant]:
    """The job reads the raw tables, writes models, publishes catalogs, and starts by its own account."""
    account = "upbeat-warehouse"
    yield Grant("upbeat-deployer", f"account {account}", "roles/iam.serviceAccountUser")
    yield Grant(account, "dataset upbeat", "roles/bigquery.dataViewer")
    yield Grant(account, "dataset upbeat_models", "roles/bigquery.dataEditor")
    yield Grant(account, "project", "roles/bigquery.jobUser")
    yield Grant(account, _database(project), DOCUMENTS)
    yield Grant(account, "topic catalog-published", "roles/pubsub.publisher")
    yield Grant(account, "job warehouse", "roles/run.invoker")


def _dataflow_grants(project: str) -> Iterator[Grant]:
    """Workers of pipelines take work from Dataflow, and have the image and one bucket: no document, no topic."""
    account = "upbeat-dataflow"
    yield Grant(account, "project", "roles/dataflow.worker")
    yield Grant(account, f"bucket {project}-upbeat-dataflow", "roles/storage.objectAdmin")
    yield Grant(account, "repository upbeat-functions", "roles/artifactregistry.reader")
