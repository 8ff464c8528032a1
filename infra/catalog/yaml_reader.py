"""YAML as catalogs are written in it: each key once, bounded, and with values that mean what they say."""

from typing import Any

import yaml

from shared.contracts.strict_json import MAX_DEPTH, kind_of

MAX_BYTES = 2_000_000
"""More than twice of what a catalog may be as JSON, for the sake of comments."""

_MERGE = "tag:yaml.org,2002:merge"


class InvalidYaml(ValueError):
    """What is no YAML, or none that a catalog may be; the message says where, what was expected and what found."""


class _Mistake(yaml.MarkedYAMLError):
    """YAML that a catalog must not be, though it could be read."""


class _Loader(yaml.CSafeLoader):
    """Safe YAML, with less of what takes people by surprise."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping. Raises `_Mistake` for a key that occurs twice, of which the first would be lost."""
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
                found = "a merge (<<)" if key.tag == _MERGE else "a list or an object"
                raise _Mistake(problem=f"expected keys that are words, found {found}", problem_mark=key.start_mark)
            if key.value in seen:
                twice = f"expected each key once, found {key.value} twice"
                raise _Mistake(problem=twice, problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def _whole_number(loader: _Loader, node: yaml.ScalarNode) -> object:
    """A whole number; 22:00, which YAML takes for a number of base 60, stays text."""
    if ":" in node.value:
        return node.value
    try:
        return loader.construct_yaml_int(node)
    except ValueError:
        expected = f"expected shorter numbers, found one of {len(node.value)} digits"
        raise _Mistake(problem=expected, problem_mark=node.start_mark) from None


def _time(loader: _Loader, node: yaml.ScalarNode) -> object:
    """A date or a time; a day that does not exist stays text, so that its path is named where it is refused."""
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError:
        return node.value


_Loader.add_constructor("tag:yaml.org,2002:int", _whole_number)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _time)


def read_yaml(data: bytes) -> dict[str, Any]:
    """The mapping that YAML (or JSON, which is YAML) describes. Raises `InvalidYaml`."""
    if len(data) > MAX_BYTES:
        raise InvalidYaml(f"expected at most {MAX_BYTES} bytes, found more")
    try:
        _check_depth(data)
        content = yaml.load(data, _Loader)  # noqa: S506 - a safe one
    except _Mistake as mistake:
        raise InvalidYaml(f"{mistake.problem}{_place(mistake)}") from mistake
    except yaml.MarkedYAMLError as error:
        raise InvalidYaml(f"expected YAML, found a mistake{_place(error)}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise InvalidYaml(f"expected YAML, found {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise InvalidYaml(f"expected an object, found {kind_of(content)}")
    return content


def _check_depth(data: bytes) -> None:
    """What is nested too deep is not built at all, since building it would end the process."""
    depth = 0
    for event in yaml.parse(data, yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            expected = f"expected at most {MAX_DEPTH} levels of nesting, found more"
            raise InvalidYaml(expected)


def _place(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark
    return f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
