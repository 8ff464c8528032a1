"""The decision: of all campaigns that listen to the moments of one commit, one winner for each placement."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple

from shared.decisioning.catalog import Catalog
from shared.decisioning.gates import Contender, Loss, Reason, Situation, first_loss
from shared.domain.moments import Moment, MomentKind
from shared.domain.terms import later
from shared.domain.triggers import Trigger
from shared.domain.user import User


class Outcome(StrEnum):
    """What became of a candidate."""

    ISSUED = "issued"
    LOST = "lost"


class Candidate(NamedTuple):
    """A campaign that was considered for a moment, and what came of it."""

    campaign_id: str
    offer_id: str
    placement: str
    moment: MomentKind
    cause: str
    subscription_id: str
    outcome: Outcome
    reason: Reason | None
    """None for a winner."""
    detail: str | None
    """What stood in the way: the failing clause, the cap, the campaign that won."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A trigger that won, with what its message says beside it."""

    trigger: Trigger
    experiment_id: str | None = None
    variant: str | None = None
    propensity: float | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Everything considered for the moments of one commit. Without candidates, no campaign listened."""

    catalog_version: str
    candidates: tuple[Candidate, ...] = ()
    issued: tuple[Issued, ...] = ()


def trigger_id(user_id: str, cause: str, campaign_id: str) -> str:
    """The one id for one cause and campaign: 32 hex digits, the same whenever it is decided again."""
    return blake2b("\0".join((user_id, cause, campaign_id)).encode(), digest_size=16).hexdigest()


def decide(catalog: Catalog, user: User, moments: Sequence[Moment], stale: Sequence[Moment] = ()) -> Decision:
    """Decide the moments that hold at `user.now` together; the stale ones only lose, so that it is on record."""
    if not any(map(catalog.listening, (*moments, *stale))):
        return Decision(catalog.version)
    situation = Situation(catalog, user)
    contenders, outdated = _heard(moments, situation), _heard(stale, situation)
    losses = [*arbitrated(contenders), *(Loss(Reason.STALE) for _ in outdated)]
    judged = list(zip((*contenders, *outdated), losses, strict=True))
    return Decision(
        catalog.version,
        tuple(_candidate(contender, loss) for contender, loss in judged),
        tuple(_issued(contender) for contender, loss in judged if loss is None),
    )


def _heard(moments: Sequence[Moment], situation: Situation) -> list[Contender]:
    """Every campaign that listens to any of the moments: by rank, and for one campaign the newest moment first."""
    newest_first = sorted(moments, key=_age)
    catalog = situation.catalog
    heard = [
        Contender(campaign, moment, situation) for moment in newest_first for campaign in catalog.listening(moment)
    ]
    heard.sort(key=lambda contender: contender.campaign.rank)
    return heard


def _age(moment: Moment) -> tuple[object, ...]:
    """Newest first; the rest only makes the order total."""
    return -moment.at.timestamp(), moment.kind, moment.subscription_id, moment.cause


def arbitrated(contenders: Iterable[Contender]) -> Iterable[Loss | None]:
    """What each contender lost by, best first: of those that pass the gates, the first takes the placement.

    A campaign has one placement, so no campaign is offered twice in one decision, and counting the triggers of
    earlier decisions is enough for caps.
    """
    winners: dict[str, Contender] = {}
    for contender in contenders:
        loss = first_loss(contender)
        if loss is None:
            winner = winners.setdefault(contender.campaign.terms.placement, contender)
            loss = None if winner is contender else Loss(Reason.OUTRANKED, winner.campaign.id)
        yield loss


def _candidate(contender: Contender, loss: Loss | None) -> Candidate:
    campaign, moment = contender.campaign, contender.moment
    return Candidate(
        campaign_id=campaign.id,
        offer_id=campaign.terms.offer,
        placement=campaign.terms.placement,
        moment=moment.kind,
        cause=moment.cause,
        subscription_id=moment.subscription_id,
        outcome=Outcome.LOST if loss else Outcome.ISSUED,
        reason=loss.reason if loss else None,
        detail=loss.detail if loss else None,
    )


def _issued(contender: Contender) -> Issued:
    campaign, moment, user = contender.campaign, contender.moment, contender.situation.user
    trigger = Trigger(
        trigger_id=trigger_id(user.user_id, moment.cause, campaign.id),
        campaign_id=campaign.id,
        offer_id=campaign.terms.offer,
        placement=campaign.terms.placement,
        channel=campaign.channel,
        moment=moment.kind,
        subscription_id=moment.subscription_id,
        cause=moment.cause,
        decided_at=user.now,
        expires_at=later(user.now, campaign.validity),
    )
    return Issued(trigger)
