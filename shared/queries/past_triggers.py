"""Triggers as they were at an instant of the past: not revoked yet, or with less feedback."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from shared.contracts.inbound.fields import utc
from shared.contracts.outbound.exposure import ExposureKind
from shared.contracts.outbound.upsell_trigger import TriggerKind
from shared.contracts.topics import Topic
from shared.domain.events import FeedbackKind, cause_of
from shared.domain.moments import MomentKind, grant_in
from shared.domain.triggers import Feedback, Trigger

TIMES = ("decided_at", "expires_at", "moment_at")
Told = tuple[str, Mapping[str, Any]]
"""A message about the user that was published: its topic and its body."""


class Revocation(NamedTuple):
    """The revocation of a trigger."""

    at: datetime
    reason: str


def revocations(messages: Iterable[Told]) -> dict[str, Revocation]:
    """The revocations that messages tell, by the ids of the triggers."""
    return {
        body["trigger_id"]: Revocation(datetime.fromisoformat(body["decided_at"]), body.get("revoke_reason") or "")
        for topic, body in messages
        if topic == Topic.UPSELL_TRIGGER and body["kind"] == TriggerKind.REVOKED
    }


def triggers_at(
    known: Iterable[Trigger], at: datetime, revoked: Mapping[str, Revocation]
) -> tuple[tuple[Trigger, ...], frozenset[str]]:
    """The triggers decided by an instant (UTC), and the ids of those of which it is not known if they were open.

    Only an open trigger is revoked: one whose time was over by the instant had been revoked by then, if ever.
    """
    triggers, unknown = [], set()
    for one in known:
        if one.decided_at > at:
            continue
        revocation = revoked.get(one.trigger_id)
        if revocation and revocation.at <= at:
            one = one.revoke(revocation.reason)  # noqa: PLW2901 - the same trigger, at another time
        elif one.revoked and (revocation or at < one.expires_at):
            one = one._replace(revoked=False, revoke_reason="")  # noqa: PLW2901
            unknown |= set() if revocation else {one.trigger_id}
        triggers.append(one)
    return tuple(triggers), frozenset(unknown)


def issued(messages: Iterable[Told]) -> dict[str, Trigger]:
    """The triggers whose issue is told, by their ids: without feedback, and not revoked."""
    return {
        body["trigger_id"]: trigger_of(body)
        for topic, body in messages
        if topic == Topic.UPSELL_TRIGGER and body["kind"] == TriggerKind.ISSUED
    }


def feedback_by(messages: Iterable[Told], at: datetime) -> dict[str, tuple[Feedback, ...]]:
    """The feedback that had arrived by an instant, by the ids of the triggers; of a kind the earliest counts."""
    first: dict[str, dict[FeedbackKind, datetime]] = {}
    for topic, body in messages:
        if topic != Topic.EXPOSURE or body["kind"] == ExposureKind.SUPPRESSED:
            continue
        if datetime.fromisoformat(body["decided_at"]) <= at:
            times = first.setdefault(body["trigger_id"], {})
            kind, occurred_at = FeedbackKind(body["kind"]), datetime.fromisoformat(body["occurred_at"])
            times[kind] = min(occurred_at, times.get(kind, occurred_at))
    return {id_: tuple(Feedback(kind, times[kind]) for kind in sorted(times)) for id_, times in first.items()}


def trigger_of(body: Mapping[str, Any]) -> Trigger:
    """The trigger that a message tells of. Fields that came after it are unknown. Raises `ValueError`."""
    told = {name: body[name] for name in Trigger._fields if name in body}
    times = {name: utc(body[name]) for name in TIMES if body.get(name)}
    cause, event = body["cause"], body["event"]
    by = cause_of(event["topic"], event["source"], event["event_id"])
    derived = {
        "moment": MomentKind(body["moment"]),
        "grant": None if body.get("follows") else grant_in(cause),
        "decided_by": "" if by == cause else by,
        "revoke_reason": "",
    }
    return Trigger(**(told | times | derived))
