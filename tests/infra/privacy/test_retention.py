"""The days after which the last copy of an erased user is gone follow from the table, Terraform, and the page."""

import re
from datetime import UTC, datetime, timedelta

from infra.privacy import retention as days
from infra.privacy.retention import retention, tombstone_may_go_at
from infra.topology import ROOT, load

MODULE = ROOT / "infra" / "terraform"
ERASURE = (ROOT / "docs" / "operations.md").read_text().partition("## Erasure\n")[2].partition("\n## ")[0]
AT = datetime(2026, 3, 1, tzinfo=UTC)


def found(file, pattern):
    return int(re.search(pattern, (MODULE / file).read_text())[1])


def test_terraform_keeps_backups_as_long_as_is_computed():
    assert found("firestore.tf", r'retention = "\$\{(\d+) \* local\.day\}s"') == days.BACKUP_DAYS
    assert '"POINT_IN_TIME_RECOVERY_ENABLED"' in (MODULE / "firestore.tf").read_text()
    assert days.RECOVERY_DAYS == 7


def test_no_dataset_has_another_time_travel_than_bigquerys_own():
    """Seven days each, unless a dataset says otherwise: https://cloud.google.com/bigquery/docs/time-travel."""
    assert "max_time_travel_hours" not in "".join(file.read_text() for file in MODULE.glob("*.tf"))
    assert (days.TIME_TRAVEL_DAYS, days.FAIL_SAFE_DAYS) == (7, 7)


def test_topics_and_subscriptions_keep_messages_as_long_as_the_table_says():
    for file in ("topics.tf", "subscriptions.tf", "dead_letter.tf"):
        assert re.search(
            r"message_retention_duration = .*retention_days \* local\.day", (MODULE / file).read_text()
        )


def test_a_late_event_may_wait_at_the_source_and_then_in_the_hold():
    table = load()
    longer = table.model_copy(
        update={
            "topics": table.topics
            | {
                "payment": table.topics["payment"].model_copy(update={"retention_days": 20}),
                "dead-letter": table.topics["dead-letter"].model_copy(update={"retention_days": 5}),
                "decision": table.topics["decision"].model_copy(update={"retention_days": 31}),
            }
        }
    )
    assert retention(longer).late == 25
    assert tombstone_may_go_at(AT, longer) == AT + timedelta(days=25)
    assert retention(longer).late_rows == retention(longer).last_copy == 25 + 1 + 7 + 7


def test_the_page_says_the_days_that_are_computed():
    computed = retention(load())
    assert (computed.late, computed.documents, computed.rows, computed.late_rows, computed.logs) == (
        14,
        14,
        15,
        29,
        30,
    )
    assert f"**The last copy is gone after {computed.last_copy} days**: after {computed.rows} where" in ERASURE
    assert max(computed.late, computed.documents, computed.rows) == computed.rows
    rows = {
        line.split(" | ")[0].removeprefix("| "): line for line in ERASURE.splitlines() if line.startswith("| ")
    }
    documents = f"after {computed.documents} days: {days.RECOVERY_DAYS} in recovery, {days.BACKUP_DAYS} in backups"
    assert documents in rows["Firestore, `subscriptions`"]
    late = f"after {computed.late} days: 7 at the source, 7 in the hold"
    assert late in rows["Pub/Sub, `dead-letter-hold`"]
    deleted = f"after {computed.rows} days: 1 until the second run, 7 of time travel, 7 of fail-safe"
    assert f"{deleted}; rows of late events after {computed.late_rows}" in rows["BigQuery, raw tables in `upbeat`"]
    landing = found("warehouse.tf", r"landing_days = (\d+)")
    assert f"after {landing} days where the alert *Landing waits*" in rows["Pub/Sub, landing subscriptions"]
    assert f"after {computed.logs} days" in rows["Cloud Logging"]
    assert f"| {computed.late} | once more `--again`" in ERASURE


def test_every_collection_that_names_users_is_in_the_inventory():
    listed = (MODULE / "firestore.tf").read_text().partition("unindexed = {")[2].partition("  }")[0]
    about_users = {"subscriptions", "clock", "sweeps", "mails", "mail_readers"}
    others = set(re.findall(r"^    (\w+)\s*=", listed, re.MULTILINE)) - about_users
    assert others == {"catalog", "publications", "scores", "policies", "proposals", "syncs"}, (
        "and what of the new one?"
    )
    for name in about_users | {"addresses", "dead_letter_records"}:
        assert f"`{name}`" in ERASURE
