"""The messages of one processing, read: what they tell of the user's document, as values."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import ValidationError

from shared.contracts.inbound.fields import utc
from shared.contracts.outbound.base import Sequenced
from shared.contracts.topics import Topic
from shared.decisioning.losses import NOT_GIVEN
from shared.domain.assignments import Assignment
from shared.domain.events import FeedbackKind, cause_of
from shared.domain.moments import Deferred, Moment, MomentKind, grant_in, names_derived
from shared.domain.offsets import parse_offset
from shared.domain.triggers import Trigger
from shared.queries.life_entry import is_held_back, is_revocation
from shared.queries.past_log import ABOUT_USER, Logged, json_object
from shared.queries.past_triggers import trigger_of

Body = Mapping[str, Any]


class Report(NamedTuple):
    """Feedback that an exposure tells."""

    trigger_id: str
    kind: FeedbackKind
    at: datetime


class Won(NamedTuple):
    """A trigger that a decision made, given or withheld."""

    trigger: Trigger
    is_whole: bool = True
    """False if no message tells until when it is open, and under which offer it counts."""


class Chosen(NamedTuple):
    """The variant that a candidate was told to have."""

    assignment: Assignment
    is_new: bool


class Change(NamedTuple):
    """The facts of a subscription before and after, as JSON."""

    subscription_id: str
    before: Body
    after: Body
    """The facts that the message has; null for one that does not apply."""
    is_complete: bool
    """True if facts that are not among them do not apply, either; false if they are as before."""


@dataclass(slots=True)
class Told:
    """The content of the messages that one processing led to."""

    at: datetime
    """The instant of the processing (UTC)."""
    event: tuple[str, str, str]
    """Topic, source and id of the event that was processed."""
    bodies: list[tuple[str, Body]] = field(default_factory=list)
    """The topics and bodies of the messages, in their order."""
    revoked: dict[str, str] = field(default_factory=dict)
    """The reasons of revocations, by the ids of the triggers."""
    reports: list[Report] = field(default_factory=list)
    won: list[Won] = field(default_factory=list)
    deferred: list[Deferred] = field(default_factory=list)
    chosen: list[Chosen] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    """The moments that changes and candidates tell, without what they follow."""
    winners: list[Body] = field(default_factory=list)
    """The candidates that won, given or withheld, the best first."""
    catalog_version: str = ""
    """The version of the catalog by which it was decided."""
    placement: str | None = None
    """The placement for which an app asked; None if none did, or no campaign was considered."""

    @property
    def cause(self) -> str:
        """The short name of the event."""
        return cause_of(*self.event)

    @property
    def sequence(self) -> int:
        """The number of the last message."""
        return max((int(body["sequence"]) for _, body in self.bodies), default=0)

    @property
    def decided(self) -> set[tuple[datetime, str]]:
        """Instant and cause of every derived moment that was decided."""
        return {(moment.at, moment.cause) for moment in self.moments if names_derived(moment.cause)}


def processings(user_id: str, logged: Iterable[Logged], counts: Counter[str]) -> list[Told]:
    """The processings that messages about the user tell, in the order in which they happened.

    A message that is not of its contract is left out, and counted as `messages_unreadable`.
    """
    found: dict[tuple[int, str], tuple[int, str, Body]] = {}
    for number, (topic, _, delivery) in enumerate(logged):
        if topic not in ABOUT_USER:
            continue
        body = json_object(delivery.data)
        if body.get("user_id") != user_id:
            continue
        if _is_valid(ABOUT_USER[topic], delivery.data, body):
            found.setdefault((body["sequence"], body.get("message_id", "")), (number, topic, body))
        else:
            counts["messages_unreadable"] += 1
    groups: dict[tuple[str, ...], list[tuple[str, Body]]] = {}
    for _, topic, told in sorted(found.values(), key=_position):
        groups.setdefault((told["decided_at"], *_identity(told)), []).append((topic, told))
    return [_processing(bodies, counts) for bodies in groups.values()]


def _position(message: tuple[int, str, Body]) -> tuple[int, int]:
    """By the sequence. After an erasure its numbers may come again: then by the order of landing."""
    number, _, body = message
    return body["sequence"], number


def _identity(body: Body) -> tuple[str, str, str]:
    """Topic, source and id of the event to whose processing a message belongs."""
    event = body["event"]
    return event["topic"], event["source"], event["event_id"]


def _is_valid(model: type[Sequenced], data: bytes, body: Body) -> bool:
    """True for a message of the model, also for one from before `decision_id`."""
    try:
        model.model_validate_json(data, strict=True)
    except ValidationError as error:
        if any(one["type"] != "missing" or one["loc"][-1] != "decision_id" for one in error.errors()):
            return False
    try:
        utc(body["decided_at"])
    except ValueError:
        return False
    return True


def _processing(messages: list[tuple[str, Body]], counts: Counter[str]) -> Told:
    first = messages[0][1]
    told = Told(utc(first["decided_at"]), _identity(first))
    for topic, body in messages:
        try:
            _READERS[topic](told, body)
            told.bodies.append((topic, body))
        except (ValueError, LookupError):  # a text that is none of those that the contract describes
            counts["messages_unreadable"] += 1
    return told


def _read_trigger(told: Told, body: Body) -> None:
    if is_revocation(body):
        told.revoked[body["trigger_id"]] = body.get("revoke_reason") or ""
    else:
        told.won.append(Won(_trigger(body)))


def _read_exposure(told: Told, body: Body) -> None:
    if not is_held_back(body):
        told.reports.append(Report(body["trigger_id"], FeedbackKind(body["kind"]), utc(body["occurred_at"])))
    elif body.get("reason") in NOT_GIVEN:
        is_whole = bool(body.get("expires_at"))
        known = {"expires_at": body["decided_at"], "withheld": body["reason"], **body}
        offer = body.get("counted_offer_id") or body.get("offer_id") or ""
        told.won.append(Won(_trigger(known)._replace(offer_id=offer), is_whole))


def _trigger(body: Body) -> Trigger:
    if offset := body.get("offset"):
        parse_offset(offset)  # it is kept as text
    return trigger_of(body)


def _read_decision(told: Told, body: Body) -> None:
    told.catalog_version = body["catalog_version"]
    for candidate in body["candidates"]:
        if candidate.get("moment_at"):
            moment = _moment(candidate)
            told.moments.append(moment)
            if candidate.get("deferred_until"):
                until = utc(candidate["deferred_until"])
                told.deferred.append(Deferred(moment, candidate["campaign_id"], until))
        if candidate["moment"] == MomentKind.OFFER_REQUESTED:
            told.placement = candidate["placement"]
        if chosen := _chosen(candidate):
            told.chosen.append(chosen)
        if candidate.get("trigger_id") and candidate.get("reason") in _OF_WINNERS:
            told.winners.append(candidate)


_OF_WINNERS = frozenset({None, *NOT_GIVEN})


def _chosen(candidate: Body) -> Chosen | None:
    """The assignment that a candidate tells; None if it tells none, or a policy picked its variant."""
    if not candidate.get("assigned_at") or candidate.get("policy_version"):
        return None
    assignment = Assignment(
        candidate["experiment_id"],
        candidate["subscription_id"] if candidate["unit"] == "subscription" else "",
        candidate["bucket_version"],
        candidate["variant"],
        utc(candidate["assigned_at"]),
        candidate.get("propensity", 1.0),
    )
    return Chosen(assignment, bool(candidate.get("newly_assigned")))


def _read_change(told: Told, body: Body) -> None:
    is_complete = bool(body.get("facts"))
    after = body["facts"] if is_complete else body["after"]
    told.changes.append(Change(body["subscription_id"], body["before"], after, is_complete))
    told.moments += map(_moment, body.get("moments", ()))


def _moment(about: Body) -> Moment:
    """The moment that a change or a candidate tells."""
    cause, offset, follows = about["cause"], about.get("offset"), about.get("follows")
    return Moment(
        MomentKind(about.get("kind") or about["moment"]),
        about["subscription_id"],
        utc(about.get("at") or about["moment_at"]),
        cause,
        parse_offset(offset) if offset else None,
        None if follows else grant_in(cause),
        follows,
    )


_READERS: Mapping[str, Callable[[Told, Body], None]] = {
    Topic.UPSELL_TRIGGER: _read_trigger,
    Topic.EXPOSURE: _read_exposure,
    Topic.DECISION: _read_decision,
    Topic.SUBSCRIPTION_CHANGE: _read_change,
}
