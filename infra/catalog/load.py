"""A catalog in a YAML file, with its scores and policies in files beside it."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from infra.strict_yaml import MAX_BYTES, InvalidYaml, read_yaml
from shared.adapters.gcp.paths import PublishedArtifact, policy_location, score_location
from shared.decisioning.audiences.attributes import fact_names
from shared.decisioning.audiences.facts import FEATURE
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.decisioning.document.problems import entry_of, problem
from shared.decisioning.document.schema import CatalogDocument
from shared.decisioning.experiments.policy import InvalidPolicy, Policy
from shared.decisioning.library import Library, read_policy
from shared.decisioning.scoring.registry import Registry
from shared.decisioning.scoring.score import BrokenScore
from shared.domain.errors import InvalidCatalog

DEFAULT_CATALOG = Path(__file__).with_name("default.yaml")
SHIPPED_SCORES = DEFAULT_CATALOG.with_name("scores")
"""The folder of the scores that come with Upbeat. Any catalog may name them."""


def load_catalog(path: Path = DEFAULT_CATALOG) -> Catalog:
    """The catalog in a YAML file, with its library: the scores and policies beside it.

    Raises `InvalidCatalog` with every problem of the catalog, its scores and its policies, and `OSError` if the
    file cannot be read.
    """
    try:
        content = read_yaml(_beginning(path))
    except InvalidYaml as error:
        raise InvalidCatalog([f"{path.name}: {error}"]) from error
    catalog = compile_catalog(content)
    registry = Registry(partial(_artifact, path), fact_names(catalog.document.attributes))
    policies: dict[str, Policy] = {}
    problems = [*_scores(catalog.document, registry), *_policies(catalog.document, path, policies)]
    if problems:
        raise InvalidCatalog(problems)
    return replace(catalog, library=Library(registry.get, policies))


def shipped_scores(catalog: Catalog) -> Library:
    """The library of a catalog that has no file: the scores that come with Upbeat, and no policies."""
    return Library(Registry(partial(_artifact, DEFAULT_CATALOG), fact_names(catalog.document.attributes)).get)


def artifacts_of(catalog: Catalog, path: Path = DEFAULT_CATALOG) -> Iterator[PublishedArtifact]:
    """The scores and policies that a valid catalog names, in the form in which they are published."""
    for name, terms in catalog.document.scores.items():
        yield PublishedArtifact(
            score_location(name, terms.version), (_artifact(path, name, terms.version) or b"").decode()
        )
    for name in catalog.library.policies:
        yield PublishedArtifact(policy_location(name), (_beside(path, f"policies/{name}.json") or b"").decode())


def _beginning(path: Path) -> bytes:
    """The bytes of a file, up to one more than `MAX_BYTES`, which is enough to see that it is too large."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _scores(document: CatalogDocument, registry: Registry) -> Iterator[str]:
    """Problems of the scores that a catalog names."""
    for name, terms in document.scores.items():
        score = registry.get(name, terms.version)
        if isinstance(score, BrokenScore):
            file = f"scores/{name}.{terms.version}.json"
            yield f"scores.{name}.version: expected a valid {file} beside the catalog, found {score.reason}"
            continue
        for feature in sorted(one for one in score.features if one.startswith(FEATURE)):
            if feature.removeprefix(FEATURE) not in document.features:
                expected = f"a score of {entry_of('features', document.features, feature.removeprefix(FEATURE))}"
                yield problem(f"scores.{name}.version", expected, feature)


def _policies(document: CatalogDocument, path: Path, valid: dict[str, Policy]) -> Iterator[str]:
    """Problems of the policies that a catalog names. Valid policies are added to `valid`."""
    for id_, terms in document.experiments.items():
        if terms.policy is None:
            continue
        file = f"policies/{terms.policy}.json"
        content, variants = _beside(path, file), [variant.id for variant in terms.variants]
        try:
            valid[terms.policy] = read_policy(terms.policy, content, variants, terms.segments, "no such file")
        except InvalidPolicy as error:
            why = "; ".join(error.problems)
            yield f"experiments.{id_}.policy: expected a valid {file} beside the catalog, found {why}"


def _artifact(path: Path, name: str, version: int) -> bytes | None:
    return _beside(path, f"scores/{name}.{version}.json")


def _beside(path: Path, name: str) -> bytes | None:
    """The bytes of a file beside a catalog, else beside the shipped one; None if neither has it."""
    for folder in (path.parent, DEFAULT_CATALOG.parent):
        file = folder / name
        if file.is_file():
            return file.read_bytes()
    return None
