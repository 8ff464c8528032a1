"""The days that data about a user can live on: from the table of topics, and from what Terraform and Google set.

Terraform's own values are repeated here, since no command reads Terraform. A test holds both to be the same.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from infra.topology import Topology

AGAIN_DAYS = 1
"""Days after which rows that had just come can be removed, so that the statements are to be run again."""
TIME_TRAVEL_DAYS, FAIL_SAFE_DAYS = 7, 7
"""Days in which BigQuery can bring deleted rows back: https://cloud.google.com/bigquery/docs/time-travel."""
RECOVERY_DAYS = 7
"""Days of Firestore's point-in-time recovery: https://cloud.google.com/firestore/docs/pitr."""
BACKUP_DAYS = 14
"""Days for which a daily backup of Firestore is kept (infra/terraform/firestore.tf)."""
LOG_DAYS = 30
"""Days for which Cloud Logging keeps lines: https://cloud.google.com/logging/quotas#logs_retention_periods."""


class Retention(NamedTuple):
    """Days after an erasure, by what still has a copy then."""

    late: int
    """The last day on which an event of before can still be delivered: late, or sent back as a dead letter."""
    documents: int
    """The day after which neither recovery nor a backup has the document."""
    rows: int
    """The day after which BigQuery has nothing of what was there at the erasure."""
    late_rows: int
    """The same for rows of late events, which another removal takes on the day after the last of them."""
    logs: int
    """The day after which Cloud Run's own lines of requests that failed are gone, which have the API's paths."""

    @property
    def last_copy(self) -> int:
        """The day after which nothing is left."""
        return max(self)


def retention(topology: Topology) -> Retention:
    """The days that follow from the topology's table."""
    source = max(topology.topics[topic].retention_days for topic in topology.topics_in)
    hold = topology.topics[topology.dead_letter.topic].retention_days
    late, deleted = source + hold, AGAIN_DAYS + TIME_TRAVEL_DAYS + FAIL_SAFE_DAYS
    return Retention(late, max(RECOVERY_DAYS, BACKUP_DAYS), deleted, late + deleted, LOG_DAYS)


def tombstone_may_go_at(erased_at: datetime, topology: Topology) -> datetime:
    """The instant (UTC) from which no event of before the erasure can come any more."""
    return erased_at + timedelta(days=retention(topology).late)
