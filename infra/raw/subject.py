"""The user whom a message is about."""

from collections.abc import Mapping
from typing import Any

from shared.contracts.inbound.cloudevents import unwrap
from shared.domain.errors import Rejected


def named_user(body: dict[str, Any], attributes: Mapping[str, str]) -> str | None:
    """The user that a message names, also inside a CloudEvent; None if it names none."""
    try:
        user = unwrap(body, attributes).get("user_id")
    except (Rejected, AttributeError):  # the latter for attributes of other types
        return None
    return user if isinstance(user, str) else None
