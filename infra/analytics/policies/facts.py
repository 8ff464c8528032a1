"""Results about policies as JSON, for programs."""

from typing import Any

from infra.analytics.policies.off_policy import Evaluation
from infra.analytics.policies.refresh import ArmReport, Refreshed


def refresh_facts(done: Refreshed) -> dict[str, Any]:
    """A refresh, with what is known of every arm."""
    return {
        "policy": done.document,
        "arms": [_arm_facts(report) for report in done.arms],
        "segments": {segment: [_arm_facts(each) for each in of] for segment, of in done.of_segments.items()},
        "telling_segments_apart": evaluation_facts(done.evaluation) if done.evaluation else None,
        "unknown_arms": done.unknown_arms,
    }


def _arm_facts(report: ArmReport) -> dict[str, Any]:
    return {
        **report.arm._asdict(),
        "rate": report.posterior.mean,
        "interval": report.posterior.interval(),
        "probability_best": report.probability_best,
        "probability": report.written,
    }


def evaluation_facts(found: Evaluation) -> dict[str, Any]:
    """An evaluation, with all its estimates."""
    return {
        "doubly_robust": found.doubly_robust._asdict(),
        "ips": found.ips._asdict(),
        "over_fixed": {arm: each._asdict() for arm, each in found.over_fixed.items()},
        "decisions": found.decisions,
        "effective_decisions": found.effective_decisions,
        "clears_every_fixed_arm": found.clears_every_fixed_arm,
    }
