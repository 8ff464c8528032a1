"""Decisions about one user, to be explained: those on record, and what would be decided if a moment came now."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.decisioning.decide import decide
from shared.decisioning.situation import Situation
from shared.domain.conditions import is_still_true
from shared.domain.events import Event, Key, TimePassed
from shared.domain.moments import MILESTONES, Moment, MomentKind, MomentSelector
from shared.domain.subscription import Subscription
from shared.domain.terms import Terms
from shared.processing.outbox import Outbox
from shared.processing.settle import user_of
from shared.record.user_record import UserRecord

Decision = Mapping[str, Any]
"""The body of a decision's message; one that was never made says `hypothetical` beside."""
HYPOTHETICAL = "hypothetical"


def recorded(record: UserRecord, kind: MomentKind | None) -> list[Decision]:
    """The decisions that the document still holds, newest first; of a moment only those about it."""
    messages = (message for entry in record.pending for message in entry.messages)
    bodies = [message.body for message in messages if message.topic == Topic.DECISION]
    about = [body for body in bodies if kind is None or kind in _moments(body)]
    return sorted(about, key=lambda body: -body["sequence"])


def as_if(record: UserRecord, moment: MomentSelector, now: datetime, catalog: Catalog, terms: Terms) -> Decision:
    """What a catalog would decide if the moment came at `now` (UTC); nothing is noted anywhere."""
    account, _ = record.history.at(now, terms)
    user = user_of(record, account, record.triggers, now)
    come = _come(moment, user.subscription, now, catalog)
    true = is_still_true(user.account, come.kind, come.subscription_id, come.cause)
    decision = decide(Situation(catalog, user), [come] if true else [], [] if true else [come])
    outbox = Outbox(record, _nothing_happened(record.user_id, come), now)
    outbox.explain(decision, [come])
    return {**outbox.messages[-1].body, HYPOTHETICAL: True}


def _nothing_happened(user_id: str, moment: Moment) -> Event:
    """What a hypothetical decision gives as the event behind it."""
    return Event(Key(moment.at, "none", "", HYPOTHETICAL), user_id, moment.subscription_id, TimePassed(), "")


def _moments(body: Decision) -> set[str]:
    return {*body["moments"], *(candidate["moment"] for candidate in body["candidates"])}


def _come(moment: MomentSelector, subscription: Subscription, now: datetime, catalog: Catalog) -> Moment:
    """The moment as it would come; a milestone at the first of its offsets unless one is named."""
    if moment.kind not in MILESTONES:
        return Moment(moment.kind, subscription.id, now, HYPOTHETICAL)
    days = moment.offset_days or next(iter(catalog.milestones.get(moment.kind, ())), None)
    return Moment(moment.kind, subscription.id, now, f"{HYPOTHETICAL}/{subscription.granted_by}", days)
