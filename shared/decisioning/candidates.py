"""The candidates of a decision message: the result of every campaign that was considered, written as JSON."""

from collections.abc import Iterator, Sequence

from shared.contracts.outbound.base import Json, rfc3339
from shared.contracts.outbound.decision import Outcome
from shared.decisioning.arbitration import ContenderResult
from shared.decisioning.experiments.experiment import Choice
from shared.decisioning.losses import Loss, LossReason
from shared.decisioning.offer_history import CapUsage
from shared.domain.moments import Moment
from shared.domain.triggers import Trigger


def candidates_of(results: Sequence[ContenderResult]) -> Iterator[Json]:
    """Every result as the decision message tells it: JSON, as `Candidate` describes it."""
    told = {moment: _of_moment(moment) for moment in {result.contender.moment for result in results}}
    return (_candidate(result, told[result.contender.moment]) for result in results)


def _of_moment(moment: Moment) -> Json:
    """The fields of a candidate that tell of its moment."""
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
    if loss and loss.until:
        told["deferred_until"] = rfc3339(loss.until)
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
            segment=choice.segment,
            **_assignment(result, choice),
        )
    if campaign.ranked_by and not result.is_stale:
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
    """The fields of a candidate that tell of the trigger that the user received or would have received.

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
