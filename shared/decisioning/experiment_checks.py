"""What must hold of experiments and holdouts for their results to be believed."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import combinations

from shared.decisioning.problems import problem
from shared.decisioning.schema import CatalogDocument, ExperimentTerms

ROUNDING = 1e-6
"""By how much the sum of weights may differ from 1."""


def experiment_problems(path: str, terms: ExperimentTerms) -> Iterator[str]:
    """Every problem within one experiment."""
    yield from repeated(f"{path}.variants", [variant.id for variant in terms.variants], ".id", "each variant once")
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


def namespace_problems(document: CatalogDocument) -> Iterator[str]:
    """Ranges that overlap would share users, a stopped experiment's too: they saw what it showed."""
    ranges = [(id_, terms.namespace) for id_, terms in document.experiments.items() if terms.namespace]
    for (first, one), (second, other) in combinations(ranges, 2):
        if one.id == other.id and one.start < other.end and other.start < one.end:
            expected = f"a range beside that of {first} ({one.start:g} to {one.end:g})"
            yield problem(f"experiments.{second}.namespace", expected, f"{other.start:g} to {other.end:g}")


def holdout_problems(document: CatalogDocument) -> Iterator[str]:
    """Every problem of holdouts."""
    for id_, holdout in document.holdouts.items():
        path = f"holdouts.{id_}"
        yield from ordered(path, "starts_at", holdout.starts_at, "ends_at", holdout.ends_at)
        if holdout.campaigns is not None:
            yield from repeated(f"{path}.campaigns", holdout.campaigns, "", "each campaign once")
            if not holdout.campaigns:
                yield problem(f"{path}.campaigns", "at least one campaign, or no such field: all of them", [])


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
