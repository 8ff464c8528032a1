"""A catalog as a YAML file, its scores and policies beside it: as people write it, and local runtimes read it."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from infra.catalog.yaml_reader import MAX_BYTES, InvalidYaml, read_yaml
from shared.adapters.gcp.paths import Artifact, policy_location, score_location
from shared.decisioning.audiences.facts import FACTS
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.decisioning.document.schema import CatalogDocument
from shared.decisioning.experiments.policy import InvalidPolicy, Policy
from shared.decisioning.library import Library, read_policy
from shared.decisioning.scoring.registry import Registry
from shared.decisioning.scoring.score import BrokenScore
from shared.domain.errors import InvalidCatalog

DEFAULT_CATALOG = Path(__file__).with_name("default.yaml")
SHIPPED_SCORES = DEFAULT_CATALOG.with_name("scores")


def load_catalog(path: Path = DEFAULT_CATALOG) -> Catalog:
    """The catalog in a YAML file, with the library beside it.

    Raises `InvalidCatalog` with every problem, those of its scores and policies too, and `OSError` where there is
    no file.
    """
    try:
        content = read_yaml(_beginning(path))
    except InvalidYaml as error:
        raise InvalidCatalog([f"{path.name}: {error}"]) from error
    catalog = compile_catalog(content)
    registry = Registry(partial(_artifact, path), FACTS)
    policies: dict[str, Policy] = {}
    problems = [*_scores(catalog.document, registry), *_policies(catalog.document, path, policies)]
    if problems:
        raise InvalidCatalog(problems)
    return replace(catalog, library=Library(registry.get, policies))


def artifacts_of(catalog: Catalog, path: Path = DEFAULT_CATALOG) -> Iterator[Artifact]:
    """The scores and policies that a valid catalog names, as they are to be published with it."""
    for name, terms in catalog.document.scores.items():
        yield Artifact(score_location(name, terms.version), (_artifact(path, name, terms.version) or b"").decode())
    for name in catalog.library.policies:
        yield Artifact(policy_location(name), (_beside(path, f"policies/{name}.json") or b"").decode())


def _beginning(path: Path) -> bytes:
    """The file, or as much of it as shows that it is too large."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _scores(document: CatalogDocument, registry: Registry) -> Iterator[str]:
    """What is wrong with the scores that a catalog names."""
    for name, terms in document.scores.items():
        score = registry.get(name, terms.version)
        if isinstance(score, BrokenScore):
            file = f"scores/{name}.{terms.version}.json"
            yield f"scores.{name}.version: expected a valid {file} beside the catalog, found {score.reason}"


def _policies(document: CatalogDocument, path: Path, found: dict[str, Policy]) -> Iterator[str]:
    """What is wrong with the policies that a catalog names; those that can be used are added to `found`."""
    for id_, terms in document.experiments.items():
        if terms.policy is None:
            continue
        file = f"policies/{terms.policy}.json"
        content, variants = _beside(path, file), [variant.id for variant in terms.variants]
        try:
            found[terms.policy] = read_policy(terms.policy, content, variants, "no such file")
        except InvalidPolicy as error:
            why = "; ".join(error.problems)
            yield f"experiments.{id_}.policy: expected a valid {file} beside the catalog, found {why}"


def _artifact(path: Path, name: str, version: int) -> bytes | None:
    return _beside(path, f"scores/{name}.{version}.json")


def _beside(path: Path, name: str) -> bytes | None:
    """A file of the library beside a catalog, else of the one that is shipped."""
    for folder in (path.parent, DEFAULT_CATALOG.parent):
        file = folder / name
        if file.is_file():
            return file.read_bytes()
    return None
