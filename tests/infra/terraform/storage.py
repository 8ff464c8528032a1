"""The rules for Firestore and BigQuery: no index nobody needs, and a table that holds every message."""

import json
from collections.abc import Iterator

from infra.topology import Topology
from tests.infra.terraform.resources import Resource, differences, of_type

RAW_COLUMNS = {
    "subscription_name": "STRING",
    "message_id": "STRING",
    "publish_time": "TIMESTAMP",
    "attributes": "JSON",
    "data": "BYTES",
}
"""The columns that a BigQuery subscription writes: https://cloud.google.com/pubsub/docs/bigquery#write-metadata."""


INDEXED = {("subscriptions", "open_campaigns"), ("publications", "number"), ("mails", "user_id")}
"""Fields with Firestore's automatic index of a single field: recalls, catalogs and erasures are found by them."""


def unasked(written: dict[str, set[str]]) -> dict[str, set[str]]:
    """The written fields, by their collection, for which no query asks alone."""
    return {of: {name for name in names if (of, name) not in INDEXED} for of, names in written.items()}


def firestore_problems(found: list[Resource], written: dict[str, set[str]]) -> Iterator[str]:
    """Sentences about fields that are indexed though no query needs it, and about a database that may be lost."""
    exempt: dict[str, set[str]] = {}
    for each in of_type(found, "google_firestore_field"):
        if each.values["index_config"] != [{"indexes": []}]:
            yield f"{each.key}: expected no index"
        exempt.setdefault(each.values["collection"], set()).add(each.values["field"])
    yield from differences(unasked(written), exempt, "fields without an index")
    (database,) = of_type(found, "google_firestore_database")
    expected = {
        "name": "(default)",
        "delete_protection_state": "DELETE_PROTECTION_ENABLED",
        "point_in_time_recovery_enablement": "POINT_IN_TIME_RECOVERY_ENABLED",
    }
    yield from differences(expected, {key: database.values[key] for key in expected}, "database")
    (due,) = of_type(found, "google_firestore_index")
    fields = [field["field_path"] for field in due.values["fields"]]
    yield from differences(["due_shard", "next_due_at"], fields, "index of the clock's query")


def warehouse_problems(found: list[Resource], topology: Topology) -> Iterator[str]:
    """Sentences about raw tables that are missing, lose messages, or are scanned whole."""
    tables = of_type(found, "google_bigquery_table")
    yield from differences(sorted(topology.topics), sorted(each.key or "" for each in tables), "raw tables")
    for each in tables:
        yield from _raw_problems(each)


def _raw_problems(table: Resource) -> Iterator[str]:
    values = table.values
    columns = {column["name"]: column["type"] for column in json.loads(values["schema"])}
    yield from differences(RAW_COLUMNS, columns, values["table_id"])
    (partitions,) = values["time_partitioning"]
    found = (partitions["type"], partitions["field"], values["require_partition_filter"])
    yield from differences(("DAY", "publish_time", True), found, f"{values['table_id']} partitions")
    if not partitions["expiration_ms"] or not values["deletion_protection"]:
        yield f"{values['table_id']}: expected partitions that expire in a protected table"
