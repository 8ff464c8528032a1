"""The decision: every campaign considered for the moments of one commit, and the result for each."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from shared.contracts.outbound.base import Json, rfc3339
from shared.contracts.outbound.decision import Outcome
from shared.decisioning.arbitration import Arbitration, ContenderResult
from shared.decisioning.audiences.audience import Audience
from shared.decisioning.context import Context
from shared.decisioning.document.schema import Offer
from shared.decisioning.experiments.experiment import Choice
from shared.decisioning.gates import Contender
from shared.decisioning.losses import Loss, LossReason
from shared.decisioning.offer_history import CapUsage
from shared.decisioning.situation import Situation
from shared.decisioning.staleness import why_stale
from shared.domain.assignments import Assignment
from shared.domain.instants import to_micros
from shared.domain.moments import Deferred, Moment, moment_of
from shared.domain.triggers import Trigger

Considered = Moment | Deferred
"""A moment, for every campaign that listens to it; or a deferred one, for the campaign that deferred it."""


class Suppressed(NamedTuple):
    """An offer that won or, but for its own cap or rest, would have won, and that the user was not given."""

    trigger: Trigger
    """The trigger that the user would have received."""
    offer_id: str | None
    reason: LossReason
    detail: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """The results of one decision. Without results, no campaign listened to any of its moments."""

    catalog_version: str
    results: tuple[ContenderResult, ...] = ()
    replaced: tuple[Trigger, ...] = ()
    """The open triggers whose places winners took."""

    @property
    def candidates(self) -> Iterator[Json]:
        """Every result as the decision message tells it: JSON, as `Candidate` describes it."""
        told = {moment: _told(moment) for moment in {result.contender.moment for result in self.results}}
        return (_candidate(result, told[result.contender.moment]) for result in self.results)

    @property
    def won(self) -> tuple[Trigger, ...]:
        """The triggers of the winners, given or withheld; all of them are stored."""
        return tuple(result.trigger for result in self.results if result.trigger and result.has_won)

    @property
    def issued(self) -> tuple[Trigger, ...]:
        """The triggers that the user is given."""
        return tuple(trigger for trigger in self.won if not trigger.withheld)

    @property
    def offers(self) -> Iterator[tuple[Trigger, Offer]]:
        """The triggers that the user is given, each with its offer in the catalog."""
        for result in self.results:
            if result.trigger and result.loss is None:
                offers = result.contender.situation.catalog.document.offers
                yield result.trigger, offers[result.trigger.offer_id]

    def caused_by(self, cause: str) -> "Decision":
        """The decision with the event named `cause` noted in the triggers that have another cause."""
        if all(result.trigger is None or result.trigger.cause == cause for result in self.results):
            return self
        results = tuple(
            result._replace(trigger=result.trigger._replace(decided_by=cause))
            if result.trigger and result.trigger.cause != cause
            else result
            for result in self.results
        )
        return replace(self, results=results)

    @property
    def context(self) -> Context:
        """The values for which clauses and scores asked. The audience of a stale moment is not asked."""
        contenders = [result.contender for result in self.results if not _is_stale(result)]
        situation = self.results[0].contender.situation
        return situation.context(_audiences(contenders))

    @property
    def suppressed(self) -> tuple[Suppressed, ...]:
        """The offers that were held back although they would have won."""
        return tuple(_held_back(self.results))

    @property
    def assignments(self) -> tuple[Assignment, ...]:
        """The variants that the user was assigned for the first time."""
        return tuple(_assignments(self.results))

    @property
    def deferred(self) -> tuple[Deferred, ...]:
        """The moments to be decided afresh at the next instant that is not quiet."""
        return tuple(_deferred(self.results))


def decide(situation: Situation, fresh: Sequence[Considered], stale: Sequence[Considered] = ()) -> Decision:
    """Decide all fresh moments. Campaigns that listen to a stale moment only lose, so that it is on record."""
    contenders, outdated = [*_listening(fresh, situation)], [*_listening(stale, situation)]
    if not contenders and not outdated:
        return Decision(situation.catalog.version)
    situation.ask(_audiences(contenders))
    arbitration = Arbitration(situation)
    results = (
        *arbitration.results(contenders),
        *(ContenderResult(contender, _stale(contender)) for contender in sorted(outdated, key=_campaign_id)),
    )
    return Decision(situation.catalog.version, results, arbitration.replaced)


def _listening(considered: Sequence[Considered], situation: Situation) -> Iterator[Contender]:
    """Every campaign that listens to one of the moments; for a deferred moment, the campaign that deferred it.

    The newest moment comes first; the rest of the sort key makes the order total.
    """
    for one in sorted(considered, key=_newest_first) if len(considered) > 1 else considered:
        moment = moment_of(one)
        for campaign in situation.catalog.listening(moment):
            if not isinstance(one, Deferred) or campaign.id == one.campaign_id:
                yield Contender(campaign, moment, situation)


def _audiences(contenders: Iterable[Contender]) -> Iterator[Audience]:
    return (one.campaign.audience for one in contenders if one.campaign.audience)


def _newest_first(considered: Considered) -> tuple[object, ...]:
    moment = moment_of(considered)
    return -to_micros(moment.at), moment.kind, moment.subscription_id, moment.cause


def _is_stale(result: ContenderResult) -> bool:
    return result.loss is not None and result.loss.reason is LossReason.STALE


def _stale(contender: Contender) -> Loss:
    return Loss(LossReason.STALE, why_stale(contender.moment, contender.situation.user))


def _campaign_id(contender: Contender) -> str:
    return contender.campaign.id


def _held_back(results: Iterable[ContenderResult]) -> Iterator[Suppressed]:
    for _, loss, trigger, choice, _ in results:
        if loss and trigger:
            yield Suppressed(trigger, choice.offer_id if choice else trigger.offer_id, loss.reason, loss.detail)


def _assignments(results: Iterable[ContenderResult]) -> Iterator[Assignment]:
    """The assignments of all who won a place, given the offer or not: both arms are assigned alike."""
    for result in results:
        if result.choice and result.choice.assignment and result.has_won:
            yield result.choice.assignment


def _deferred(results: Iterable[ContenderResult]) -> Iterator[Deferred]:
    for contender, loss, *_ in results:
        if loss and loss.until:
            yield Deferred(contender.moment, contender.campaign.id, loss.until)


def _told(moment: Moment) -> Json:
    """What a candidate tells of its moment."""
    told: Json = {
        "moment": moment.kind.value,
        "moment_at": rfc3339(moment.at),
        "cause": moment.cause,
        "subscription_id": moment.subscription_id,
    }
    return told | _known(offset=moment.offset_text, follows=moment.follows)


def _known(**values: object) -> Json:
    """The values that are known: a candidate leaves the others out."""
    return {name: value for name, value in values.items() if value is not None}


def _candidate(result: ContenderResult, told_of_moment: Json) -> Json:
    """A result as the decision message tells it."""
    (campaign, _, situation), loss, trigger, choice, caps = result
    told: Json = {
        **told_of_moment,
        "campaign_id": campaign.id,
        "offer_id": choice.offer_id if choice else campaign.terms.offer,
        "placement": campaign.terms.placement,
        "outcome": _LOST if loss else _ISSUED,
        "reason": loss.reason.value if loss else None,
        "detail": loss.detail if loss else None,
    }
    if held_out := situation.held_out(campaign):
        told["holdouts"] = [*held_out]
    if caps:
        told["caps"] = [_cap_count(usage) for usage in caps]
    if trigger:
        told |= _offered(trigger, loss)
    if choice:
        told |= _known(
            experiment_id=choice.experiment_id,
            variant=choice.variant,
            propensity=choice.propensity,
            policy_version=choice.policy_version,
            **_assignment(result, choice),
        )
    if campaign.ranked_by and not _is_stale(result):
        value, _, version, error = situation.score(campaign.ranked_by)
        told |= _known(score=value, score_version=version, score_error=error)
    return told


_ISSUED, _LOST = Outcome.ISSUED.value, Outcome.LOST.value


def _cap_count(usage: CapUsage) -> Json:
    told = usage._asdict()
    if usage.calendar_days is None:
        del told["calendar_days"]
    return told


def _offered(trigger: Trigger, loss: Loss | None) -> Json:
    """What a candidate tells of the trigger that the user received or would have received.

    It was given if the user got what was due, if only nothing.
    """
    told: Json = {"trigger_id": trigger.trigger_id}
    told["given"] = loss is None or loss.reason is LossReason.VARIANT
    if loss:
        told["suppressed"] = True
        if loss.reason is LossReason.HOLDOUT:
            told["holdout"] = loss.detail
    return told


def _assignment(result: ContenderResult, choice: Choice) -> Json:
    """The assignment to the candidate's variant. One that only a cap or a rest stopped assigns nobody."""
    campaign, situation = result.contender.campaign, result.contender.situation
    if campaign.experiment is None:
        return {}
    terms, is_new = campaign.experiment.terms, choice.assigned_at is None and result.has_won
    assigned_at = situation.user.now if is_new else choice.assigned_at
    return {
        "unit": terms.unit,
        "bucket_version": terms.bucket_version,
        "assigned_at": assigned_at and rfc3339(assigned_at),
        "newly_assigned": is_new,
    }
