"""Arbitration: which of the contenders that pass the gates win, and which variant of them the user gets."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from hashlib import blake2b
from typing import NamedTuple

from shared.decisioning.catalog import Campaign
from shared.decisioning.document.schema import precedence
from shared.decisioning.experiments.experiment import Choice
from shared.decisioning.gates import Contender, judge
from shared.decisioning.losses import INELIGIBLE, Loss, LossReason
from shared.decisioning.offer_history import CapUsage
from shared.domain.instants import later
from shared.domain.triggers import Trigger


class Verdict(NamedTuple):
    """What became of a contender."""

    contender: Contender
    loss: Loss | None
    """None for a winner."""
    trigger: Trigger | None = None
    """What the user receives; or would have received, of one that was held back though it would have won."""
    choice: Choice | None = None
    """The variant of its experiment, where it won or would have."""
    caps: tuple[CapUsage, ...] = ()
    """How far its caps are used up, of one that was open to the user."""


class _Places:
    """Who has won which placement, whether or not the variant of it is to get nothing."""

    def __init__(self) -> None:
        self.winners: dict[str, list[str]] = {}
        self.groups: dict[str, str] = {}
        """By exclusivity group, the campaign of it that has won."""

    def refusal(self, contender: Contender) -> Loss | None:
        """Whether a contender comes too late. A campaign is not offered twice in one decision."""
        campaign, terms = contender.campaign, contender.campaign.terms
        winners = self.winners.get(terms.placement, [])
        if campaign.id in winners:
            return Loss(LossReason.OUTRANKED, campaign.id)
        if terms.exclusivity_group in self.groups:
            return Loss(LossReason.EXCLUSIVITY, self.groups[terms.exclusivity_group])
        if len(winners) < campaign.placement.max_triggers:
            return None
        return Loss(LossReason.OUTRANKED, ", ".join(winners))

    def take(self, campaign: Campaign) -> None:
        self.winners.setdefault(campaign.terms.placement, []).append(campaign.id)
        if campaign.terms.exclusivity_group:
            self.groups[campaign.terms.exclusivity_group] = campaign.id


class _Arbitration:
    """One decision's. Contenders come best first, so that whoever finds a place free has won it.

    Beside the places as they are, it keeps them as they would be if nobody were held out or capped: only who would
    have won there was really held back.
    """

    def __init__(self) -> None:
        self.places = _Places()
        self.places_if_none_were_withheld = _Places()
        self.open_to_user: dict[str, str] = {}
        """By placement, a campaign that was open to the user, whether or not it won."""

    def verdict(self, contender: Contender) -> Verdict:
        campaign = contender.campaign
        loss, withheld = judge(contender)
        if loss and loss.reason in INELIGIBLE:
            return Verdict(contender, loss)
        caps = contender.situation.offer_history.counts(campaign)
        if not campaign.is_fallback:
            self.open_to_user.setdefault(campaign.terms.placement, campaign.id)
        elif eligible := self.open_to_user.get(campaign.terms.placement):
            return Verdict(contender, Loss(LossReason.FALLBACK, eligible), None, None, caps)
        if loss is None:
            return self._won(contender, caps)
        if withheld and self.places_if_none_were_withheld.refusal(contender) is None:
            choice = _choice(contender)
            if not isinstance(choice, Loss):
                self.places_if_none_were_withheld.take(campaign)
                return Verdict(contender, loss, _trigger(contender, choice), choice, caps)
        return Verdict(contender, loss, None, None, caps)

    def _won(self, contender: Contender, caps: tuple[CapUsage, ...]) -> Verdict:
        loss, choice = self.places.refusal(contender), None
        if loss is None:
            choice = _choice(contender)
        if isinstance(choice, Loss):
            loss, choice = choice, None
        if loss:
            return Verdict(contender, loss, None, None, caps)
        self.places.take(contender.campaign)
        if self.places_if_none_were_withheld.refusal(contender) is None:
            self.places_if_none_were_withheld.take(contender.campaign)
        trigger = _trigger(contender, choice)
        if choice and choice.offer_id is None:
            return Verdict(contender, Loss(LossReason.VARIANT, choice.variant), trigger, choice, caps)
        contender.situation.offer_history.note(trigger)
        return Verdict(contender, None, trigger, choice, caps)


def arbitrate(contenders: Iterable[Contender]) -> Iterator[Verdict]:
    """The verdict on each contender, the best of them first; of one campaign in the order they come."""
    arbitration = _Arbitration()
    return map(arbitration.verdict, sorted(contenders, key=_precedence))


def _precedence(contender: Contender) -> tuple[bool, int, float, str]:
    """Fallbacks come last; otherwise as `precedence` says, with the rank that a score gives this user."""
    campaign, scored = contender.campaign, contender.scored
    rank = (scored.value or 0.0) if scored else campaign.terms.fixed_rank
    return campaign.is_fallback, *precedence(campaign.id, campaign.terms, rank)


def _choice(contender: Contender) -> Choice | Loss | None:
    experiment, situation = contender.campaign.experiment, contender.situation
    if experiment is None:
        return None
    return experiment.choice(situation.user, contender.moment, situation.catalog.library.policies)


def trigger_id(user_id: str, cause: str, campaign_id: str) -> str:
    """The one id for one cause and campaign: 32 hex digits, the same whenever it is decided again."""
    return blake2b("\0".join((user_id, cause, campaign_id)).encode(), digest_size=16).hexdigest()


def _trigger(contender: Contender, choice: Choice | None) -> Trigger:
    """What a winner shows; where the variant is to get nothing, what the campaign itself would."""
    campaign, moment, situation = contender.campaign, contender.moment, contender.situation
    user, terms = situation.user, campaign.terms
    offer_id = (choice and choice.offer_id) or terms.offer
    hours = terms.expires_after_hours or situation.catalog.document.offers[offer_id].validity_hours
    scored = contender.scored
    return Trigger(
        trigger_id=trigger_id(user.user_id, moment.cause, campaign.id),
        campaign_id=campaign.id,
        offer_id=offer_id,
        placement=terms.placement,
        channel=campaign.placement.channel,
        moment=moment.kind,
        subscription_id=moment.subscription_id,
        cause=moment.cause,
        decided_at=user.now,
        expires_at=later(user.now, timedelta(hours=hours)),
        catalog_version=situation.catalog.version,
        experiment_id=choice.experiment_id if choice else None,
        variant=choice.variant if choice else None,
        propensity=choice.propensity if choice else None,
        policy_version=choice.policy_version if choice else None,
        score=scored.value if scored else None,
        score_version=scored.version if scored else None,
    )
