"""Decisions about one user, to be explained: those on record, and what would be decided if a moment came now."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from infra.errors import UsageError
from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.decisioning.decide import decide
from shared.decisioning.situation import Situation
from shared.domain.conditions import holds
from shared.domain.events import Event, Key, TimePassed
from shared.domain.moments import MILESTONES, Moment, MomentKind
from shared.domain.subscription import Subscription
from shared.domain.terms import Terms
from shared.processing.outbox import Outbox
from shared.processing.settle import user_of
from shared.record.user_record import UserRecord

Decision = Mapping[str, Any]
"""The body of a decision's message; one that was never made says `hypothetical` beside."""
HYPOTHETICAL = "hypothetical"


class Asked(NamedTuple):
    """The moment that somebody wants explained."""

    kind: MomentKind
    offset_days: int | None = None
    """Of a milestone; None: at any offset."""


def asked(text: str) -> Asked:
    """`payment.failed`, or `lapsed@7`. Raises `UsageError`."""
    name, at, days = text.partition("@")
    if name in list(MomentKind) and not at:
        return Asked(MomentKind(name))
    if name in MILESTONES and days.isdecimal():
        return Asked(MomentKind(name), int(days))
    raise UsageError(f"--moment: expected one of {', '.join(MomentKind)}, found {text!r}")


def recorded(record: UserRecord, kind: MomentKind | None) -> list[Decision]:
    """The decisions that the document still holds, newest first; of a moment only those about it."""
    messages = (message for entry in record.pending for message in entry.messages)
    bodies = [message.body for message in messages if message.topic == Topic.DECISION]
    about = [body for body in bodies if kind is None or kind in _moments(body)]
    return sorted(about, key=lambda body: -body["sequence"])


def as_if(record: UserRecord, moment: Asked, now: datetime, catalog: Catalog, terms: Terms) -> Decision:
    """What a catalog would decide if the moment came at `now` (UTC); nothing is noted anywhere."""
    account, _ = record.history.at(now, terms)
    user = user_of(record, account, record.triggers, now)
    come = _come(moment, user.subscription, now, catalog)
    true = holds(user.account, come.kind, come.subscription_id, come.cause)
    decision = decide(Situation(catalog, user), [come] if true else [], [] if true else [come])
    outbox = Outbox(record, _nothing_happened(record.user_id, come), now)
    outbox.explain(decision, [come])
    return {**outbox.messages[-1].body, HYPOTHETICAL: True}


def _nothing_happened(user_id: str, moment: Moment) -> Event:
    """What a hypothetical decision gives as the event behind it."""
    return Event(Key(moment.at, "none", "", HYPOTHETICAL), user_id, moment.subscription_id, TimePassed(), "")


def _moments(body: Decision) -> set[str]:
    return {*body["moments"], *(candidate["moment"] for candidate in body["candidates"])}


def _come(moment: Asked, subscription: Subscription, now: datetime, catalog: Catalog) -> Moment:
    """The moment as it would come; a milestone at the first of its offsets unless one is named."""
    if moment.kind not in MILESTONES:
        return Moment(moment.kind, subscription.id, now, HYPOTHETICAL)
    days = moment.offset_days or next(iter(catalog.milestones.get(moment.kind, ())), None)
    return Moment(moment.kind, subscription.id, now, f"{HYPOTHETICAL}/{subscription.granted_by}", days)
