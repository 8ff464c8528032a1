"""A policy made anew from the outcomes of the one before."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from infra.analytics.policies.allocation import Purpose, best_arms, with_floors
from infra.analytics.policies.delay import DelayCurve
from infra.analytics.policies.off_policy import Evaluation, Policy, evaluate
from infra.analytics.policies.outcomes import Outcomes
from infra.analytics.policies.posterior import Arm, Posterior, posteriors
from shared.decisioning.experiments.policy import Policy as PublishedPolicy
from shared.decisioning.experiments.policy import with_floor

NO_SEGMENT = ""
"""In place of a segment: users who are in none."""


class Terms(NamedTuple):
    """The terms of the experiment in the catalog, and the purpose of the policy."""

    variants: tuple[str, ...]
    segments: tuple[str, ...]
    floor_of_catalog: float
    purpose: Purpose
    seed: int = 0

    def probabilities(self, best: Mapping[str, float]) -> dict[str, float]:
        """The probabilities for a policy, from those of each arm to be the best."""
        return with_floors(best, self.purpose.floor, self.floor_of_catalog)


class ArmReport(NamedTuple):
    """The knowledge about an arm, and its probability in the new policy."""

    arm: Arm
    posterior: Posterior
    probability_best: float
    written: float
    """The probability in the policy."""


class Refreshed(NamedTuple):
    """A new policy, with what it was made of."""

    document: dict[str, Any]
    """The JSON of the policy."""
    arms: list[ArmReport]
    of_segments: dict[str, list[ArmReport]]
    """The same for each segment of the experiment, and for users of none; empty for one without segments."""
    evaluation: Evaluation | None
    """The worth of telling segments apart; None for an experiment without segments."""
    unknown_arms: dict[str, int]
    """Decisions with an arm that the catalog does not have: they were left out."""

    @property
    def tells_segments_apart(self) -> bool:
        """True if the policy has probabilities for segments."""
        return "segments" in self.document


def refresh(outcomes: Outcomes, terms: Terms, now: datetime) -> Refreshed:
    """The policy that the outcomes until `now` (UTC) suggest.

    It tells segments apart only if that, learned from one half of the users and judged by the other, surely brings
    more than the best fixed arm.
    """
    curve = outcomes.curve()
    of_segments: dict[str, list[ArmReport]] = {}
    arms, evaluation = reports(outcomes, terms, curve), None
    if terms.segments:
        evaluation = evaluate(lambda part: learned(part, terms, curve), outcomes, terms.variants, curve)
        of_segments = {name: reports(part, terms, curve) for name, part in by_segment(outcomes, terms).items()}
    is_told_apart = evaluation is not None and evaluation.clears_every_fixed_arm
    document: dict[str, Any] = {
        "arms": _written(of_segments[NO_SEGMENT] if is_told_apart else arms),
        "policy_version": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "description": f"Thompson sampling after {len(outcomes):,} decisions, to {terms.purpose}",
    }
    if is_told_apart:
        document["segments"] = {segment: _written(of_segments[segment]) for segment in terms.segments}
    unknown = {str(arm): int((outcomes.arms == arm).sum()) for arm in set(outcomes.arms) - set(terms.variants)}
    return Refreshed(document, arms, of_segments, evaluation, unknown)


def reports(outcomes: Outcomes, terms: Terms, curve: DelayCurve) -> list[ArmReport]:
    """The report on each arm of the experiment."""
    arms = outcomes.of_arms(terms.variants, curve)
    best = best_arms(arms, terms.seed)
    written = terms.probabilities(best)
    return [
        ArmReport(arm, posterior, best[arm.name], written[arm.name])
        for arm, posterior in zip(arms, posteriors(arms), strict=True)
    ]


def learned(outcomes: Outcomes, terms: Terms, curve: DelayCurve) -> Policy:
    """The probabilities with which arms would be given by a policy that tells segments apart."""
    best = {
        segment: best_arms(part.of_arms(terms.variants, curve), terms.seed)
        for segment, part in by_segment(outcomes, terms).items()
    }
    return {
        segment: with_floor(terms.probabilities(of_arms), terms.floor_of_catalog)
        for segment, of_arms in best.items()
    }


def by_segment(outcomes: Outcomes, terms: Terms) -> dict[str, Outcomes]:
    """The decisions about users of each segment, and under `NO_SEGMENT` those about all others."""
    parts = {segment: outcomes.only(outcomes.segments == segment) for segment in terms.segments}
    return {NO_SEGMENT: outcomes.only(~np.isin(outcomes.segments.astype(str), terms.segments)), **parts}


def _written(reports: Sequence[ArmReport]) -> dict[str, float]:
    return {report.arm.name: report.written for report in reports}


def as_given(policy: PublishedPolicy, floor_of_catalog: float) -> Policy:
    """The probabilities with which a function gives arms by a policy."""
    of_segments = {NO_SEGMENT: policy.arms, **policy.segments}
    return {segment: with_floor(arms, floor_of_catalog) for segment, arms in of_segments.items()}
