"""A catalog with the scores and policies that it names, from a YAML file and those beside it or elsewhere."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from infra.strict_yaml import MAX_BYTES, InvalidYaml, read_yaml
from shared.adapters.gcp.paths import ArtifactLocation, PublishedArtifact, policy_location, score_location
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.decisioning.document.artifact_checks import Artifacts, registry_of, with_artifacts
from shared.decisioning.document.schema import CatalogDocument
from shared.decisioning.library import Library
from shared.domain.errors import InvalidCatalog

DEFAULT_CATALOG = Path(__file__).with_name("default.yaml")
SHIPPED_SCORES = DEFAULT_CATALOG.with_name("scores")
"""The folder of the scores that come with Upbeat. Any catalog may name them."""
Read = Callable[[ArtifactLocation], bytes | None]
"""A function that reads the score or the policy at a location; None if there is none."""


def load_catalog(path: Path = DEFAULT_CATALOG) -> Catalog:
    """The catalog in a YAML file, with its library: the scores and policies beside it.

    Raises `InvalidCatalog` with every problem of the catalog, its scores and its policies, and `OSError` if the
    file cannot be read.
    """
    try:
        content = read_yaml(_beginning(path))
    except InvalidYaml as error:
        raise InvalidCatalog([f"{path.name}: {error}"]) from error
    return with_library(compile_catalog(content), partial(artifact_beside, path), ".json beside the catalog")


def with_library(catalog: Catalog, read: Read, where: str) -> Catalog:
    """The catalog with the scores and policies that it names.

    `where` follows the place of one that is missing or invalid, in the sentence about it. Raises `InvalidCatalog`
    with every problem of the scores and policies, and whatever `read` raises.
    """
    return with_artifacts(catalog, _artifacts(read), where)


def with_scores(catalog: Catalog, read: Read) -> Catalog:
    """The catalog with those of its scores that can be read, and without its policies."""
    return replace(catalog, library=Library(registry_of(catalog.document, _artifacts(read)).get))


def with_shipped_scores(catalog: Catalog) -> Catalog:
    """A catalog that has no file with the scores that come with Upbeat, and without its policies."""
    return with_scores(catalog, partial(artifact_beside, DEFAULT_CATALOG))


def artifacts_of(catalog: Catalog, path: Path = DEFAULT_CATALOG) -> Iterator[PublishedArtifact]:
    """The scores and policies that a valid catalog names, in the form in which they are published."""
    locations = [score_location(name, terms.version) for name, terms in catalog.document.scores.items()]
    for location in (*locations, *map(policy_location, catalog.library.policies)):
        yield PublishedArtifact(location, (artifact_beside(path, location) or b"").decode())


def artifact_locations(document: CatalogDocument) -> list[ArtifactLocation]:
    """The locations of the scores and policies that a catalog names."""
    policies = (experiment.policy for experiment in document.experiments.values())
    scores = [score_location(name, terms.version) for name, terms in document.scores.items()]
    return scores + [policy_location(policy) for policy in policies if policy]


def _artifacts(read: Read) -> Artifacts:
    return Artifacts(
        lambda name, version: read(score_location(name, version)), lambda name: read(policy_location(name))
    )


def _beginning(path: Path) -> bytes:
    """The bytes of a file, up to one more than `MAX_BYTES`, which is enough to see that it is too large."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def artifact_beside(path: Path, location: ArtifactLocation) -> bytes | None:
    """The bytes of a file beside a catalog, else beside the shipped one; None if neither has it."""
    for folder in (path.parent, DEFAULT_CATALOG.parent):
        file = folder / f"{location.path}.json"
        if file.is_file():
            return file.read_bytes()
    return None
