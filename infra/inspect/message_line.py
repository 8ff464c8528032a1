"""Any message of the bus as one line: its outcome, and a sentence of what it is."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from infra.inspect.withheld import is_withheld, offer_of, reason_of
from infra.terminal import wording
from infra.terminal.reasons import why_lost, why_revoked
from shared.contracts.inbound.envelope import EVENTS, Delivery, parse_event
from shared.contracts.outbound.dead_letter import SOURCE_SUBSCRIPTION
from shared.contracts.outbound.exposure import ExposureKind
from shared.contracts.topics import Topic
from shared.domain.errors import Rejected

Body = Mapping[str, Any]
"""A message as JSON."""
LOST_SHOWN = 3
"""The lost candidates of a decision that its line names; the others are counted."""


class Outcome(StrEnum):
    """The outcome that a message tells, for filters and colours."""

    EVENT = "event"
    INVALID = "invalid"
    """An event that does not keep the contract."""
    CHANGED = "changed"
    MOMENT = "moment"
    """A change that only tells a moment."""
    ISSUED = "issued"
    WITHHELD = "withheld"
    REVOKED = "revoked"
    FEEDBACK = "feedback"
    DEAD_LETTER = "dead letter"
    CATALOG = "catalog"
    TICK = "tick"
    UNREADABLE = "unreadable"
    """Not of this version's contract."""


class MessageLine(NamedTuple):
    """One line about a message."""

    outcome: Outcome
    text: str


def message_line(topic: str, data: bytes, attributes: Mapping[str, str], body: Body | None) -> MessageLine:
    """The line of any message, whatever it holds. `body` is the JSON object in its data; None if there is none."""
    try:
        if topic in EVENTS:
            event = parse_event(topic, Delivery(data, {**attributes}))
            return MessageLine(Outcome.EVENT, wording.of_event(event))
        return _READERS[topic](body or {}, attributes)
    except Rejected as rejected:
        return MessageLine(Outcome.INVALID, f"{rejected.reason}: {rejected.detail}")
    except (KeyError, TypeError, ValueError, AttributeError):
        return MessageLine(Outcome.UNREADABLE, f"not a message of {topic} that this version can read")


Reader = Callable[[Body, Mapping[str, str]], MessageLine]
"""Makes the line of a topic from the body and the attributes."""


def _of_change(body: Body, _attributes: Mapping[str, str]) -> MessageLine:
    outcome = Outcome.MOMENT if body.get("changed") == [] else Outcome.CHANGED
    return MessageLine(outcome, wording.of_change(body))


def _of_trigger(body: Body, _attributes: Mapping[str, str]) -> MessageLine:
    if body["kind"] == Outcome.ISSUED:
        return MessageLine(Outcome.ISSUED, wording.of_trigger(body))
    return MessageLine(Outcome.REVOKED, f"{wording.of_trigger(body)}: {why_revoked(body['revoke_reason'])}")


def _of_decision(body: Body, _attributes: Mapping[str, str]) -> MessageLine:
    """The campaigns that were given, those that were withheld, and those that lost, with their reasons."""
    candidates = body["candidates"]
    given = [f"{one['campaign_id']} issued" for one in candidates if one["outcome"] == Outcome.ISSUED]
    withheld = [f"{one['campaign_id']} withheld ({reason_of(one)})" for one in candidates if is_withheld(one)]
    lost = [one for one in candidates if one["outcome"] == "lost" and not is_withheld(one)]
    named = [f"{one['campaign_id']}: {why_lost(one)}" for one in lost[:LOST_SHOWN]]
    more = [f"{len(lost) - LOST_SHOWN} more"] if len(lost) > LOST_SHOWN else []
    parts = [*given, *withheld, *([f"lost: {', '.join((*named, *more))}"] if named else [])]
    outcome = Outcome.ISSUED if given else Outcome.WITHHELD
    return MessageLine(outcome, f"{', '.join(body['moments'])}: {'; '.join(parts)}")


def _of_exposure(body: Body, _attributes: Mapping[str, str]) -> MessageLine:
    offered = wording.of_trigger({**body, "offer_id": offer_of(body)})
    if body["kind"] != ExposureKind.SUPPRESSED:
        return MessageLine(Outcome.FEEDBACK, f"{body['kind']}: {offered}")
    return MessageLine(Outcome.WITHHELD, f"{offered}, {wording.with_short_times(reason_of(body))}")


def _of_letter(body: Body, attributes: Mapping[str, str]) -> MessageLine:
    if source := attributes.get(SOURCE_SUBSCRIPTION):
        return MessageLine(Outcome.DEAD_LETTER, f"undelivered: no function took it from {source}")
    return MessageLine(Outcome.DEAD_LETTER, f"{body['topic']}: {body['reason']}: {body['detail']}")


def _of_catalog(body: Body, _attributes: Mapping[str, str]) -> MessageLine:
    by = f" by {body['published_by']}" if body.get("published_by") else ""
    number = f"number {body['number']}, " if body.get("number") else ""
    return MessageLine(Outcome.CATALOG, f"catalog {number}version {body['catalog_version']} came into force{by}")


_READERS: dict[str, Reader] = {
    Topic.SUBSCRIPTION_CHANGE: _of_change,
    Topic.UPSELL_TRIGGER: _of_trigger,
    Topic.DECISION: _of_decision,
    Topic.EXPOSURE: _of_exposure,
    Topic.DEAD_LETTER: _of_letter,
    Topic.CATALOG_PUBLISHED: _of_catalog,
    Topic.LIFECYCLE_CLOCK: lambda _body, _attributes: MessageLine(Outcome.TICK, "the clock ticked"),
}
