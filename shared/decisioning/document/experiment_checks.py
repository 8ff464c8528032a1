"""Checks of experiments and holdouts: mistakes that would make their results invalid."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import combinations

from shared.decisioning.document.problems import problem
from shared.decisioning.document.schema import (
    CampaignTerms,
    CatalogDocument,
    ExperimentTerms,
    HoldoutTerms,
    NamespaceRange,
    Offer,
)

ROUNDING = 1e-6
"""The tolerance for the sum of weights, which need not be exactly 1."""


def experiment_problems(path: str, terms: ExperimentTerms) -> Iterator[str]:
    """Every problem within one experiment."""
    yield from duplicate_problems(
        f"{path}.variants", [variant.id for variant in terms.variants], ".id", "each variant once"
    )
    if all(variant.offer is None for variant in terms.variants):
        yield problem(f"{path}.variants", "an offer in at least one variant", None)
    yield from _policy(path, terms) if terms.policy else _weights(path, terms)
    yield from _analysis(path, terms)
    if terms.min_bucket_version > terms.bucket_version:
        expected = f"at most bucket_version ({terms.bucket_version})"
        yield problem(f"{path}.min_bucket_version", expected, terms.min_bucket_version)
    if terms.reassign and (terms.policy or not terms.sticky):
        yield problem(f"{path}.reassign", "false, as users are not tied to a variant", found=True)
    if terms.namespace and terms.namespace.end <= terms.namespace.start:
        expected = f"more than start ({terms.namespace.start})"
        yield problem(f"{path}.namespace.end", expected, terms.namespace.end)


def _weights(path: str, terms: ExperimentTerms) -> Iterator[str]:
    missing = [index for index, variant in enumerate(terms.variants) if variant.weight is None]
    for index in missing:
        yield problem(f"{path}.variants[{index}].weight", "a share from 0 to 1, as there is no policy", None)
    weights = [variant.weight or 0.0 for variant in terms.variants]
    if not missing and abs(sum(weights) - 1) > ROUNDING:
        yield problem(f"{path}.variants", "weights that add up to 1", f"{sum(weights):g}")
    if terms.floor:
        yield problem(f"{path}.floor", "no floor, as there is no policy", terms.floor)
    if terms.segments:
        yield problem(f"{path}.segments", "no segments, as there is no policy", [*terms.segments])


def _policy(path: str, terms: ExperimentTerms) -> Iterator[str]:
    for index, variant in enumerate(terms.variants):
        if variant.weight is not None:
            yield problem(
                f"{path}.variants[{index}].weight", f"none, as policy {terms.policy} says", variant.weight
            )
    yield from duplicate_problems(f"{path}.segments", terms.segments, "", "each audience once")
    if terms.floor * len(terms.variants) > 1 + ROUNDING:
        most = 1 / len(terms.variants)
        yield problem(f"{path}.floor", f"at most {most:g} with {len(terms.variants)} variants", terms.floor)


def _analysis(path: str, terms: ExperimentTerms) -> Iterator[str]:
    """Problems that would keep the report and the guard from working."""
    if terms.control is not None and terms.control not in _variants(terms):
        yield problem(f"{path}.control", f"one of the variants ({', '.join(_variants(terms))})", terms.control)
    if terms.auto_stop and not terms.guardrail_metrics:
        yield problem(f"{path}.auto_stop", "false, as there are no guardrail_metrics", found=True)
    if terms.auto_stop and terms.compared_with is None:
        expected = "false, as neither `control` nor one variant that offers nothing says what to compare with"
        yield problem(f"{path}.auto_stop", expected, found=True)


def problems_between(document: CatalogDocument) -> Iterator[str]:
    """Every problem across experiments, and across experiments and the campaigns that use them."""
    for (first_id, first), (second_id, second) in combinations(document.experiments.items(), 2):
        path = f"experiments.{second_id}"
        yield from _namespaces(f"{path}.namespace", first_id, first.namespace, second.namespace)
        if _salt(first_id, first) == _salt(second_id, second) and not _disjoint(first.namespace, second.namespace):
            expected = f"another salt than that of {first_id}, whose split this would repeat"
            yield problem(f"{path}.salt", expected, _salt(second_id, second))
        if first.policy and first.policy == second.policy and _variants(first) != _variants(second):
            names = ", ".join(_variants(first))
            expected = f"the variants of {first_id} ({names}), since {first.policy} picks for both"
            yield problem(f"{path}.variants", expected, _variants(second))
        if first.policy and first.policy == second.policy and first.segments != second.segments:
            expected = f"the segments of {first_id}, since {first.policy} picks for both"
            yield problem(f"{path}.segments", expected, [*second.segments])
    for id_, terms in document.experiments.items():
        if terms.state == "running":
            yield from _unapproved(f"experiments.{id_}", terms, document)
    for id_, campaign in document.campaigns.items():
        yield from _closed_variants(id_, campaign, document)


def _namespaces(
    path: str, first_id: str, first: NamespaceRange | None, second: NamespaceRange | None
) -> Iterator[str]:
    """Overlapping ranges would share users. A stopped experiment counts too: its users saw its variants."""
    if first and second and first.id == second.id and not _disjoint(first, second):
        expected = f"a range beside that of {first_id} ({first.start:g} to {first.end:g})"
        yield problem(path, expected, f"{second.start:g} to {second.end:g}")


def _disjoint(first: NamespaceRange | None, second: NamespaceRange | None) -> bool:
    """True for ranges of one namespace that share no user."""
    if first is None or second is None or first.id != second.id:
        return False
    return first.end <= second.start or second.end <= first.start


def _salt(id_: str, terms: ExperimentTerms | HoldoutTerms) -> str:
    return terms.salt or id_


def _variants(terms: ExperimentTerms) -> list[str]:
    return sorted(variant.id for variant in terms.variants)


def _unapproved(path: str, terms: ExperimentTerms, document: CatalogDocument) -> Iterator[str]:
    """A variant that cannot be shown would leave the other variants without a comparison."""
    for index, variant in enumerate(terms.variants):
        offer = document.offers.get(variant.offer or "")
        if offer and offer.status != "approved":
            expected = "an approved offer, as the experiment is running"
            yield problem(f"{path}.variants[{index}].offer", expected, f"{variant.offer} ({offer.status})")


def _closed_variants(campaign_id: str, campaign: CampaignTerms, document: CatalogDocument) -> Iterator[str]:
    """A variant that is closed to some users of the experiment would skew its split."""
    own, terms = document.offers.get(campaign.offer), document.experiments.get(campaign.experiment or "")
    if not own or not terms:
        return
    for index, variant in enumerate(terms.variants):
        offer = document.offers.get(variant.offer or "")
        if offer and not _is_as_open(offer, own):
            path = f"experiments.{campaign.experiment}.variants[{index}].offer"
            plans = ", ".join(own.plans_from) or "all"
            expected = f"an offer open to all plans that {campaign.offer} is open to ({plans})"
            yield problem(path, f"{expected}, as in campaigns.{campaign_id}", variant.offer)


def _is_as_open(offer: Offer, other: Offer) -> bool:
    return not offer.plans_from or (bool(other.plans_from) and set(other.plans_from) <= set(offer.plans_from))


def holdout_problems(document: CatalogDocument) -> Iterator[str]:
    """Every problem of holdouts."""
    for id_, holdout in document.holdouts.items():
        path = f"holdouts.{id_}"
        yield from window_problems(path, "starts_at", holdout.starts_at, "ends_at", holdout.ends_at)
        if holdout.campaigns is not None:
            yield from duplicate_problems(f"{path}.campaigns", holdout.campaigns, "", "each campaign once")
            if not holdout.campaigns:
                yield problem(f"{path}.campaigns", "at least one campaign, or no such field: all of them", [])
        for index, campaign_id in enumerate(holdout.campaigns or ()):
            campaign = document.campaigns.get(campaign_id)
            if campaign and not run_together(holdout, campaign):
                yield problem(
                    f"{path}.campaigns[{index}]", "a campaign that runs while the holdout does", campaign_id
                )
    for (first_id, first), (second_id, second) in combinations(document.holdouts.items(), 2):
        if _salt(first_id, first) == _salt(second_id, second):
            expected = f"another salt than that of {first_id}, which would hold out the same users"
            yield problem(f"holdouts.{second_id}.salt", expected, _salt(second_id, second))


def run_together(holdout: HoldoutTerms, campaign: CampaignTerms) -> bool:
    """True if the times of a holdout and a campaign overlap."""
    return not (_ends_before(holdout, campaign) or _ends_before(campaign, holdout))


def _ends_before(first: HoldoutTerms | CampaignTerms, second: HoldoutTerms | CampaignTerms) -> bool:
    """True if the first ends before the second starts."""
    return bool(first.ends_at and second.starts_at and first.ends_at <= second.starts_at)


def window_problems(
    path: str, first: str, start: datetime | None, second: str, end: datetime | None
) -> Iterator[str]:
    """The problem of a window that ends before it starts, if it does."""
    if start and end and end <= start:
        yield problem(f"{path}.{second}", f"a time after {first} ({start.isoformat()})", end.isoformat())


def duplicate_problems(path: str, values: Iterable[object], field: str, expected: str) -> Iterator[str]:
    """A problem for every value that occurs earlier in the list."""
    seen: list[object] = []
    for index, value in enumerate(values):
        if value in seen:
            yield problem(f"{path}[{index}]{field}", expected, value)
        seen.append(value)
