"""The log fields that messages tell of one processing."""

from shared.contracts.outbound.message import Message
from shared.entrypoints.log_fields import message_fields


def change(before: str, after: str) -> Message:
    return Message("subscription-change", "m", {"before": {"status": before}, "after": {"status": after}})


def test_the_status_before_is_that_of_the_subscription_that_changed() -> None:
    fields = message_fields([change("none", "active"), change("active", "active")], "active")
    assert fields == {"status_before": "none", "status_after": "active"}


def test_without_a_change_the_status_before_is_the_status() -> None:
    assert message_fields([change("active", "active")], "active")["status_before"] == "active"
    assert message_fields([], None) == {}
