"""The gates that a candidate passes, in order. Each gate is a function that returns a `Loss`, or None to pass."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from shared.decisioning.catalog import Campaign
from shared.decisioning.document.vocabulary import DAYS
from shared.decisioning.losses import AT_REST, Loss, LossReason
from shared.decisioning.offer_history import CapUsage
from shared.decisioning.quiet import ALL_DAYS, open_from
from shared.decisioning.scoring.score import Scored
from shared.decisioning.situation import Situation
from shared.domain.instants import later
from shared.domain.moments import Moment, MomentKind
from shared.domain.tallies import ISSUED


class Contender(NamedTuple):
    """A campaign that reacts to a moment of this user."""

    campaign: Campaign
    moment: Moment
    situation: Situation

    @property
    def now(self) -> datetime:
        """The instant of the decision (UTC)."""
        return self.situation.user.now

    @property
    def is_requested(self) -> bool:
        """True if an app asks, and waits for the answer."""
        return self.moment.kind is MomentKind.OFFER_REQUESTED

    @property
    def scored(self) -> Scored | None:
        """The result of the score that ranks the campaign; None if no score ranks it."""
        name = self.campaign.ranked_by
        return self.situation.score(name) if name else None


def kill_switch(contender: Contender) -> Loss | None:
    """Stops every campaign while the catalog's kill switch is on."""
    return Loss(LossReason.KILL_SWITCH) if contender.campaign.is_killed else None


def schedule(contender: Contender) -> Loss | None:
    """Stops a campaign that is not live, whose offer is not approved, before `starts_at` or from `ends_at` on."""
    terms = contender.campaign.terms
    if terms.state != "live":
        return Loss(LossReason.STATE, f"the campaign is {terms.state}")
    if contender.campaign.offer.status != "approved":
        return Loss(LossReason.STATE, f"the offer {terms.offer} is {contender.campaign.offer.status}")
    if terms.starts_at and contender.now < terms.starts_at:
        return Loss(LossReason.NOT_STARTED, f"starts_at {terms.starts_at.isoformat()}")
    if terms.ends_at and contender.now >= terms.ends_at:
        return Loss(LossReason.ENDED, f"ends_at {terms.ends_at.isoformat()}")
    return None


def plan(contender: Contender) -> Loss | None:
    """Stops a campaign whose offer is not open to the user's plan."""
    plans = contender.campaign.offer.plans_from
    if not plans or contender.situation.user.subscription.plan in plans:
        return None
    return Loss(LossReason.PLAN, f"plans_from {', '.join(plans)}")


def has_plan(contender: Contender) -> Loss | None:
    """Stops a campaign whose offer, or that of any variant, leads to the plan that the user has already."""
    subscription = contender.situation.user.subscription
    if not subscription.live or subscription.plan not in contender.campaign.plans_sold:
        return None
    return Loss(LossReason.HAS_PLAN, f"plan_to {subscription.plan}")


def audience(contender: Contender) -> Loss | None:
    """Stops a campaign whose audience does not contain the user."""
    wanted = contender.campaign.audience
    failure = contender.situation.failure(wanted, contender.moment) if wanted else None
    return Loss(LossReason.AUDIENCE, failure) if failure else None


def suppression(contender: Contender) -> Loss | None:
    """Stops a campaign after feedback that a `suppress_on` rule names, within the rule's scope and window."""
    campaign, history = contender.campaign, contender.situation.offer_history
    for rule in campaign.terms.suppress_on:
        if history.within(history.times(campaign, rule.scope, rule.event), rule.window_days):
            detail = f"{rule.event}{_scope_text(rule.scope)} {_window_text(rule.window_days)}"
            return Loss(LossReason.SUPPRESSED, detail)
    return None


def exclusivity(contender: Contender) -> Loss | None:
    """Stops a campaign while another campaign of its exclusivity group has an open, undismissed trigger."""
    if contender.campaign.terms.exclusivity_group is None:
        return None
    rivals = contender.situation.rivals(contender.campaign)
    return Loss(LossReason.EXCLUSIVITY, rivals[-1]) if rivals else None


def caps(contender: Contender) -> Loss | None:
    """Stops a campaign once one of its caps is used up."""
    for usage in contender.situation.offer_history.counts(contender.campaign):
        if usage.used >= usage.max:
            return Loss(LossReason.CAP, _cap_text(usage))
    return None


