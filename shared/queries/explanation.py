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
from shared.domain.milestones import subject_of
from shared.domain.moments import Moment, MomentKind, MomentSelector, is_milestone
from shared.domain.subscription import Subscription
from shared.domain.terms import Terms
from shared.processing.settle import user_of
from shared.record.user_record import UserRecord

Decision = Mapping[str, Any]
"""The body of a decision message; one that was never made has the field `hypothetical`."""
HYPOTHETICAL = "hypothetical"
UNTRUE = "untrue"
"""The field of a hypothetical decision with the reason why its moment cannot come now; null if it can."""


def recorded(record: UserRecord, kind: MomentKind | None) -> list[Decision]:
    """The decisions that the document still holds, newest first; with a kind, only those about such a moment."""
    bodies = [message.body for message in record.pending_messages if message.topic == Topic.DECISION]
    about = [body for body in bodies if kind is None or kind in _moments(body)]
    return sorted(about, key=lambda body: -body["sequence"])


def as_if(record: UserRecord, selector: MomentSelector, now: datetime, catalog: Catalog, terms: Terms) -> Decision:
    """The decision that a catalog would make if the moment came at `now` (UTC); nothing is stored or published.

    It is made even if the moment is not true of the user then; `untrue` says why it would be stale.
    """
    account, _ = record.history.at(now, terms)
    user = user_of(record, account, record.triggers, now)
    moment = _moment(selector, user.subscription, now, catalog)
    decision = decide(Situation(catalog, user), [moment])
    return {
        "user_id": record.user_id,
        "decided_at": rfc3339(now),
        "catalog_version": decision.catalog_version,
        "moments": [moment.kind],
        "candidates": [candidate.model_dump(mode="json") for candidate in decision.candidates],
        "outcome": "issued" if decision.issued else "withheld",
        HYPOTHETICAL: True,
        UNTRUE: why_untrue(moment, user),
    }


def _moments(body: Decision) -> set[str]:
    return {*body["moments"], *(candidate["moment"] for candidate in body["candidates"])}


def _moment(selector: MomentSelector, subscription: Subscription, now: datetime, catalog: Catalog) -> Moment:
    """The moment that comes now; a milestone comes at the first of its offsets unless one is named."""
    kind = selector.kind
    if not is_milestone(kind, selector.offset):
        return Moment(kind, subscription.id, now, HYPOTHETICAL)
    offset, subject = selector.offset or next(iter(catalog.milestones[kind]), None), subject_of(kind, subscription)
    return Moment(kind, subscription.id, now, HYPOTHETICAL, offset, subject.name if subject else "")
