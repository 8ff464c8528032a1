"""Arbitration: the contenders that win a placement, and the variant that the user gets of each."""

from collections.abc import Iterable, Iterator
from datetime import UTC, timedelta
from hashlib import blake2b
from typing import NamedTuple

from shared.decisioning.catalog import Campaign, Precedence
from shared.decisioning.experiments.experiment import Choice
from shared.decisioning.gates import Contender, judge
from shared.decisioning.losses import INELIGIBLE, NOT_GIVEN, Loss, LossReason
from shared.decisioning.offer_history import CapUsage
from shared.decisioning.situation import Situation
from shared.domain.instants import later
from shared.domain.triggers import Trigger

UNRANKED = -1.0
"""The rank of a campaign whose score has no value: lower than any rank that can be written or computed."""


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

    @property
    def is_stale(self) -> bool:
        """True if the moment was no longer to be decided."""
        return self.loss is not None and self.loss.reason is LossReason.STALE

    @property
    def has_won(self) -> bool:
        """True for a winner, whether the user is given its offer or not."""
        return self.loss is None or self.loss.reason in NOT_GIVEN


class _Places:
    """The places of one decision: its winners, and the open triggers that hold a place from before.

    What was withheld holds its place as well.
    """

    def __init__(self, situation: Situation) -> None:
        self.winners: dict[str, list[str]] = {}
        self.groups: dict[str, str] = {}
        """The winning campaign of each exclusivity group."""
        self.replaced: list[Trigger] = []
        self._situation = situation
        self._held: dict[str, list[Trigger]] = {}
        """The triggers from before that hold a place, by placement."""
        for trigger in situation.user.triggers:
            if trigger.holds_place(situation.user.now):
                self._held.setdefault(trigger.placement, []).append(trigger)

    def refusal(self, contender: Contender) -> Loss | None:
        """The loss of a contender whose place is taken, or None. One decision offers a campaign only once."""
        campaign, terms = contender.campaign, contender.campaign.terms
        winners = self.winners.get(terms.placement, [])
        if campaign.id in winners or (contender.is_requested and self._is_open(campaign)):
            return Loss(LossReason.OUTRANKED, campaign.id)
        if terms.exclusivity_group in self.groups:
            return Loss(LossReason.EXCLUSIVITY, self.groups[terms.exclusivity_group])
        held, places = self._held_in(campaign), campaign.placement.max_triggers
        taken = len(winners) + len(held)
        if taken < places or (held and taken - len(self._replaceable(campaign)) < places):
            return None
        return Loss(LossReason.OUTRANKED, ", ".join((*winners, *(trigger.campaign_id for trigger in held))))

    def take(self, campaign: Campaign) -> None:
        """Take a place for a campaign that `refusal` lets in: its own from before, a free one, or another's."""
        winners, held = self.winners.setdefault(campaign.terms.placement, []), self._held_in(campaign)
        for one in self._replaceable(campaign) if held else ():
            is_full = len(winners) + len(held) >= campaign.placement.max_triggers
            if is_full or one.campaign_id == campaign.id:
                held.remove(one)
                self.replaced.append(one)
        winners.append(campaign.id)
        if campaign.terms.exclusivity_group:
            self.groups[campaign.terms.exclusivity_group] = campaign.id

    def _is_open(self, campaign: Campaign) -> bool:
        """True if the campaign's own offer is open in its placement: then who asks is shown that one again."""
        return any(one.campaign_id == campaign.id for one in self._held.get(campaign.terms.placement, ()))

    def _held_in(self, campaign: Campaign) -> list[Trigger]:
        """The triggers from before that hold a place of the campaign's placement."""
        return self._held.get(campaign.terms.placement, []) if campaign.placement.holds == "open" else []

    def _replaceable(self, campaign: Campaign) -> list[Trigger]:
        """The open triggers that the campaign may replace: first its own, then those of the lowest standing.

        An outdated catalog replaces none: the newer one may rank the campaigns otherwise.
        """
        if self._situation.is_outdated or not campaign.terms.replaces:
            return []
        held, standing = self._held_in(campaign), _standing(campaign)
        own = [trigger for trigger in held if trigger.campaign_id == campaign.id]
        lower = [one for one in held if one not in own and self._standing_of(one) < standing]
        return own + sorted(lower, key=lambda one: (self._standing_of(one), one.decided_at))

    def _standing_of(self, trigger: Trigger) -> int:
        """The standing of a trigger's campaign now."""
        return _standing(self._situation.catalog.campaigns.get(trigger.campaign_id))


def _standing(campaign: Campaign | None) -> int:
    """The priority of a campaign; below all others for a fallback, and for one that the catalog no longer has."""
    return campaign.terms.priority if campaign and not campaign.is_fallback else -1


