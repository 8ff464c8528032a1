"""Everything that a decision tells of a candidate, in words and one line each."""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.inspect import withheld
from infra.terminal import wording
from infra.terminal.reasons import why_lost
from infra.terminal.values import is_set, line
from shared.decisioning.catalog import Catalog
from shared.decisioning.losses import LossReason
from shared.queries.explanation import Decision
from shared.queries.failed_clause import failed_clause

Candidate = Mapping[str, Any]
TOLD = frozenset(
    {
        *("campaign_id", "offer_id", "placement", "moment", "offset", "cause", "subscription_id", "outcome"),
        *("reason", "detail", "caps", "suppressed", "given", "holdout", "holdouts", "moment_at", "score"),
        *("score_version", "score_error", "experiment_id", "variant", "propensity", "assigned_at"),
        *("newly_assigned", "unit", "bucket_version", "segment", "policy_version"),
    }
)
"""Fields that the tree shows, or that are told in words; any other is told by its name."""


def lines(decision: Decision, candidate: Candidate, catalog: Catalog | None) -> Iterator[str]:
    """The reason of a loss, the moment's own time, caps, score, experiment, and whatever else is on record."""
    if candidate["reason"] and not withheld.is_withheld(candidate):
        yield f"stopped: {why_lost(candidate)}"
    if candidate["reason"] == LossReason.AUDIENCE:
        yield from _clause(decision, candidate, catalog)
    elif candidate.get("suppressed") and not withheld.is_withheld(candidate):
        yield "but for that it would have been offered"
    occurred_at = candidate.get("moment_at")
    if occurred_at and wording.of_value(occurred_at) != wording.of_value(decision["decided_at"]):
        yield f"the moment occurred at {wording.of_value(occurred_at)}"
    yield from map(_cap, candidate.get("caps", ()))
    if holdouts := candidate.get("holdouts"):
        yield f"the user is in the holdout {', '.join(holdouts)}"
    yield from _score(candidate)
    yield from _experiment(candidate)
    for name, value in candidate.items():
        if name not in TOLD and is_set(value) and value is not False:
            yield f"{name}: {line(value)}"


def _clause(decision: Decision, candidate: Candidate, catalog: Catalog | None) -> Iterator[str]:
    """The clause that was not true, by the catalog of the decision, and the values on record."""
    failed = failed_clause(catalog, decision, candidate) if catalog else None
    if failed is None:
        version = decision["catalog_version"]
        yield f"the text of the clause is not known: no catalog {version} is at hand (--catalog FILE)"
        return
    yield f"clause {failed.name}: {failed.text}"
    for name, value in failed.values.items():
        yield f"{name} was {wording.of_value(value)}"
    if failed.not_told:
        yield f"not on record: {', '.join(failed.not_told)}"


def _cap(cap: Candidate) -> str:
    """One frequency cap: how much of it is used, of what, and in which window."""
    if cap.get("calendar_days"):
        window = f"in {cap['calendar_days']} calendar days"
    else:
        window = f"in {cap['window_days']} days" if cap["window_days"] else "ever"
    of = "" if cap["scope"] == "campaign" else f" of the {cap['scope']}"
    return f"cap: {cap['used']} of {cap['max']} {cap['event']}{of} {window}"


def _score(candidate: Candidate) -> Iterator[str]:
    version = candidate.get("score_version")
    if candidate.get("score") is not None:
        yield f"ranked by its score: {wording.of_value(float(candidate['score']))} (version {version})"
    elif candidate.get("score_error"):
        yield f"no score: {candidate['score_error']}"


def _experiment(candidate: Candidate) -> Iterator[str]:
    """The variant, how it was chosen, and when."""
    if candidate.get("variant") is None:
        return
    chosen = ", ".join(_chosen(candidate))
    yield f"experiment {candidate.get('experiment_id')}: variant {candidate['variant']}, {chosen}"


def _chosen(candidate: Candidate) -> Iterator[str]:
    if candidate.get("propensity") is not None:
        yield f"chosen with probability {wording.of_value(float(candidate['propensity']))}"
    if candidate.get("policy_version"):
        yield f"by policy version {candidate['policy_version']}"
    if candidate.get("segment"):
        yield f"in segment {candidate['segment']}"
    if candidate.get("assigned_at") and not candidate.get("newly_assigned"):
        yield f"assigned at {wording.of_value(candidate['assigned_at'])}"
    else:
        yield "assigned now" if candidate.get("assigned_at") else "not assigned"
