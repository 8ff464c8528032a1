"""A catalog as a YAML file, its scores and policies beside it: as people write it, and local runtimes read it."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from shared.adapters.shelves import Shelved, of_policy, of_score
from shared.contracts.strict_json import read_object
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.decisioning.library import Library
from shared.decisioning.policy import InvalidPolicy, Policy, parse_policy
from shared.decisioning.problems import problem
from shared.decisioning.schema import CatalogDocument
from shared.decisioning.scope import FACTS
from shared.decisioning.scoring.registry import Registry
from shared.decisioning.scoring.score import BrokenScore
from shared.domain.errors import InvalidCatalog, Rejected

DEFAULT_CATALOG = Path(__file__).parent / "catalog" / "default.yaml"


class UniqueKeys(yaml.SafeLoader):
    """YAML in which a key that occurs twice is a mistake, not a silent loss of the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping. Raises `ConstructorError` for a repeated key."""
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]  # type: ignore[no-untyped-call]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} occurs twice", node.start_mark
                )
        return super().construct_mapping(node, deep=deep)


def load_catalog(path: Path = DEFAULT_CATALOG) -> Catalog:
    """The catalog in a YAML file, with the library beside it.

    Raises `InvalidCatalog` with every problem, those of its scores and policies too, and `OSError` where there is
    no file.
    """
    document = compile_catalog(_written(path)).document
    problems: list[str] = []
    registry = Registry(partial(_artifact, path), FACTS)
    library = Library(registry.get, dict(_policies(path, document, problems)))
    for name, terms in document.scores.items():
        score = registry.get(name, terms.version)
        if isinstance(score, BrokenScore):
            expected = f"a valid artifact scores/{name}.{terms.version}.json beside the catalog"
            problems.append(f"scores.{name}.version: expected {expected}, found: {score.reason}")
    if problems:
        raise InvalidCatalog(problems)
    return compile_catalog(_written(path), library)


def library_of(catalog: Catalog, path: Path = DEFAULT_CATALOG) -> Iterator[Shelved]:
    """The scores and policies that a valid catalog names, as they are to be published with it."""
    for name, terms in catalog.document.scores.items():
        yield of_score(name, terms.version, (_artifact(path, name, terms.version) or b"").decode())
    for name in catalog.library.policies:
        yield of_policy(name, (_beside(path, f"policies/{name}.json") or b"").decode())


def _written(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_bytes(), UniqueKeys)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidCatalog([f"{path.name}: expected YAML, found {' '.join(str(error).split())}"]) from error
    if not isinstance(content, dict):
        raise InvalidCatalog([f"{path.name}: expected a mapping, found {type(content).__name__}"])
    return content


def _policies(path: Path, document: CatalogDocument, problems: list[str]) -> Iterator[tuple[str, Policy]]:
    for id_, terms in document.experiments.items():
        if terms.policy is None:
            continue
        place = f"experiments.{id_}.policy"
        content = _beside(path, f"policies/{terms.policy}.json")
        if content is None:
            problems.append(problem(place, f"a file policies/{terms.policy}.json beside the catalog", None))
            continue
        try:
            policy = parse_policy(terms.policy, read_object(content))
        except Rejected as rejected:
            problems.append(f"{place}: policies/{terms.policy}.json: {rejected.detail}")
        except InvalidPolicy as error:
            problems += [f"{place}: policies/{terms.policy}.json: {each}" for each in error.problems]
        else:
            if arms := policy.arms.keys() ^ {variant.id for variant in terms.variants}:
                problems.append(problem(place, "a policy with the experiment's variants as arms", sorted(arms)))
            yield terms.policy, policy


def _artifact(path: Path, name: str, version: int) -> bytes | None:
    return _beside(path, f"scores/{name}.{version}.json")


def _beside(path: Path, name: str) -> bytes | None:
    """A file of the library beside a catalog, else of the one that is shipped."""
    for folder in (path.parent, DEFAULT_CATALOG.parent):
        file = folder / name
        if file.is_file():
            return file.read_bytes()
    return None
