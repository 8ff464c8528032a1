"""The newest decision that a user's document still holds, for apps that have no raw log."""

from collections.abc import Mapping
from typing import Any

from shared.contracts.topics import Topic
from shared.record.user_record import UserRecord


def newest_decision(record: UserRecord) -> Mapping[str, Any] | None:
    """The body of the decision message; None if the document holds none any more."""
    bodies = (message.body for message in record.pending_messages if message.topic == Topic.DECISION)
    return max(bodies, key=lambda body: body["sequence"], default=None)
