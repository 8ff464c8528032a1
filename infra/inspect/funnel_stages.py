"""The progress of campaigns in messages: the stage that each candidate and each trigger came to."""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from shared.contracts.topics import Topic
from shared.domain.events import FeedbackKind

Body = Mapping[str, Any]
"""The JSON of a message."""
MAX_TEXT = 256
"""Characters of an id or a reason: more, or such as move a terminal's cursor, are none of ours."""


class Stage(StrEnum):
    """The stage of a candidate or a trigger, in the words of the mart."""

    CONSIDERED = "considered"
    """A candidate of a decision."""
    LOST = "lost"
    """A candidate that issued nothing, by the gate or rule that stopped it."""
    ISSUED = "issued"
    DELIVERED = "delivered"
    SEEN = "seen"
    CLICKED = "clicked"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    CONVERTED = "converted"
    REVOKED = "revoked"
    """A trigger that was withdrawn, by the reason of it."""


_OF_FEEDBACK = {kind.value: Stage(kind) for kind in FeedbackKind if kind is not FeedbackKind.IMPRESSION}
_OF_FEEDBACK[FeedbackKind.IMPRESSION.value] = Stage.SEEN
_OF_TRIGGER = {stage.value: stage for stage in (Stage.ISSUED, Stage.REVOKED)}


class Place(NamedTuple):
    """The key of one number of the funnel."""

    campaign_id: str
    experiment_id: str | None
    """None outside an experiment, and of candidates that would not have won."""
    variant: str | None
    held_out: bool
    """True of candidates about users in a holdout that covers the campaign."""
    stage: Stage
    reason: str | None
    """The gate or rule of a loss, the reason of a revocation; else None."""


Read = tuple[tuple[str, ...], list[Place]]
"""The identity of what a message tells, and what it adds."""


def _decision(body: Body) -> Read:
    places = [place for candidate in body["candidates"] for place in _candidate(candidate)]
    return (Topic.DECISION, _text(body, "message_id")), places


def _candidate(candidate: Body) -> Iterator[Place]:
    campaign, experiment, variant = _about(candidate)
    held_out = bool(candidate.get("holdouts"))
    yield Place(campaign, experiment, variant, held_out, Stage.CONSIDERED, None)
    if candidate["outcome"] == Stage.LOST:
        yield Place(campaign, experiment, variant, held_out, Stage.LOST, _text(candidate, "reason"))


def _trigger(body: Body) -> Read:
    stage = _OF_TRIGGER[body["kind"]]
    reason = _optional(body, "revoke_reason")
    return (Topic.UPSELL_TRIGGER, _text(body, "message_id")), [Place(*_about(body), False, stage, reason)]


def _exposure(body: Body) -> Read:
    """Of one kind of feedback only the first about a trigger counts, although an earlier one may be told later."""
    kind = _text(body, "kind")
    places = [Place(*_about(body), False, _OF_FEEDBACK[kind], None)] if kind != "suppressed" else []
    return (Topic.EXPOSURE, _text(body, "trigger_id"), kind), places


READERS: Mapping[str, Callable[[Body], Read]] = {
    Topic.DECISION.value: _decision,
    Topic.UPSELL_TRIGGER.value: _trigger,
    Topic.EXPOSURE.value: _exposure,
}
"""By topic. Each raises `AttributeError`, `KeyError` or `TypeError` for what the contracts do not describe."""
TOPICS = (Topic.CATALOG_PUBLISHED, Topic.DECISION, Topic.UPSELL_TRIGGER, Topic.EXPOSURE)
"""The topics whose messages count."""


def _about(body: Body) -> tuple[str, str | None, str | None]:
    return _text(body, "campaign_id"), _optional(body, "experiment_id"), _optional(body, "variant")


def plain(value: Any) -> str:
    """An id or a reason. Raises `TypeError` for what cannot be one."""
    if not isinstance(value, str) or len(value) > MAX_TEXT or not value.isprintable():
        raise TypeError
    return value


def _text(body: Body, name: str) -> str:
    return plain(body[name])


def _optional(body: Body, name: str) -> str | None:
    return None if body.get(name) is None else _text(body, name)
