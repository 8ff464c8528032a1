"""The gates a candidate passes, in order: each one small question, whose answer is a loss or None."""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from shared.decisioning.audience import Audience, activate
from shared.decisioning.catalog import Campaign, Catalog
from shared.decisioning.schema import Cap
from shared.decisioning.scope import scope_of
from shared.domain.moments import Moment
from shared.domain.user import User


class Reason(StrEnum):
    """Why a candidate lost; the words are part of the contract."""

    STALE = "stale"
    """The moment was over, or too old, before it could be decided."""
    KILL_SWITCH = "kill_switch"
    DISABLED = "disabled"
    NOT_STARTED = "not_started"
    ENDED = "ended"
    PLAN = "plan"
    """The offer is not open to the user's plan."""
    AUDIENCE = "audience"
    CAP = "cap"
    COOL_DOWN = "cool_down"
    OUTRANKED = "outranked"
    """Another candidate won the placement."""


class Loss(NamedTuple):
    """Why a candidate lost, and what exactly stood in the way."""

    reason: Reason
    detail: str | None = None


class Situation:
    """What all candidates of one decision share: the user, and what was already found out about them."""

    def __init__(self, catalog: Catalog, user: User) -> None:
        self.catalog = catalog
        self.user = user
        self._failures: dict[str, str | None] = {}

    @cached_property
    def _activation(self) -> Any:
        return activate(scope_of(self.user, self.catalog.asks))

    def failure(self, audience: Audience) -> str | None:
        """Why the user is not in the audience, or None; each audience is asked once a decision."""
        if audience.id not in self._failures:
            self._failures[audience.id] = audience.failure(self._activation)
        return self._failures[audience.id]

    def offered(self, campaign: Campaign) -> list[datetime]:
        """When the campaign's triggers were decided, revoked ones too."""
        return [t.decided_at for t in self.user.triggers if t.campaign_id == campaign.id]


class Contender(NamedTuple):
    """A campaign that listens to a moment of this user."""

    campaign: Campaign
    moment: Moment
    situation: Situation

    @property
    def now(self) -> datetime:
        """The instant of the decision."""
        return self.situation.user.now


Gate = Callable[[Contender], Loss | None]


def kill_switch(contender: Contender) -> Loss | None:
    """Nothing is offered while the catalog's kill switch is on."""
    return Loss(Reason.KILL_SWITCH) if contender.situation.catalog.kill_switch else None


def schedule(contender: Contender) -> Loss | None:
    """A campaign runs while enabled, from `starts_at` until just before `ends_at`."""
    terms = contender.campaign.terms
    if not terms.enabled:
        return Loss(Reason.DISABLED)
    if terms.starts_at and contender.now < terms.starts_at:
        return Loss(Reason.NOT_STARTED, f"starts_at {terms.starts_at.isoformat()}")
    if terms.ends_at and contender.now >= terms.ends_at:
        return Loss(Reason.ENDED, f"ends_at {terms.ends_at.isoformat()}")
    return None


def plan(contender: Contender) -> Loss | None:
    """An offer may be open to some plans only."""
    plans = contender.campaign.offer.plans_from
    if not plans or contender.situation.user.subscription.plan in plans:
        return None
    return Loss(Reason.PLAN, f"plans_from {', '.join(plans)}")


def audience(contender: Contender) -> Loss | None:
    """The user must belong to the campaign's audience."""
    wanted = contender.campaign.audience
    failure = contender.situation.failure(wanted) if wanted else None
    return Loss(Reason.AUDIENCE, failure) if failure else None


def caps(contender: Contender) -> Loss | None:
    """A campaign is offered only so often."""
    offered = contender.situation.offered(contender.campaign)
    if not offered:
        return None
    for cap in contender.campaign.terms.cap:
        if sum(_within(cap, at, contender.now) for at in offered) >= cap.max:
            window = f"in {cap.window_days} days" if cap.window_days else "ever"
            return Loss(Reason.CAP, f"{cap.max} {window}")
    return None


def cool_down(contender: Contender) -> Loss | None:
    """A campaign leaves the user in peace for a while after each offer."""
    hours = contender.campaign.terms.cool_down_hours
    offered = contender.situation.offered(contender.campaign)
    if not hours or not offered:
        return None
    ends = max(offered) + timedelta(hours=hours)
    return Loss(Reason.COOL_DOWN, f"until {ends.isoformat()}") if contender.now < ends else None


def _within(cap: Cap, at: datetime, now: datetime) -> bool:
    return cap.window_days is None or now - at < timedelta(days=cap.window_days)


GATES: tuple[Gate, ...] = (kill_switch, schedule, plan, audience, caps, cool_down)
"""In order: the first loss is the reason. A new gate is a function and a place here."""


def first_loss(contender: Contender) -> Loss | None:
    """What stops a contender, if anything does."""
    for gate in GATES:
        if loss := gate(contender):
            return loss
    return None
