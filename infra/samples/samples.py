"""Reads the samples, and makes events of them for a user and an instant."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

from infra.errors import UsageError
from infra.samples.distance import distance
from shared.contracts.outbound.base import rfc3339

EVENTS = Path(__file__).with_name("events.yaml")
STORIES = Path(__file__).with_name("stories.yaml")
VERDICTS = frozenset({"refunded", "refund_reversed", "disputed", "dispute_won", "dispute_lost", "extended"})
"""Outcomes that are about an earlier payment, which `payment_id` names."""

STORY = "story:"
"""Before the name of a story among the kinds of events."""

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """An event to publish."""

    topic: str
    data: dict[str, Any]

    @property
    def asks(self) -> str | None:
        """The field that the user's own history has to give: `trigger_id` or `payment_id`; None for none."""
        if self.topic == "trigger-feedback":
            return None if "trigger_id" in self.data else "trigger_id"
        is_verdict = self.data.get("outcome") in VERDICTS
        return "payment_id" if is_verdict and not {"payment_id", "period_start"} & self.data.keys() else None


@dataclass(frozen=True, slots=True)
class Step:
    """A wait, and what happens then."""

    after: timedelta
    kind: str | None
    """A kind of event; None for a wait alone."""
    fields: Fields


@dataclass(frozen=True, slots=True)
class Story:
    """A life in a few events."""

    about: str
    steps: tuple[Step, ...]


def sample(kind: str, user_id: str, now: datetime, fields: Fields) -> Sample:
    """An event of a kind about a user, at `now` (UTC), with an id of its own and some fields replaced.

    Raises `UsageError` for an unknown kind.
    """
    kinds = _events()
    if kind not in kinds:
        raise UsageError(
            f"expected a kind of event, found {kind!r}{_near(kind, kinds)}; see upbeat trigger --list"
        )
    ((topic, given),) = kinds[kind].items()
    common = {"event_id": f"sample-{uuid4().hex[:12]}", "user_id": user_id, "occurred_at": rfc3339(now)}
    data = common | {name: _value(value, now) for name, value in {**given, **fields}.items()}
    return Sample(topic, {name: value for name, value in data.items() if value is not None})


def story(name: str) -> Story:
    """A story. Raises `UsageError` for an unknown one."""
    stories = yaml.safe_load(STORIES.read_text(encoding="utf-8"))
    if name not in stories:
        raise UsageError(f"expected a story ({', '.join(stories)}), found {name!r}")
    return Story(stories[name]["about"], tuple(_steps(stories[name]["steps"])))


def kinds() -> Iterator[str]:
    """Every kind of event, and every story after the prefix `STORY`."""
    yield from _events()
    yield from (f"{STORY}{name}" for name in yaml.safe_load(STORIES.read_text(encoding="utf-8")))


@cache
def _events() -> Mapping[str, Mapping[str, Fields]]:
    events: Mapping[str, Mapping[str, Fields]] = yaml.safe_load(EVENTS.read_text(encoding="utf-8"))
    return events


def _steps(written: Iterable[Sequence[Any]]) -> Iterator[Step]:
    for after, *event in written:
        kind, fields = (*event, None, None)[:2]
        yield Step(distance(after) or timedelta(0), kind, fields or {})


def _value(value: Any, now: datetime) -> Any:
    """A value, with a distance that has a sign as the instant so far from `now`."""
    far = distance(value) if isinstance(value, str) and value[:1] in ("+", "-") else None
    return value if far is None else rfc3339(now + far)


def _near(kind: str, known: Mapping[str, Any]) -> str:
    near = get_close_matches(kind, known, 1, 0.5) or [each for each in known if each.endswith(f".{kind}")]
    return f" ({near[0]}?)" if near else ""
