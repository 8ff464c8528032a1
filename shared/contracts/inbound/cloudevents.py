"""A CloudEvent inside a Pub/Sub message: the event is taken out, and what only the wrapping says is filled in."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from shared.contracts.reasons import RejectionReason
from shared.contracts.strict_json import kind_of, read_object
from shared.domain.errors import Rejected

FILLED_IN = {"event_id": "id", "source": "source", "occurred_at": "time"}
"""Which field of an event may be left to which attribute of the CloudEvent."""
STRUCTURED = "application/cloudevents"
MARK = "specversion"
"""What every CloudEvent has, and no event of ours."""


def unwrap(content: dict[str, Any], attributes: Mapping[str, str]) -> dict[str, Any]:
    """Take the event out of the content of a message; what is no CloudEvent is an event as it stands.

    Structured mode: the content is the CloudEvent, and its `data` or `data_base64` the event. Binary mode: the
    content is the event, and the message's `ce-` attributes are around it. Raises `Rejected`.
    """
    if MARK in content or attributes.get("content-type", "").startswith(STRUCTURED):
        return _filled(_payload(content), content)
    if "ce-id" in attributes:
        return _filled(content, {name: attributes.get(f"ce-{name}") for name in FILLED_IN.values()})
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


def _filled(event: dict[str, Any], around: Mapping[str, Any]) -> dict[str, Any]:
    missing = {field: around.get(name) for field, name in FILLED_IN.items() if event.get(field) is None}
    return event | missing