class Arbitration:
    """The arbitration of one decision. Contenders come best first, so each takes its place if it is still free.

    It decides as if nobody were held out and no arm of an experiment offered nothing; only a winner is asked
    whether the user is given the offer. So control meets the same caps, rests, groups and places as the treated.
    """

    def __init__(self, situation: Situation) -> None:
        self.places = _Places(situation)
        self.open_to_user: dict[str, str] = {}
        """The first campaign of each placement that was open to the user, whether or not it won."""
        self.told_at_rest: set[str] = set()
        """The campaigns whose offer is told although a cap or a rest keeps it back: once in a decision."""

    @property
    def replaced(self) -> tuple[Trigger, ...]:
        """The open triggers whose places the winners took."""
        return tuple(self.places.replaced)

    def results(self, contenders: Iterable[Contender]) -> Iterator[ContenderResult]:
        """The result of each contender, the best first; contenders of one campaign keep their order."""
        return map(self._result, sorted(contenders, key=_precedence))

    def _result(self, contender: Contender) -> ContenderResult:
        campaign = contender.campaign
        loss, at_rest = judge(contender)
        if loss and loss.reason in INELIGIBLE:
            return ContenderResult(contender, loss)
        caps = contender.situation.offer_history.counts(campaign)
        if not campaign.is_fallback:
            self.open_to_user.setdefault(campaign.terms.placement, campaign.id)
        elif eligible := self.open_to_user.get(campaign.terms.placement):
            return ContenderResult(contender, Loss(LossReason.FALLBACK, eligible), caps=caps)
        if loss is None:
            return self._compete(contender, caps)
        return (
            self._tell_at_rest(contender, loss, caps) if at_rest else ContenderResult(contender, loss, caps=caps)
        )

    def _tell_at_rest(self, contender: Contender, loss: Loss, caps: tuple[CapUsage, ...]) -> ContenderResult:
        """The result of a contender that only a cap or a rest stopped, with what it would have offered.

        It takes no place: to count it would keep its own cap used up for ever.
        """
        campaign = contender.campaign
        choice = _choice(contender)
        is_told = campaign.id not in self.told_at_rest and self.places.refusal(contender) is None
        if isinstance(choice, Loss) or not is_told:
            return ContenderResult(contender, loss, caps=caps)
        self.told_at_rest.add(campaign.id)
        return ContenderResult(contender, loss, _trigger(contender, choice), choice, caps)

    def _compete(self, contender: Contender, caps: tuple[CapUsage, ...]) -> ContenderResult:
        """The result of a contender that passed every gate: it wins if its place is free."""
        if refusal := self.places.refusal(contender):
            return ContenderResult(contender, refusal, caps=caps)
        choice = _choice(contender)
        if isinstance(choice, Loss):
            return ContenderResult(contender, choice, caps=caps)
        self.places.take(contender.campaign)
        withheld = _withheld(contender, choice)
        trigger = _trigger(contender, choice, withheld)
        contender.situation.offer_history.add(trigger)
        return ContenderResult(contender, withheld, trigger, choice, caps)


def _withheld(contender: Contender, choice: Choice | None) -> Loss | None:
    """The reason why the user is not given what won: a holdout, or a variant that offers nothing."""
    if held_out := contender.situation.held_out(contender.campaign):
        return Loss(LossReason.HOLDOUT, held_out[0])
    if choice and choice.offer_id is None:
        return Loss(LossReason.VARIANT, choice.variant)
    return None


def _precedence(contender: Contender) -> Precedence:
    """The precedence of a campaign, with the rank that a score gives this user.

    A campaign whose score has no value ranks below all others of its priority.
    """
    campaign = contender.campaign
    if campaign.ranked_by is None:
        return campaign.fixed_precedence
    value = contender.situation.score(campaign.ranked_by).value
    return campaign.precedence(UNRANKED if value is None else value)


def _choice(contender: Contender) -> Choice | Loss | None:
    campaign, moment, situation = contender.campaign, contender.moment, contender.situation
    if campaign.experiment is None:
        return None
    policies = situation.catalog.library.policies
    return campaign.experiment.choice(
        situation.user, moment, policies, lambda audience: situation.failure(audience, moment) is None
    )


def trigger_id(user_id: str, cause: str, campaign_id: str) -> str:
    """The id of the trigger for one cause and campaign: 32 hex digits, the same whenever it is decided again."""
    return blake2b("\0".join((user_id, cause, campaign_id)).encode(), digest_size=16).hexdigest()


def _trigger(contender: Contender, choice: Choice | None, withheld: Loss | None = None) -> Trigger:
    """The trigger of a winner; if its variant offers nothing, the trigger with the campaign's own offer."""
    campaign, moment, situation = contender.campaign, contender.moment, contender.situation
    user, terms = situation.user, campaign.terms
    offer_id = (choice and choice.offer_id) or terms.offer
    hours = terms.expires_after_hours or situation.catalog.document.offers[offer_id].validity_hours
    expires_at = later(user.now, timedelta(hours=hours))
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
        expires_at=min(expires_at, terms.ends_at.astimezone(UTC)) if terms.ends_at else expires_at,
        catalog_version=situation.catalog.version,
        experiment_id=choice.experiment_id if choice else None,
        variant=choice.variant if choice else None,
        propensity=choice.propensity if choice else None,
        policy_version=choice.policy_version if choice else None,
        score=scored.value if scored else None,
        score_version=scored.version if scored else None,
        grant=moment.grant,
        withheld=withheld.reason.value if withheld else "",
        offset=moment.offset_text,
        follows=moment.follows,
        moment_at=moment.at,
    )
