"""The gates a candidate passes, in order: each one small question, whose answer is a loss or None."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from shared.decisioning.catalog import Campaign
from shared.decisioning.losses import WITHHELD, Loss, LossReason
from shared.decisioning.offer_history import CapUsage
from shared.decisioning.quiet import quiet_until, zone_of
from shared.decisioning.scoring.score import Scored
from shared.decisioning.situation import Situation
from shared.domain.instants import later
from shared.domain.moments import Moment
from shared.domain.tallies import ISSUED


class Contender(NamedTuple):
    """A campaign that listens to a moment of this user."""

    campaign: Campaign
    moment: Moment
    situation: Situation

    @property
    def now(self) -> datetime:
        """The instant of the decision."""
        return self.situation.user.now

    @property
    def scored(self) -> Scored | None:
        """What the score says by which the campaign is ranked, if one is."""
        name = self.campaign.ranked_by
        return self.situation.score(name) if name else None


def kill_switch(contender: Contender) -> Loss | None:
    """Nothing is offered while the catalog's kill switch is on."""
    return Loss(LossReason.KILL_SWITCH) if contender.situation.catalog.document.kill_switch else None


def schedule(contender: Contender) -> Loss | None:
    """A campaign runs while live, its offer approved, from `starts_at` until just before `ends_at`."""
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
    """An offer may be open to some plans only."""
    plans = contender.campaign.offer.plans_from
    if not plans or contender.situation.user.subscription.plan in plans:
        return None
    return Loss(LossReason.PLAN, f"plans_from {', '.join(plans)}")


def audience(contender: Contender) -> Loss | None:
    """The user must belong to the campaign's audience."""
    wanted = contender.campaign.audience
    failure = contender.situation.failures[wanted] if wanted else None
    return Loss(LossReason.AUDIENCE, failure) if failure else None


def suppression(contender: Contender) -> Loss | None:
    """Who has answered an offer is not asked again."""
    campaign, offered = contender.campaign, contender.situation.offer_history
    for rule in campaign.terms.suppress_on:
        if offered.within(offered.times(campaign, rule.scope, rule.event), rule.window_days):
            return Loss(LossReason.SUPPRESSED, f"{rule.event}{_about(rule.scope)} {_in(rule.window_days)}")
    return None


def holdout(contender: Contender) -> Loss | None:
    """Some users get nothing, so that it can be told what the others do because of an offer."""
    for held in contender.campaign.holdouts:
        if contender.situation.held_out(held):
            return Loss(LossReason.HOLDOUT, held.id)
    return None


def exclusivity(contender: Contender) -> Loss | None:
    """Campaigns that exclude each other do not speak to a user at the same time."""
    if contender.campaign.terms.exclusivity_group is None:
        return None
    rivals = contender.situation.rivals(contender.campaign)
    return Loss(LossReason.EXCLUSIVITY, rivals[-1]) if rivals else None


def caps(contender: Contender) -> Loss | None:
    """A campaign is offered only so often."""
    for count in contender.situation.offer_history.counts(contender.campaign):
        if count.used >= count.max:
            return Loss(LossReason.CAP, _told(count))
    return None


def cool_down(contender: Contender) -> Loss | None:
    """A campaign leaves the user in peace for a while after each offer, or after an answer to it."""
    for event, hours in contender.campaign.terms.cool_down_hours.items():
        times = contender.situation.offer_history.times(contender.campaign, event=event)
        if times and contender.now < (ends := later(times[-1], timedelta(hours=hours))):
            after = "" if event == ISSUED else f" after {event}"
            return Loss(LossReason.COOL_DOWN, f"until {ends.isoformat()}{after}")
    return None


def quiet_hours(contender: Contender) -> Loss | None:
    """A campaign disturbs nobody at night."""
    quiet = contender.campaign.terms.quiet_hours
    if quiet is None:
        return None
    user, document = contender.situation.user, contender.situation.catalog.document
    zone = zone_of(user.profile.time_zone, document.time_zone)
    until = quiet_until(user.now, zone, time.fromisoformat(quiet.start), time.fromisoformat(quiet.end))
    if until is None:
        return None
    detail = f"until {until.isoformat()} ({quiet.end} {zone.key})"
    return (
        Loss(LossReason.DEFERRED, detail, until) if quiet.then == "defer" else Loss(LossReason.QUIET_HOURS, detail)
    )


def score(contender: Contender) -> Loss | None:
    """A campaign that is ranked by a score needs one."""
    scored = contender.scored
    return Loss(LossReason.SCORE, scored.error) if scored and scored.error else None


Question = Callable[[Contender], Loss | None]


class Gate(NamedTuple):
    """A question, and which campaigns it can stop at all."""

    ask: Question
    concerns: Callable[[Campaign], object]
    """False of a campaign whose terms leave nothing to ask: most campaigns set few of them."""


GATES: tuple[Gate, ...] = (
    Gate(kill_switch, lambda _: True),
    Gate(schedule, lambda it: it.terms.state != "live" or it.offer.status != "approved" or _has_dates(it)),
    Gate(plan, lambda it: it.offer.plans_from),
    Gate(audience, lambda it: it.audience),
    Gate(suppression, lambda it: it.terms.suppress_on),
    Gate(holdout, lambda it: it.holdouts),
    Gate(exclusivity, lambda it: it.terms.exclusivity_group),
    Gate(caps, lambda it: it.terms.cap),
    Gate(cool_down, lambda it: it.terms.cool_down_hours),
    Gate(quiet_hours, lambda it: it.terms.quiet_hours),
    Gate(score, lambda it: it.ranked_by),
)
"""In order: the first loss is the reason. A new gate is a function and a place here."""


@lru_cache(maxsize=1024)
def questions_for(campaign: Campaign) -> tuple[Question, ...]:
    """What is asked before a campaign is offered, in the order of the gates."""
    return tuple(gate.ask for gate in GATES if gate.concerns(campaign))


def judge(contender: Contender) -> tuple[Loss | None, bool]:
    """What stops a contender first, if anything does, and whether it was only withheld.

    Each gate that concerns the campaign is asked once. What withholds an offer that was meant for the user does
    not end the questions: only if nothing else stops it either would they have received it. Who is held out is put
    off like everybody else, so that at any time of day it is known what they would have received.
    """
    first: Loss | None = None
    for ask in questions_for(contender.campaign):
        loss = ask(contender)
        if loss is None:
            continue
        first = first or loss
        if loss.reason not in WITHHELD:
            return first._replace(until=loss.until) if first.reason is LossReason.HOLDOUT else first, False
    return first, first is not None


def _has_dates(campaign: Campaign) -> bool:
    return bool(campaign.terms.starts_at or campaign.terms.ends_at)


def _told(cap: CapUsage) -> str:
    event = "" if cap.event == ISSUED else f" {cap.event}"
    return f"{cap.max}{event}{_about(cap.scope)} {_in(cap.window_days)}"


def _about(scope: str) -> str:
    return "" if scope == "campaign" else f" for the {scope}"


def _in(window_days: int | None) -> str:
    return f"in {window_days} days" if window_days else "ever"
