"""A catalog as a YAML file: how merchandisers write it, and how the local runtimes read it."""

from pathlib import Path
from typing import Any

import yaml

from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.domain.errors import InvalidCatalog

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
    """The catalog in a YAML file. Raises `InvalidCatalog` with every problem, `OSError` where there is no file."""
    try:
        content = yaml.load(path.read_bytes(), UniqueKeys)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidCatalog([f"{path.name}: expected YAML, found {' '.join(str(error).split())}"]) from error
    if not isinstance(content, dict):
        raise InvalidCatalog([f"{path.name}: expected a mapping, found {type(content).__name__}"])
    return compile_catalog(content)
