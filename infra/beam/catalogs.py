"""Catalogs on their way to workers, which have no files of the launching machine: as texts, and compiled again."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from infra.catalog.load import artifacts_of, load_catalog, with_library
from infra.strict_yaml import InvalidYaml, read_yaml
from shared.adapters.gcp.paths import ArtifactLocation
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.domain.errors import InvalidCatalog


class CatalogText(NamedTuple):
    """A valid catalog as text, with the scores and policies that it names."""

    content: str
    artifacts: tuple[tuple[ArtifactLocation, str], ...]


def text_of(path: Path) -> CatalogText:
    """The catalog in a file. Raises `InvalidCatalog`, and `OSError` if the file cannot be read."""
    catalog = load_catalog(path)
    return CatalogText(path.read_text(), tuple((each.location, each.text) for each in artifacts_of(catalog, path)))


def catalog_alone(path: Path) -> str:
    """The catalog in a file as JSON, whatever scores and policies it names. Raises what `text_of` raises."""
    try:
        return compile_catalog(read_yaml(path.read_bytes())).to_json()
    except InvalidYaml as error:
        raise InvalidCatalog([f"{path.name}: {error}"]) from error


@cache
def catalog_of(text: CatalogText) -> Catalog:
    """The catalog, compiled once in each process."""
    artifacts: Mapping[ArtifactLocation, str] = dict(text.artifacts)
    return with_library(
        compile_catalog(read_yaml(text.content.encode())), lambda at: artifacts.get(at, "").encode() or None, ""
    )
