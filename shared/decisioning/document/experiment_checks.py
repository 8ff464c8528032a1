"""What must hold of experiments and holdouts for their results to be believed."""

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
"""By how much the sum of weights may differ from 1."""


def experiment_problems(path: str, terms: ExperimentTerms) -> Iterator[str]:
    """Every problem within one experiment."""
    yield from repeated(f"{path}.variants", [variant.id for variant in terms.variants], ".id", "each variant once")
    if all(variant.offer is None for variant in terms.variants):
        yield problem(f"{path}.variants", "an offer in at least one variant", None)
    yield from _policy(path, terms) if terms.policy else _weights(path, terms)
    if terms.min_bucket_version > terms.bucket_version:
        expected = f"at most bucket_version ({terms.bucket_version})"
        yield problem(f"{path}.min_bucket_version", expected, terms.min_bucket_version)
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


def _policy(path: str, terms: ExperimentTerms) -> Iterator[str]:
    for index, variant in enumerate(terms.variants):
        if variant.weight is not None:
            yield problem(
                f"{path}.variants[{index}].weight", f"none, as policy {terms.policy} says", variant.weight
            )
    if terms.floor * len(terms.variants) > 1 + ROUNDING:
        most = 1 / len(terms.variants)
        yield problem(f"{path}.floor", f"at most {most:g} with {len(terms.variants)} variants", terms.floor)


def problems_between(document: CatalogDocument) -> Iterator[str]:
    """Every problem between experiments, and between them and what they are used for."""
    for (first, one), (second, other) in combinations(document.experiments.items(), 2):
        yield from _namespaces(f"experiments.{second}.namespace", first, one.namespace, other.namespace)
        if _salt(first, one) == _salt(second, other) and not _share_nobody(one.namespace, other.namespace):
            expected = f"another salt than that of {first}, whose split this would repeat"
            yield problem(f"experiments.{second}.salt", expected, _salt(second, other))
        if one.policy and one.policy == other.policy and _variants(one) != _variants(other):
            expected = f"the variants of {first} ({', '.join(_variants(one))}), since {one.policy} picks for both"
            yield problem(f"experiments.{second}.variants", expected, _variants(other))
    for id_, terms in document.experiments.items():
        if terms.state == "running":
            yield from _unapproved(f"experiments.{id_}", terms, document)
    for id_, campaign in document.campaigns.items():
        yield from _closed_variants(id_, campaign, document)


def _namespaces(path: str, first: str, one: NamespaceRange | None, other: NamespaceRange | None) -> Iterator[str]:
    """Ranges that overlap would share users, a stopped experiment's too: they saw what it showed."""
    if one and other and one.id == other.id and not _share_nobody(one, other):
        expected = f"a range beside that of {first} ({one.start:g} to {one.end:g})"
        yield problem(path, expected, f"{other.start:g} to {other.end:g}")


def _share_nobody(one: NamespaceRange | None, other: NamespaceRange | None) -> bool:
    return bool(one and other and one.id == other.id and (one.end <= other.start or other.end <= one.start))


def _salt(id_: str, terms: ExperimentTerms | HoldoutTerms) -> str:
    return terms.salt or id_


def _variants(terms: ExperimentTerms) -> list[str]:
    return sorted(variant.id for variant in terms.variants)


def _unapproved(path: str, terms: ExperimentTerms, document: CatalogDocument) -> Iterator[str]:
    """A variant that cannot be shown would leave the others without anything to be compared with."""
    for index, variant in enumerate(terms.variants):
        offer = document.offers.get(variant.offer or "")
        if offer and offer.status != "approved":
            expected = "an approved offer, as the experiment is running"
            yield problem(f"{path}.variants[{index}].offer", expected, f"{variant.offer} ({offer.status})")


def _closed_variants(campaign_id: str, campaign: CampaignTerms, document: CatalogDocument) -> Iterator[str]:
    """A variant closed to users who are in the experiment would skew its split."""
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
        yield from ordered(path, "starts_at", holdout.starts_at, "ends_at", holdout.ends_at)
        if holdout.campaigns is not None:
            yield from repeated(f"{path}.campaigns", holdout.campaigns, "", "each campaign once")
            if not holdout.campaigns:
                yield problem(f"{path}.campaigns", "at least one campaign, or no such field: all of them", [])
        for index, campaign_id in enumerate(holdout.campaigns or ()):
            campaign = document.campaigns.get(campaign_id)
            if campaign and (_is_over(holdout, campaign) or _is_over(campaign, holdout)):
                yield problem(
                    f"{path}.campaigns[{index}]", "a campaign that runs while the holdout does", campaign_id
                )
    for (first, one), (second, other) in combinations(document.holdouts.items(), 2):
        if _salt(first, one) == _salt(second, other):
            expected = f"another salt than that of {first}, which would hold out the same users"
            yield problem(f"holdouts.{second}.salt", expected, _salt(second, other))


def _is_over(one: HoldoutTerms | CampaignTerms, other: HoldoutTerms | CampaignTerms) -> bool:
    """Whether one ends before the other starts."""
    return bool(one.ends_at and other.starts_at and one.ends_at <= other.starts_at)


def ordered(path: str, first: str, start: datetime | None, second: str, end: datetime | None) -> Iterator[str]:
    """A window that ends before it starts can never happen."""
    if start and end and end <= start:
        yield problem(f"{path}.{second}", f"a time after {first} ({start.isoformat()})", end.isoformat())


def repeated(path: str, values: Iterable[object], field: str, expected: str) -> Iterator[str]:
    """Every value that came before."""
    seen: list[object] = []
    for index, value in enumerate(values):
        if value in seen:
            yield problem(f"{path}[{index}]{field}", expected, value)
        seen.append(value)
