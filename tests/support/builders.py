"""Builders for tests of decisions: a user, a moment, and a catalog small enough to read."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import EMPTY_LIBRARY, compile_catalog
from shared.decisioning.decide import Considered, Decision
from shared.decisioning.decide import decide as decide_in
from shared.decisioning.library import Library
from shared.decisioning.situation import Situation
from shared.domain.account import Account
from shared.domain.assignments import Assignment
from shared.domain.attributes import AttributeFact, Attributes
from shared.domain.events import Event, FeedbackKind, Profile
from shared.domain.grants import Grant, GrantKind
from shared.domain.moments import Moment, MomentKind
from shared.domain.signals import BehaviouralSignal
from shared.domain.subscription import Status, Subscription
from shared.domain.tallies import Tallies
from shared.domain.triggers import Feedback, Trigger
from shared.domain.user import User
from tests.support.candidates import candidates_of

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def ago(**duration: float) -> datetime:
    return NOW - timedelta(**duration)


def paying(months: int = 3, **facts: Any) -> Subscription:
    """An active monthly subscription with that many payments, each for thirty days."""
    starts = [ago(days=30 * month) for month in reversed(range(months))]
    *past, current = [grant(start) for start in starts]
    given = {
        "id": "main",
        "status": Status.ACTIVE,
        "since": starts[0],
        "as_of": starts[-1],
        "current": current,
        "grants": (current,),
        "past": tuple(past[-8:]),
        "first_paid_at": starts[0],
        "last_paid_at": starts[-1],
    }
    return Subscription(**given | facts)


def grant(start: datetime, days: float = 30, **facts: Any) -> Grant:
    """A payment of a monthly plan for a period from `start`."""
    given = {"kind": GrantKind.PAYMENT, "plan": "premium_monthly", "amount": 999}
    return Grant(**given | {"start": start, "end": start + timedelta(days=days), "at": start} | facts)


def user(
    *subscriptions: Subscription,
    now: datetime = NOW,
    triggers: tuple[Trigger, ...] = (),
    signals: tuple[BehaviouralSignal, ...] = (),
    tallies: Tallies = Tallies(),  # noqa: B008 - frozen
    assignments: tuple[Assignment, ...] = (),
    user_id: str = "user-1",
    trial_used: bool = False,
    attributes: dict[str, Any] | None = None,
    event: Event | None = None,
    **profile: Any,
) -> User:
    account = Account(subscriptions or (paying(),), trial_used)
    facts = tuple(AttributeFact(name, value, ago(days=1), "") for name, value in (attributes or {}).items())
    about = (signals, triggers, tallies, assignments, Attributes(facts), event)
    return User(user_id, now, account, Profile(**profile), *about)


def moment(
    kind: MomentKind = MomentKind.RENEWED, cause: str = "c1", at: datetime = NOW, offset: int | None = None
) -> Moment:
    return Moment(kind, "main", at, cause, None if offset is None else timedelta(days=offset))


def trigger(campaign: str = "upgrade", at: datetime = NOW, **facts: Any) -> Trigger:
    """A trigger of an offer that expires an hour after `at`."""
    cause, expires = at.isoformat(), at + timedelta(hours=1)
    made = Trigger(cause, campaign, "annual", "banner", "in_app", MomentKind.RENEWED, "main", cause, at, expires)
    return made._replace(**facts)


def reported(kind: FeedbackKind, at: datetime, campaign: str = "upgrade", **facts: Any) -> Trigger:
    """A trigger issued a hundred days ago, with feedback of this kind."""
    return trigger(campaign, ago(days=100), feedback=(Feedback(kind, at),), **facts)


def campaign(**terms: Any) -> dict[str, Any]:
    return {"offer": "annual", "placement": "banner", "moments": ["renewed"], "priority": 50, **terms}


def written(**sections: Any) -> dict[str, Any]:
    """A valid catalog as parsed JSON, by default with one campaign `upgrade`."""
    return {
        "placements": {"banner": {"channel": "in_app"}, "inbox": {"channel": "email"}},
        "offers": {"annual": {"cms_ref": "offers/annual", "validity_hours": 48}},
        "campaigns": {"upgrade": campaign()},
        "milestones": {"trial.ending": [3, 1], "lapsed": [7, 30]},
        **sections,
    }


def catalog(library: Library = EMPTY_LIBRARY, **sections: Any) -> Catalog:
    return compile_catalog(written(**sections), library)


def catalog_with_audience(*clauses: dict[str, str], quantifier: str = "all") -> Catalog:
    """A catalog whose only campaign has an audience with these clauses."""
    return catalog(
        audiences={"wanted": {quantifier: list(clauses)}},
        campaigns={"upgrade": campaign(audience="wanted")},
    )


def content(decision: Decision) -> tuple[object, ...]:
    """Everything that a decision says, comparable with that of a decision in another situation."""
    return (
        decision.catalog_version,
        candidates_of(decision),
        decision.issued,
        decision.suppressed,
        decision.assignments,
        decision.deferred,
    )


def decide(asked: Catalog, of: User, moments: Sequence[Considered], stale: Sequence[Considered] = ()) -> Decision:
    return decide_in(Situation(asked, of), moments, stale)
