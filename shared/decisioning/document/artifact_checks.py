"""Checks of the scores and policies that a catalog names, wherever they are kept."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from shared.decisioning.audiences.attributes import fact_names
from shared.decisioning.audiences.facts import FEATURE
from shared.decisioning.catalog import Catalog
from shared.decisioning.document.problems import entry_of, problem
from shared.decisioning.document.schema import CatalogDocument
from shared.decisioning.experiments.policy import InvalidPolicy, Policy
from shared.decisioning.library import Library, read_policy
from shared.decisioning.scoring.registry import Registry
from shared.decisioning.scoring.score import BrokenScore
from shared.domain.errors import InvalidCatalog


class Artifacts(NamedTuple):
    """Access to the JSON texts of scores and policies; each answer is None if there is none."""

    score: Callable[[str, int], bytes | None]
    """By the score's name and version."""
    policy: Callable[[str], bytes | None]
    """By the policy's name."""


def with_artifacts(catalog: Catalog, artifacts: Artifacts, where: str) -> Catalog:
    """The catalog with the scores and policies that it names.

    `where` follows the place of one that is missing or invalid, in the sentence about it. Raises `InvalidCatalog`
    with every problem of the scores and policies, and whatever `artifacts` raises.
    """
    registry = registry_of(catalog.document, artifacts)
    policies: dict[str, Policy] = {}
    problems = [
        *_scores(catalog.document, registry, where),
        *_policies(catalog.document, artifacts, where, policies),
    ]
    if problems:
        raise InvalidCatalog(problems)
    return replace(catalog, library=Library(registry.get, policies))


def registry_of(document: CatalogDocument, artifacts: Artifacts) -> Registry:
    """The scores, read when they are asked for."""
    return Registry(artifacts.score, fact_names(document.attributes))


def _scores(document: CatalogDocument, registry: Registry, where: str) -> Iterator[str]:
    """Problems of the scores that a catalog names."""
    for name, terms in document.scores.items():
        score = registry.get(name, terms.version)
        if isinstance(score, BrokenScore):
            expected = f"a valid scores/{name}.{terms.version}{where}"
            yield f"scores.{name}.version: expected {expected}, found {score.reason}"
            continue
        for feature in sorted(one for one in score.features if one.startswith(FEATURE)):
            if feature.removeprefix(FEATURE) not in document.features:
                expected = f"a score of {entry_of('features', document.features, feature.removeprefix(FEATURE))}"
                yield problem(f"scores.{name}.version", expected, feature)


def _policies(
    document: CatalogDocument, artifacts: Artifacts, where: str, valid: dict[str, Policy]
) -> Iterator[str]:
    """Problems of the policies that a catalog names. Valid policies are added to `valid`."""
    for id_, terms in document.experiments.items():
        if terms.policy is None:
            continue
        variants = [variant.id for variant in terms.variants]
        try:
            content = artifacts.policy(terms.policy)
            valid[terms.policy] = read_policy(terms.policy, content, variants, terms.segments, "no such artifact")
        except InvalidPolicy as error:
            why = "; ".join(error.problems)
            yield f"experiments.{id_}.policy: expected a valid policies/{terms.policy}{where}, found {why}"
