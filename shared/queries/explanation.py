"""Explanations of decisions about one user: those on record, and one for a moment that might come now."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.contracts.outbound.base import rfc3339
from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.decisioning.decide import decide
from shared.decisioning.situation import Situation
from shared.decisioning.staleness import why_untrue
from shared.domain.features import NOT_READ
from shared.domain.follow_ups import follow_up
from shared.domain.milestones import subject_of
from shared.domain.moments import FOLLOW_UPS, Moment, MomentSelector, is_milestone
from shared.domain.terms import Terms
from shared.domain.user import User
from shared.processing.settle import user_of
from shared.record.user_record import UserRecord

Decision = Mapping[str, Any]
"""The body of a decision message; one that was never made has the field `hypothetical`."""
HYPOTHETICAL = "hypothetical"
UNTRUE = "untrue"
"""The field of a hypothetical decision with the reason why its moment cannot come now; null if it can."""


def recorded(record: UserRecord, asked: MomentSelector | None) -> list[Decision]:
    """The decisions that the document still holds, newest first; if asked, only those about a moment of that kind.

    Those about a follow-up are told by the campaign that it follows, if one is named.
    """
    bodies = [message.body for message in record.pending_messages if message.topic == Topic.DECISION]
    about = [body for body in bodies if asked is None or _is_about(body, asked, record)]
    return sorted(about, key=lambda body: -body["sequence"])


def as_if(record: UserRecord, selector: MomentSelector, now: datetime, catalog: Catalog, terms: Terms) -> Decision:
    """The decision that a catalog would make if the moment came at `now` (UTC); nothing is stored or published.

    It is made even if the moment is not true of the user then; `untrue` says why it would be stale.
    """
    account, _ = record.history.at(now, terms)
    user = user_of(record, account, record.triggers, now, features=NOT_READ)
    moment = _moment(selector, user, catalog)
    decision = decide(Situation(catalog, user), [moment])
    return {
        "user_id": record.user_id,
        "decided_at": rfc3339(now),
        "catalog_version": decision.catalog_version,
        "moments": [moment.kind],
        "candidates": [*decision.candidates],
        "outcome": "issued" if decision.issued else "withheld",
        HYPOTHETICAL: True,
        UNTRUE: why_untrue(moment, user),
    }


def _is_about(body: Decision, asked: MomentSelector, record: UserRecord) -> bool:
    candidates = body["candidates"]
    if asked.campaign is None:
        return asked.kind in {*body["moments"], *(candidate["moment"] for candidate in candidates)}
    followed = {trigger.trigger_id for trigger in record.triggers if trigger.campaign_id == asked.campaign}
    return any(one["moment"] == asked.kind and one.get("follows") in followed for one in candidates)


def _moment(selector: MomentSelector, user: User, catalog: Catalog) -> Moment:
    """The moment that comes now; a milestone comes at the first of its offsets unless one is named."""
    kind, subscription = selector.kind, user.subscription
    if kind in FOLLOW_UPS:
        return _follow_up(selector, user, catalog)
    if not is_milestone(kind, selector.offset):
        return Moment(kind, subscription.id, user.now, HYPOTHETICAL)
    offset, subject = selector.offset or next(iter(catalog.milestones[kind]), None), subject_of(kind, subscription)
    return Moment(kind, subscription.id, user.now, HYPOTHETICAL, offset, subject.name if subject else "")


def _follow_up(asked: MomentSelector, user: User, catalog: Catalog) -> Moment:
    """The follow-up that comes now, of the newest trigger that it can follow.

    It is the first of the catalog's that is of this kind, and at the offset and of the campaign that are named.
    """
    every = (selector for selectors in catalog.follow_ups.values() for selector in selectors)
    selector = next((one for one in every if _is_asked(one, asked)), asked)
    newest_first = (one for one in reversed(user.triggers) if one.campaign_id == selector.campaign)
    if followed := next((one for one in newest_first if not one.withheld), None):
        return follow_up(followed, selector, user.now)
    moment = Moment(selector.kind, user.subscription.id, user.now, HYPOTHETICAL, selector.offset)
    return moment._replace(follows="", campaign=selector.campaign)


def _is_asked(selector: MomentSelector, asked: MomentSelector) -> bool:
    is_campaign = asked.campaign in {None, selector.campaign}
    return selector.kind is asked.kind and is_campaign and asked.offset in {None, selector.offset}
