"""Upholding: what an open trigger says is asked again, and it is revoked once that is no longer true."""

from collections.abc import Iterable
from datetime import timedelta

from shared.decisioning.audiences.audience import Audience
from shared.decisioning.catalog import Campaign
from shared.decisioning.gates import Contender, GateCheck, audience, has_plan, kill_switch, plan, schedule
from shared.decisioning.losses import LossReason
from shared.decisioning.situation import Situation
from shared.domain.conditions import is_still_true
from shared.domain.moments import Moment, MomentKind
from shared.domain.triggers import Trigger

CATALOGS_DIFFER = timedelta(minutes=5)
"""The longest time for which two instances may hold different catalogs: a refresh, and a slow commit."""
MOMENT = "moment"
"""The reason of a trigger whose moment no longer describes the user."""
REPLACED = "replaced"
"""The reason of a trigger whose place another one took."""
EVICTED = "evicted"
"""The reason of a trigger for which the user's document has no room any more."""
CHECKS: tuple[GateCheck, ...] = (kill_switch, schedule, plan, has_plan)
"""The gates that are asked again for every open trigger, beside its audience."""
PASSING = frozenset({"scores", "event", "offers"})
"""Facts that pass: an audience that asks for one is not asked again.

A score that trembles would revoke the offer, and so would its own issue.
"""


def no_longer_true(triggers: Iterable[Trigger], situation: Situation, raised: tuple[str, ...]) -> dict[str, str]:
    """The open triggers that are no longer true, by id, each with the reason why."""
    open_triggers = [trigger for trigger in triggers if trigger.is_open(situation.user.now)]
    campaigns = situation.catalog.campaigns
    situation.ask(filter(None, (_asked_again(campaigns.get(one.campaign_id)) for one in open_triggers)))
    reasons = ((trigger.trigger_id, _reason(trigger, situation, raised)) for trigger in open_triggers)
    return {trigger_id: reason for trigger_id, reason in reasons if reason}


def _reason(trigger: Trigger, situation: Situation, raised: tuple[str, ...]) -> str | None:
    account = situation.user.account
    if not is_still_true(account, trigger.moment, trigger.subscription_id, trigger.grant):
        return MOMENT
    if trigger.moment is MomentKind.CHURN_RISK_RAISED and not raised:
        return LossReason.SCORE.value
    if _may_know_more(trigger, situation):
        return None
    campaign = situation.catalog.campaigns.get(trigger.campaign_id)
    if campaign is None:
        return LossReason.STATE.value
    moment = Moment(trigger.moment, trigger.subscription_id, trigger.decided_at, trigger.cause)
    contender = Contender(campaign, moment, situation)
    checks = (*CHECKS, audience) if _asked_again(campaign) else CHECKS
    return next((loss.reason.value for check in checks if (loss := check(contender))), None)


def _may_know_more(trigger: Trigger, situation: Situation) -> bool:
    """True if the trigger may come from a newer catalog, which this instance has not loaded yet."""
    is_of_another = trigger.catalog_version != situation.catalog.version
    return is_of_another and situation.user.now - trigger.decided_at < CATALOGS_DIFFER


def _asked_again(campaign: Campaign | None) -> Audience | None:
    """The audience of a campaign if it is asked again, or None."""
    wanted = campaign.audience if campaign else None
    return wanted if wanted and not wanted.variables & PASSING else None
