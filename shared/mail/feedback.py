"""Reports on a mail, as the events that `trigger-feedback` takes."""

from datetime import datetime

from shared.contracts.outbound.base import rfc3339
from shared.contracts.outbound.message import Message
from shared.contracts.topics import Topic

SOURCE = "upbeat-email"
"""The `source` of the reports."""


def feedback(trigger_id: str, user_id: str, kind: str, at: datetime) -> Message:
    """A report. The same kind on the same trigger at the same instant is the same event."""
    event_id = f"{trigger_id}.{kind}"
    body = {
        "event_id": event_id,
        "source": SOURCE,
        "user_id": user_id,
        "occurred_at": rfc3339(at),
        "trigger_id": trigger_id,
        "kind": kind,
    }
    return Message(Topic.TRIGGER_FEEDBACK, event_id, body)
