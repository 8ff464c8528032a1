"""Explanations of decisions about one user: those on record, and one for a moment that might come now."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.contracts.outbound.base import rfc3339
from shared.decisioning.catalog import Catalog
from shared.decisioning.decide import decide
from shared.decisioning.situation import Situation
from shared.decisioning.staleness import why_untrue
from shared.domain.features import NOT_READ
from shared.domain.follow_ups import follow_up
from shared.domain.milestones import subject_of
from shared.domain.moments import FOLLOW_UPS, Moment, MomentSelector, is_milestone
from shared.domain.offsets import offset_text
from shared.domain.terms import Terms
from shared.domain.user import User
from shared.processing.settle import user_of
from shared.queries.life import Life, LifeKind
from shared.record.user_record import UserRecord

Decision = Mapping[str, Any]
"""The body of a decision message; one that was never made has the field `hypothetical`."""
HYPOTHETICAL = "hypothetical"
UNTRUE = "untrue"
"""The field of a hypothetical decision with the reason why its moment cannot come now; null if it can."""


def recorded(life: Life, asked: MomentSelector | None) -> list[Decision]:
    """The decisions on record, newest first; if asked, only those about a moment of that kind and offset.

    Those about a follow-up are told by the campaign that it follows, if one is named.
    """
    bodies = [entry.body for entry in life.entries if entry.kind is LifeKind.DECISION]
    about = [body for body in bodies if asked is None or _is_about(body, asked, life)]
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
        "context": decision.context.values if decision.results else {},
        "outcome": "issued" if decision.issued else "withheld",
        HYPOTHETICAL: True,
        UNTRUE: why_untrue(moment, user),
    }


def _is_about(body: Decision, asked: MomentSelector, life: Life) -> bool:
    candidates = [one for one in body["candidates"] if one["moment"] == asked.kind and _is_at(one, asked)]
    if asked.campaign is None:
        return bool(candidates) or (asked.offset is None and asked.kind in body["moments"])
    followed = {
        entry.body["trigger_id"] for entry in life.entries if entry.body.get("campaign_id") == asked.campaign
    }
    return any(one.get("follows") in followed for one in candidates)


def _is_at(candidate: Mapping[str, Any], asked: MomentSelector) -> bool:
    """True if a candidate is at the offset that is asked for; one from before offsets were told is at any."""
    return asked.offset is None or candidate.get("offset") in {None, offset_text(asked.offset)}


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
