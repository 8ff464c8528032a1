"""An event checked as the function of its topic would, without the user's document."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from infra.catalog.codes import meant_country, meant_currency, meant_zone
from infra.terminal import wording
from shared.contracts.inbound.attributes import GivenAttributes
from shared.contracts.inbound.base import Inbound, InboundEvent, ProfileFacts
from shared.contracts.inbound.envelope import EVENTS, Delivery, check_not_future, read_content
from shared.contracts.inbound.events import LifecycleClock
from shared.contracts.inbound.misspelt import close_field
from shared.contracts.inbound.validation import BETWEEN_PROBLEMS, validate
from shared.decisioning.document.problems import closest
from shared.domain.errors import Rejected
from shared.domain.events import Environment, Event

MAX_PROBLEMS = 100
MEANT = {"currency": meant_currency, "country": meant_country, "time_zone": meant_zone}
"""By the field: what a wrong code most likely means."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason for a refusal."""

    text: str
    """The sentence of the dead letter."""
    meant: str | None = None
    """The value that was most likely meant; None if that cannot be told."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A part of an event that has no effect."""

    path: str
    meant: str | None = None
    """The field that was most likely meant; None if that cannot be told."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The forecast for an event."""

    topic: str
    reason: str | None = None
    """The reason for which it would be refused; None if it would be accepted."""
    problems: tuple[Problem, ...] = ()
    what: str | None = None
    """The event in one line."""
    understood: Mapping[str, Any] = field(default_factory=dict)
    """The fields that were given, with their values as Upbeat reads them: times in UTC."""
    ignored: tuple[Ignored, ...] = ()
    """The unknown fields."""
    notes: tuple[str, ...] = ()
    """Further hints for the producer."""


def check_event(topic: str, delivery: Delivery, now: datetime, clock_skew: timedelta) -> Checked:
    """The forecast for the event in a delivery at `now` (UTC), as far as the event alone tells."""
    content: dict[str, Any] = {}
    try:
        content = read_content(delivery) if delivery.data or topic != LifecycleClock.TOPIC else {}
        message = validate(_model(topic), content, MAX_PROBLEMS)
        event = message.to_event() if isinstance(message, InboundEvent) else None
        if event:
            check_not_future(event, now, clock_skew)
    except Rejected as rejected:
        problems = tuple(_problem(text, content) for text in rejected.detail.split(BETWEEN_PROBLEMS))
        return Checked(topic, rejected.reason, problems, ignored=tuple(_ignored(topic, content)))
    return Checked(
        topic,
        what=wording.of_event(event) if event else "a tick",
        understood=_understood(message),
        ignored=tuple(_ignored(topic, content)),
        notes=tuple(_notes(event)) if event else (),
    )


def _model(topic: str) -> type[Inbound]:
    return EVENTS.get(topic, LifecycleClock)


def _understood(message: Inbound) -> dict[str, Any]:
    """The fields that were given, as JSON."""
    given = message.model_dump(mode="json", exclude_unset=True, exclude={"profile": {"attributes"}})
    profile = getattr(message, "profile", None)
    if profile and profile.attributes != GivenAttributes():
        given["profile"] |= {"attributes": dict(profile.attributes.kept)}
    return given


def _ignored(topic: str, content: Mapping[str, Any]) -> Iterator[Ignored]:
    model, profile = _model(topic), content.get("profile")
    yield from (Ignored(name, close_field(model, name)) for name in content if name not in model.model_fields)
    if isinstance(profile, dict) and "profile" in model.model_fields:
        for name in (name for name in profile if name not in ProfileFacts.model_fields):
            meant = close_field(ProfileFacts, name)
            yield Ignored(f"profile.{name}", meant and f"profile.{meant}")


def _notes(event: Event) -> Iterator[str]:
    yield from (f"dropped attribute: {each}" for each in event.dropped)
    if event.environment is Environment.SANDBOX:
        yield "a sandbox event changes nothing, unless the installation sets UPBEAT_PROCESS_SANDBOX"


def _problem(text: str, content: Mapping[str, Any]) -> Problem:
    path, _, expected = text.partition(": expected ")
    value = _value(content, path.split("."))
    return Problem(text, _meant(path.rpartition(".")[2], expected, value) if isinstance(value, str) else None)


def _value(content: Any, steps: Iterable[str]) -> Any:
    for step in steps:
        content = content.get(step) if isinstance(content, dict) else None
    return content


def _meant(name: str, expected: str, value: str) -> str | None:
    if name in MEANT:
        return MEANT[name](value)
    if not expected.startswith("one of "):
        return None
    words = expected.removeprefix("one of ").partition(", found ")[0].split(", ")
    return value.lower() if value.lower() in words else closest(value.lower(), words)
