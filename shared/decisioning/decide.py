"""The decision: everything considered for the moments of one commit, and what comes of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from shared.decisioning.arbitration import Verdict, arbitrate
from shared.decisioning.audiences.audience import Audience
from shared.decisioning.gates import Contender
from shared.decisioning.losses import Loss, LossReason
from shared.decisioning.offer_history import CapUsage
from shared.decisioning.situation import Situation
from shared.domain.assignments import Assignment
from shared.domain.instants import to_micros
from shared.domain.moments import Deferred, Moment, MomentKind, moment_of
from shared.domain.triggers import Trigger

Asked = Moment | Deferred
"""A moment, for every campaign that listens to it; or one that was put off, for the campaign that did so."""


class Outcome(StrEnum):
    """What became of a candidate."""

    ISSUED = "issued"
    LOST = "lost"


class Candidate(NamedTuple):
    """A campaign that was considered for a moment, and what came of it."""

    campaign_id: str
    offer_id: str | None
    """What the user got, or would have got; None where the variant is to get nothing."""
    placement: str
    moment: MomentKind
    cause: str
    subscription_id: str
    outcome: Outcome
    reason: LossReason | None = None
    """None for a winner."""
    detail: str | None = None
    """What stood in the way: the failing clause, the cap, the campaign that won."""
    suppressed: bool = False
    """It was held back though it would have won."""
    holdout: str | None = None
    caps: tuple[CapUsage, ...] = ()
    experiment_id: str | None = None
    variant: str | None = None
    propensity: float | None = None
    policy_version: str | None = None
    score: float | None = None
    score_version: int | None = None


class Suppressed(NamedTuple):
    """An offer that was held back though it would have won."""

    trigger: Trigger
    """What the user would have received."""
    offer_id: str | None
    reason: LossReason
    detail: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """Everything considered for the moments of one commit. Without candidates, no campaign listened."""

    catalog_version: str
    candidates: tuple[Candidate, ...] = ()
    issued: tuple[Trigger, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    """The variants that the user was given for the first time."""
    deferred: tuple[Deferred, ...] = ()
    """What is to be decided afresh when the quiet hours are over."""


def decide(situation: Situation, asked: Sequence[Asked], stale: Sequence[Asked] = ()) -> Decision:
    """Decide all that holds together; what is stale only loses, so that it is on record."""
    contenders, outdated = [*_heard(asked, situation)], [*_heard(stale, situation)]
    if not contenders and not outdated:
        return Decision(situation.catalog.version)
    situation.audiences = tuple(dict.fromkeys(_audiences(contenders)))
    verdicts = [
        *arbitrate(contenders),
        *(Verdict(contender, Loss(LossReason.STALE)) for contender in sorted(outdated, key=_by_campaign)),
    ]
    return Decision(
        situation.catalog.version,
        tuple(map(_candidate, verdicts)),
        tuple(situation.offer_history.issued),
        tuple(_suppressed(verdicts)),
        tuple(_assignments(verdicts)),
        tuple(_deferred(verdicts)),
    )


def _heard(asked: Sequence[Asked], situation: Situation) -> Iterator[Contender]:
    """Every campaign that listens to any of the moments; of one that was put off, the campaign that did so.

    The newest moment comes first, and the rest makes the order total.
    """
    for one in sorted(asked, key=_newest_first) if len(asked) > 1 else asked:
        moment = moment_of(one)
        for campaign in situation.catalog.listening(moment):
            if not isinstance(one, Deferred) or campaign.id == one.campaign_id:
                yield Contender(campaign, moment, situation)


def _audiences(contenders: Iterable[Contender]) -> Iterator[Audience]:
    return (one.campaign.audience for one in contenders if one.campaign.audience)


def _newest_first(asked: Asked) -> tuple[object, ...]:
    moment = moment_of(asked)
    return -to_micros(moment.at), moment.kind, moment.subscription_id, moment.cause


def _by_campaign(contender: Contender) -> str:
    return contender.campaign.id


def _suppressed(verdicts: Sequence[Verdict]) -> Iterator[Suppressed]:
    for _, loss, trigger, choice, _ in verdicts:
        if loss and trigger:
            yield Suppressed(trigger, choice.offer_id if choice else trigger.offer_id, loss.reason, loss.detail)


def _assignments(verdicts: Sequence[Verdict]) -> Iterator[Assignment]:
    """Of those alone who were really given a variant, be it to get nothing."""
    for _, loss, _, choice, _ in verdicts:
        if choice and choice.assignment and (loss is None or loss.reason is LossReason.VARIANT):
            yield choice.assignment


def _deferred(verdicts: Sequence[Verdict]) -> Iterator[Deferred]:
    for contender, loss, *_ in verdicts:
        if loss and loss.until:
            yield Deferred(contender.moment, contender.campaign.id, loss.until)


def _candidate(verdict: Verdict) -> Candidate:
    """A verdict as it is told. Its fields go by position, which takes a third of the time."""
    contender, loss, trigger, choice, caps = verdict
    campaign, moment, _ = contender
    terms = campaign.terms
    scored = None if loss and loss.reason is LossReason.STALE else contender.scored
    return Candidate(
        campaign.id,
        choice.offer_id if choice else terms.offer,
        terms.placement,
        moment.kind,
        moment.cause,
        moment.subscription_id,
        Outcome.LOST if loss else Outcome.ISSUED,
        loss.reason if loss else None,
        loss.detail if loss else None,
        bool(loss and trigger),
        loss.detail if loss and loss.reason is LossReason.HOLDOUT else None,
        caps,
        choice.experiment_id if choice else None,
        choice.variant if choice else None,
        choice.propensity if choice else None,
        choice.policy_version if choice else None,
        scored.value if scored else None,
        scored.version if scored else None,
    )
