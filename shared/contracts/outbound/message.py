"""A message out, as a value that can be stored with the state and published as it is, now or again."""

from dataclasses import dataclass, field
from typing import Any

import orjson

from shared.contracts.topics import Topic

FILTERABLE: dict[str, dict[str, str]] = {
    Topic.UPSELL_TRIGGER: {
        name: name for name in ("kind", "trigger_id", "campaign_id", "placement", "channel", "moment")
    },
    Topic.SUBSCRIPTION_CHANGE: {"status_before": "before.status", "status_after": "after.status"},
    Topic.DECISION: {"outcome": "outcome", "catalog_version": "catalog_version"},
    Topic.EXPOSURE: {
        name: name for name in ("kind", "trigger_id", "campaign_id", "placement", "experiment_id", "variant")
    },
    Topic.DEAD_LETTER: {"reason": "reason", "topic": "topic"},
}
"""Of each topic, the attributes that repeat a place in the body, since a subscription's filter sees no body."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message out; the first three fields are all that is needed to publish it again."""

    topic: str
    message_id: str
    """Deterministic: of two messages with one id, a consumer may drop either."""
    body: dict[str, Any]
    """JSON as it is sent: str, int, float, bool, None, list and dict only; times are RFC 3339 in UTC, with Z."""
    data: bytes = field(init=False, repr=False, compare=False)
    """The body as compact JSON with sorted keys: one body gives the same bytes everywhere.

    Written once, here, since a message is both stored and published.
    """

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", orjson.dumps(self.body, option=orjson.OPT_SORT_KEYS))

    def attributes(self) -> dict[str, str]:
        """Repeat what subscriptions may filter by; what the body does not give is left out."""
        places = {"schema_version": "schema_version", **FILTERABLE.get(self.topic, {})}
        given = {name: self._at(place) for name, place in places.items()}
        return {"message_id": self.message_id} | {name: str(it) for name, it in given.items() if it is not None}

    def _at(self, place: str) -> Any:
        value: Any = self.body
        for name in place.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return value
