"""Valid sample events for every topic, and helpers that wrap them in deliveries."""

import json
from base64 import b64encode
from typing import Any

import pytest

from shared.contracts.inbound.envelope import Delivery, parse_event
from shared.domain.errors import Rejected

COMMON = {"event_id": "e-1", "user_id": "secret-user", "occurred_at": "2026-03-15T09:30:00Z"}
PAYMENT = COMMON | {
    "outcome": "succeeded",
    "plan": "premium",
    "amount": 999,
    "currency": "EUR",
    "period_start": "2026-03-15T09:30:00Z",
    "period_end": "2026-04-15T09:30:00Z",
}
VALID: dict[str, dict[str, Any]] = {
    "trial-start": COMMON | {"plan": "premium", "trial_ends_at": "2026-03-29T09:30:00Z"},
    "payment": PAYMENT,
    "churn-signal": COMMON | {"signal": "inactivity", "strength": 0.5},
    "trigger-feedback": COMMON | {"trigger_id": "t-1", "kind": "clicked"},
    "user-erasure": COMMON,
    "lifecycle-due": COMMON,
}


def delivery(event: object, **attributes: str) -> Delivery:
    """A delivery of an event as JSON, or of raw bytes."""
    data = event if isinstance(event, bytes) else json.dumps(event).encode()
    return Delivery(data, attributes)


def push(data: bytes, attributes: dict[str, str] | None = None, **beside: Any) -> dict[str, Any]:
    """The body of a Pub/Sub push, as production sends it; `beside` adds top-level fields."""
    message = {
        "attributes": attributes or {},
        "data": b64encode(data).decode(),
        "messageId": "11203345760",
        "message_id": "11203345760",
        "publishTime": "2026-03-15T09:30:01.5Z",
        "publish_time": "2026-03-15T09:30:01.5Z",
    }
    return {"message": message, "subscription": "projects/p/subscriptions/payment"} | beside


def refusal(event: object, topic: str = "payment", **attributes: str) -> Rejected:
    """The rejection of an event; fails if the event is accepted."""
    with pytest.raises(Rejected) as caught:
        parse_event(topic, delivery(event, **attributes))
    return caught.value
