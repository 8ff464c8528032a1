"""The decision: every campaign considered for the moments of one commit, and the result for each."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from shared.contracts.outbound.base import Json
from shared.decisioning.arbitration import Arbitration, ContenderResult
from shared.decisioning.audiences.audience import Audience
from shared.decisioning.candidates import candidates_of
from shared.decisioning.catalog import Campaign
from shared.decisioning.context import Context
from shared.decisioning.document.schema import Offer
from shared.decisioning.gates import Contender
from shared.decisioning.losses import Loss, LossReason
from shared.decisioning.situation import Situation
from shared.decisioning.staleness import why_stale
from shared.domain.assignments import Assignment
from shared.domain.events import Event, OfferRequested
from shared.domain.instants import to_micros
from shared.domain.moments import Deferred, Moment, MomentKind, moment_of
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
        return candidates_of(self.results)

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
        contenders = [result.contender for result in self.results if not result.is_stale]
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
            if isinstance(one, Deferred) and campaign.id != one.campaign_id:
                continue
            if _is_asked_for(campaign, moment, situation.user.event):
                yield Contender(campaign, moment, situation)


def _is_asked_for(campaign: Campaign, moment: Moment, event: Event | None) -> bool:
    """False for a campaign of another placement than the one for which an app asks."""
    if moment.kind is not MomentKind.OFFER_REQUESTED or event is None:
        return True
    return not isinstance(event.fact, OfferRequested) or event.fact.placement == campaign.terms.placement


def _audiences(contenders: Iterable[Contender]) -> Iterator[Audience]:
    return (one.campaign.audience for one in contenders if one.campaign.audience)


def _newest_first(considered: Considered) -> tuple[object, ...]:
    moment = moment_of(considered)
    return -to_micros(moment.at), moment.kind, moment.subscription_id, moment.cause


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