def cool_down(contender: Contender) -> Loss | None:
    """Stops a campaign for `cool_down_hours` after its last trigger, or after the last feedback to one."""
    for event, hours in contender.campaign.terms.cool_down_hours.items():
        times = contender.situation.offer_history.times(contender.campaign, event=event)
        if times and contender.now < (ends := later(times[-1], timedelta(hours=hours))):
            after = "" if event == ISSUED else f" after {event}"
            return Loss(LossReason.COOL_DOWN, f"until {ends.isoformat()}{after}")
    return None


def quiet_hours(contender: Contender) -> Loss | None:
    """Stops a campaign at quiet hours and on quiet days of the user's time zone, or else of the catalog's.

    It is deferred to the first instant at which no rule is quiet, or dropped if a rule that is quiet now says so.
    For an app that asks nothing is deferred, because it waits for its answer.
    """
    rules, now, zone = contender.campaign.quiet, contender.now, contender.situation.zone
    quiet_now = [rule for rule in rules if rule.until(now, zone)]
    if not quiet_now:
        return None
    until = open_from(rules, now, zone)
    if until is None:
        return Loss(LossReason.QUIET_HOURS, "no hour of the week is open")
    local = until.astimezone(zone)
    day = "" if all(rule.days == ALL_DAYS for rule in rules) else f"{DAYS[local.weekday()]} "
    detail = f"until {until.isoformat()} ({day}{local:%H:%M} {zone.key})"
    if contender.is_requested or any(rule.drops for rule in quiet_now):
        return Loss(LossReason.QUIET_HOURS, detail)
    return Loss(LossReason.DEFERRED, detail, until)


def score(contender: Contender) -> Loss | None:
    """Stops a campaign that requires the score by which it is ranked, if that has no value for the user."""
    scored = contender.scored
    return Loss(LossReason.SCORE, scored.error) if scored and scored.error else None


GateCheck = Callable[[Contender], Loss | None]
"""A gate's function: the loss if the gate stops the contender, None if it passes."""


class Gate(NamedTuple):
    """A check, and a filter for the campaigns that it can stop."""

    check: GateCheck
    applies_to: Callable[[Campaign], object]
    """Falsy for a campaign that the check can never stop, which saves time: most campaigns set few terms."""


GATES: tuple[Gate, ...] = (
    Gate(kill_switch, lambda campaign: campaign.is_killed),
    Gate(schedule, lambda campaign: not _is_always_on(campaign)),
    Gate(plan, lambda campaign: campaign.offer.plans_from),
    Gate(has_plan, lambda campaign: campaign.plans_sold),
    Gate(audience, lambda campaign: campaign.audience),
    Gate(suppression, lambda campaign: campaign.terms.suppress_on),
    Gate(exclusivity, lambda campaign: campaign.terms.exclusivity_group),
    Gate(caps, lambda campaign: campaign.caps),
    Gate(cool_down, lambda campaign: campaign.terms.cool_down_hours),
    Gate(quiet_hours, lambda campaign: campaign.quiet),
    Gate(score, lambda campaign: campaign.ranked_by and campaign.terms.require_score),
)
"""The gates in order: the first loss is the reason. To add a gate, write a function and give it a place here."""


@lru_cache(maxsize=1024)
def checks_for(campaign: Campaign) -> tuple[GateCheck, ...]:
    """The checks that apply to a campaign, in the order of the gates."""
    return tuple(gate.check for gate in GATES if gate.applies_to(campaign))


def judge(contender: Contender) -> tuple[Loss | None, bool]:
    """The first loss, or None; and True if nothing but losses in `AT_REST` stopped the contender.

    Each check that applies to the campaign runs at most once. A loss in `AT_REST` does not end the checks: the
    user would have received the offer only if no other gate stops it.
    """
    first: Loss | None = None
    for check in checks_for(contender.campaign):
        loss = check(contender)
        if loss is None:
            continue
        first = first or loss
        if loss.reason not in AT_REST:
            return first, False
    return first, first is not None


def _is_always_on(campaign: Campaign) -> bool:
    terms = campaign.terms
    return (
        terms.state == "live"
        and campaign.offer.status == "approved"
        and terms.starts_at is None
        and terms.ends_at is None
    )


def _cap_text(cap: CapUsage) -> str:
    event = "" if cap.event == ISSUED else f" {cap.event}"
    return f"{cap.max}{event}{_scope_text(cap.scope)} {_window_text(cap.window_days, cap.calendar_days)}"


def _scope_text(scope: str) -> str:
    return "" if scope == "campaign" else f" for the {scope}"


def _window_text(window_days: int | None, calendar_days: int | None = None) -> str:
    if calendar_days:
        return f"in {calendar_days} calendar day{'s' if calendar_days > 1 else ''}"
    return f"in {window_days} days" if window_days else "ever"
