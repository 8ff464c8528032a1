"""The user whom a message is about."""

from collections.abc import Mapping
from typing import Any

from shared.contracts.inbound.cloudevents import unwrap
from shared.contracts.outbound.dead_letter import SOURCE_SUBSCRIPTION
from shared.contracts.topics import Topic
from shared.domain.errors import Rejected
from shared.queries.life_letters import held_by
from shared.queries.past_log import json_object


def named_user(body: dict[str, Any], attributes: Mapping[str, str]) -> str | None:
    """The user that a message names, also inside a CloudEvent; None if it names none."""
    try:
        user = unwrap(body, attributes).get("user_id")
    except (Rejected, AttributeError):  # the latter for attributes of other types
        return None
    return user if isinstance(user, str) else None


def subject(topic: str, body: dict[str, Any], attributes: Mapping[str, str]) -> str | None:
    """The user in an event or a message; of a dead letter the one in the event that it holds."""
    if topic == Topic.DEAD_LETTER and SOURCE_SUBSCRIPTION not in attributes:
        held = held_by(body)
        body, attributes = json_object(held.data), held.attributes
    return named_user(body, attributes)
