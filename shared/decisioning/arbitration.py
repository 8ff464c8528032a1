"""Arbitration: the contenders that win a placement, and the variant that the user gets of each."""

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


class ContenderResult(NamedTuple):
    """The result of the arbitration for one contender."""

    contender: Contender
    loss: Loss | None
    """None for a winner."""
    trigger: Trigger | None = None
    """The trigger that the user receives; for an offer held back, the one that the user would have received."""
    choice: Choice | None = None
    """The variant of its experiment, if the contender won or would have won."""
    caps: tuple[CapUsage, ...] = ()
    """The usage of its caps, if the campaign was open to the user."""


class _Places:
    """The winners of each placement, including those whose variant offers nothing."""

    def __init__(self) -> None:
        self.winners: dict[str, list[str]] = {}
        self.groups: dict[str, str] = {}
        """The winning campaign of each exclusivity group."""

    def refusal(self, contender: Contender) -> Loss | None:
        """The loss of a contender whose place is taken, or None. One decision offers a campaign only once."""
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
    """The arbitration of one decision. Contenders come best first, so each takes its place if it is still free.

    Beside the real places it keeps those of a world in which nobody is held out or capped. Only a contender that
    would have won there was really held back.
    """

    def __init__(self) -> None:
        self.places = _Places()
        self.places_without_suppression = _Places()
        self.open_to_user: dict[str, str] = {}
        """The first campaign of each placement that was open to the user, whether or not it won."""

    def result(self, contender: Contender) -> ContenderResult:
        campaign = contender.campaign
        loss, held_back = judge(contender)
        if loss and loss.reason in INELIGIBLE:
            return ContenderResult(contender, loss)
        caps = contender.situation.offer_history.counts(campaign)
        if not campaign.is_fallback:
            self.open_to_user.setdefault(campaign.terms.placement, campaign.id)
        elif eligible := self.open_to_user.get(campaign.terms.placement):
            return ContenderResult(contender, Loss(LossReason.FALLBACK, eligible), caps=caps)
        if loss is None:
            return self._compete(contender, caps)
        if held_back and self.places_without_suppression.refusal(contender) is None:
            choice = _choice(contender)
            if not isinstance(choice, Loss):
                self.places_without_suppression.take(campaign)
                return ContenderResult(contender, loss, _trigger(contender, choice), choice, caps)
        return ContenderResult(contender, loss, caps=caps)

    def _compete(self, contender: Contender, caps: tuple[CapUsage, ...]) -> ContenderResult:
        """The result of a contender that passed every gate: it wins if its place is free."""
        if refusal := self.places.refusal(contender):
            return ContenderResult(contender, refusal, caps=caps)
        choice = _choice(contender)
        if isinstance(choice, Loss):
            return ContenderResult(contender, choice, caps=caps)
        self.places.take(contender.campaign)
        if self.places_without_suppression.refusal(contender) is None:
            self.places_without_suppression.take(contender.campaign)
        trigger = _trigger(contender, choice)
        if choice and choice.offer_id is None:
            return ContenderResult(contender, Loss(LossReason.VARIANT, choice.variant), trigger, choice, caps)
        contender.situation.offer_history.add(trigger)
        return ContenderResult(contender, None, trigger, choice, caps)


def arbitrate(contenders: Iterable[Contender]) -> Iterator[ContenderResult]:
    """The result of each contender, the best first; contenders of one campaign keep their order."""
    arbitration = _Arbitration()
    return map(arbitration.result, sorted(contenders, key=_precedence))


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
    """The id of the trigger for one cause and campaign: 32 hex digits, the same whenever it is decided again."""
    return blake2b("\0".join((user_id, cause, campaign_id)).encode(), digest_size=16).hexdigest()


def _trigger(contender: Contender, choice: Choice | None) -> Trigger:
    """The trigger of a winner; if its variant offers nothing, the trigger with the campaign's own offer."""
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
        grant=moment.grant,
    )
