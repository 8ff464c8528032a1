"""CloudEvents in Pub/Sub messages: extracts the event, and fills in fields that only the CloudEvent has.

The binding: https://github.com/googleapis/google-cloudevents/blob/main/docs/spec/pubsub.md
"""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from shared.contracts.reasons import RejectionReason
from shared.contracts.strict_json import kind_of, read_object
from shared.domain.errors import Rejected

FALLBACK_ATTRIBUTES = {"event_id": "id", "source": "source", "occurred_at": "time"}
"""The CloudEvent attribute that fills in each of these event fields when the event leaves the field out."""
STRUCTURED_MODE = "application/cloudevents"
"""The start of the content type of a CloudEvent in structured mode."""
REQUIRED_ATTRIBUTE = "specversion"
"""An attribute that every CloudEvent has, and no event of this contract."""


def unwrap(content: dict[str, Any], attributes: Mapping[str, str]) -> dict[str, Any]:
    """Extract the event from the content of a message; content that is not a CloudEvent is the event itself.

    Structured mode: the content is the CloudEvent, and the event is in its `data` or `data_base64`. Binary mode:
    the content is the event, and the message's `ce-` attributes describe it. Raises `Rejected` (`invalid`,
    `not_json`) if a structured CloudEvent holds no event.
    """
    if REQUIRED_ATTRIBUTE in content or attributes.get("content-type", "").startswith(STRUCTURED_MODE):
        return _filled_in(_payload(content), content)
    if "ce-id" in attributes:
        return _filled_in(content, {name: attributes.get(f"ce-{name}") for name in FALLBACK_ATTRIBUTES.values()})
    return content


def _payload(cloud_event: Mapping[str, Any]) -> dict[str, Any]:
    data, encoded = cloud_event.get("data"), cloud_event.get("data_base64")
    if isinstance(data, dict):
        return data
    if data is not None or not isinstance(encoded, str):
        raise Rejected(
            RejectionReason.INVALID, f"data: expected the event as a JSON object, found {kind_of(data)}"
        )
    try:
        decoded = b64decode(encoded, validate=True)
    except ValueError:
        raise Rejected(RejectionReason.INVALID, "data_base64: expected base64, found something else") from None
    return read_object(decoded)


def _filled_in(event: dict[str, Any], cloud_event: Mapping[str, Any]) -> dict[str, Any]:
    """The event with the CloudEvent's attributes in place of fields that are missing or null."""
    missing = {
        field: cloud_event.get(name) for field, name in FALLBACK_ATTRIBUTES.items() if event.get(field) is None
    }
    return event | missing
