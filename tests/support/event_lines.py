"""Events of the domain as lines of a history, as a producer would publish them."""

from datetime import datetime
from typing import Any

from shared.domain.events import Event, SignalSeen, TrialStarted


def line_of(event: Event, user_id: str | None = None) -> dict[str, Any]:
    """The line of an event, about another user if one is given."""
    key, profile = event.key, _given(event.profile._asdict()) | {"attributes": dict(event.attributes)}
    data = {
        "event_id": key.event_id,
        "user_id": user_id or event.user_id,
        "subscription_id": event.subscription_id,
        "occurred_at": key.occurred_at,
        "source": key.source or None,
        "order": event.order,
        "profile": profile,
    }
    return {"topic": key.topic, "data": _given(data) | _facts(event)}


def _facts(event: Event) -> dict[str, Any]:
    facts = event.fact._asdict()
    purchase = facts.pop("purchase", None)
    about = purchase._asdict() if purchase else {}
    if isinstance(event.fact, TrialStarted):
        about["price"] = about.pop("current_price")
    if isinstance(event.fact, SignalSeen):
        facts["signal"] = facts.pop("kind")
    return _given(about) | _given(facts)


def _given(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts that are not None; instants as text."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in facts.items()
        if value is not None
    }
