"""An outgoing message as a value: stored in the same commit as the state, and published from there."""

from dataclasses import dataclass, field
from typing import Any

import orjson

from shared.contracts.topics import Topic

_TRIGGER_ATTRIBUTES = ("kind", "trigger_id", "campaign_id", "placement")

FILTERABLE: dict[str, dict[str, str]] = {
    Topic.UPSELL_TRIGGER: {name: name for name in (*_TRIGGER_ATTRIBUTES, "channel", "moment")},
    Topic.SUBSCRIPTION_CHANGE: {
        "subscription_id": "subscription_id",
        "status_before": "before.status",
        "status_after": "after.status",
        "user_status": "user_status",
    },
    Topic.DECISION: {"outcome": "outcome", "catalog_version": "catalog_version"},
    Topic.EXPOSURE: {name: name for name in (*_TRIGGER_ATTRIBUTES, "experiment_id", "variant")},
    Topic.CATALOG_PUBLISHED: {"catalog_version": "catalog_version"},
    Topic.DEAD_LETTER: {"reason": "reason", "topic": "topic"},
}
"""The message attributes of each topic and the body fields they repeat: a subscription filter sees no body."""


@dataclass(frozen=True, slots=True)
class Message:
    """One outgoing message; the first three fields are all that is needed to publish it again."""

    topic: str
    message_id: str
    """A deterministic id: of two messages with the same id, a consumer may drop either."""
    body: dict[str, Any]
    """The JSON to send: str, int, float, bool, None, list and dict only; instants are RFC 3339 in UTC, with Z."""
    data: bytes = field(init=False, repr=False, compare=False)
    """The body as compact JSON with sorted keys, so the same body gives the same bytes everywhere.

    Serialized once, here, because a message is both stored and published.
    """

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", orjson.dumps(self.body, option=orjson.OPT_SORT_KEYS))

    def attributes(self) -> dict[str, str]:
        """The attributes by which subscriptions may filter; a field that the body does not have is left out."""
        places = {"schema_version": "schema_version", **FILTERABLE.get(self.topic, {})}
        values = {name: self._value_at(place) for name, place in places.items()}
        given = {name: str(value) for name, value in values.items() if value is not None}
        return {"message_id": self.message_id} | given

    def _value_at(self, place: str) -> Any:
        value: Any = self.body
        for name in place.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return value
