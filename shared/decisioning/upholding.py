"""Upholding: what an open trigger says is asked again, and it is revoked once that is no longer true."""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from shared.decisioning.audiences.audience import Audience
from shared.decisioning.audiences.facts import passing
from shared.decisioning.catalog import Campaign
from shared.decisioning.gates import (
    Contender,
    GateCheck,
    checks_for,
    has_plan,
    kill_switch,
    plan,
    schedule,
)
from shared.decisioning.losses import LossReason
from shared.decisioning.situation import Situation
from shared.domain.conditions import is_trigger_true
from shared.domain.moments import Moment, MomentKind
from shared.domain.triggers import Trigger
from shared.domain.user import User

MOMENT = "moment"
"""The reason of a trigger whose moment no longer describes the user."""
EVICTED = "evicted"
"""The reason of a trigger for which the user's document has no room any more."""
ASKED_AGAIN = frozenset({kill_switch, schedule, plan, has_plan})
"""The gates that are asked again for every open trigger, beside its audience."""


def no_longer_true(triggers: Iterable[Trigger], situation: Situation, raised: tuple[str, ...]) -> dict[str, str]:
    """The open triggers that are no longer true, by id, each with the reason why."""
    open_triggers = [trigger for trigger in triggers if trigger.is_open(situation.user.now)]
    if not open_triggers:
        return {}
    campaigns = situation.catalog.campaigns
    if not situation.is_outdated:
        asked = [_asked_again(campaigns.get(one.campaign_id)) for one in open_triggers]
        situation.ask([audience for audience in asked if audience])
    return {one.trigger_id: reason for one in open_triggers if (reason := _reason(one, situation, raised))}


def untrue_follow_ups(user: User, triggers: tuple[Trigger, ...]) -> dict[str, str]:
    """The open follow-ups of triggers that have just been revoked or evicted, by id, each with the reason.

    `triggers` are those of the user now.
    """
    following = [one for one in triggers if one.follows and one.is_open(user.now)]
    if not following:
        return {}
    after = replace(user, triggers=triggers)
    return {one.trigger_id: MOMENT for one in following if not is_trigger_true(one, after)}


def _reason(trigger: Trigger, situation: Situation, raised: tuple[str, ...]) -> str | None:
    if not is_trigger_true(trigger, situation.user):
        return MOMENT
    if situation.is_outdated:
        return None
    if trigger.moment is MomentKind.CHURN_RISK_RAISED and not raised:
        return LossReason.SCORE.value
    campaign = situation.catalog.campaigns.get(trigger.campaign_id)
    if campaign is None:
        return LossReason.STATE.value
    return _stopped_by(trigger, campaign, situation) or _of_other_offer(trigger, campaign, situation)


def _stopped_by(trigger: Trigger, campaign: Campaign, situation: Situation) -> str | None:
    """The first gate that no longer lets the trigger's campaign pass; the audience comes last."""
    if checks := _checks(campaign):
        moment = Moment(trigger.moment, trigger.subscription_id, trigger.decided_at, trigger.cause)
        contender = Contender(campaign, moment, situation)
        for check in checks:
            if loss := check(contender):
                return loss.reason.value
    wanted = _asked_again(campaign)
    return LossReason.AUDIENCE.value if wanted and situation.failure(wanted) else None


@lru_cache(maxsize=1024)
def _checks(campaign: Campaign) -> tuple[GateCheck, ...]:
    """The gates that a campaign's open triggers are asked again, in the order of the gates."""
    return tuple(check for check in checks_for(campaign) if check in ASKED_AGAIN)


def _of_other_offer(trigger: Trigger, campaign: Campaign, situation: Situation) -> str | None:
    """The reason of a trigger whose offer is not the campaign's own: that of a variant, or one from before."""
    if trigger.offer_id == campaign.terms.offer:
        return None
    offer, subscription = situation.catalog.document.offers.get(trigger.offer_id), situation.user.subscription
    if offer is None or offer.status != "approved":
        return LossReason.STATE.value
    if offer.plans_from and subscription.plan not in offer.plans_from:
        return LossReason.PLAN.value
    has_it = subscription.live and offer.plan_to is not None and subscription.plan == offer.plan_to
    return LossReason.HAS_PLAN.value if has_it else None


@lru_cache(maxsize=1024)
def _asked_again(campaign: Campaign | None) -> Audience | None:
    """The audience of a campaign if it is asked again, or None.

    One that asks for a passing fact is not: a score that trembles would revoke the offer, as would its own issue,
    or a moment in which features cannot be read.
    """
    wanted = campaign.audience if campaign else None
    return wanted if wanted and not passing(wanted.variables) else None
