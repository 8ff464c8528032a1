"""A strict YAML reader for files that people write: bounded, no duplicate keys, no surprising types."""

from typing import Any

import yaml

from shared.contracts.strict_json import MAX_DEPTH, kind_of

MAX_BYTES = 2_000_000
"""The bound for a file: more than twice the bound for a catalog as JSON, which leaves room for comments."""

_WORD = "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"


class InvalidYaml(ValueError):
    """No YAML, or YAML that such a file must not contain. The message says where, what was expected and found."""


class _Mistake(yaml.MarkedYAMLError):
    """YAML that can be read but that such a file must not contain."""


class _Loader(yaml.CSafeLoader):
    """Safe YAML without duplicate keys, keys that are no words, merges, base-60 numbers and impossible dates."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping. Raises `_Mistake` for a duplicate key, whose first value would be lost."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag != _WORD:
                expected = f"expected keys that are words, found {_not_a_word(key)}"
                raise _Mistake(problem=expected, problem_mark=key.start_mark)
            if key.value in seen:
                duplicate = f"expected each key once, found {key.value} twice"
                raise _Mistake(problem=duplicate, problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def _not_a_word(key: yaml.Node) -> str:
    """A description of a key that YAML 1.1 does not read as text, such as a bare `no` or `on`."""
    if not isinstance(key, yaml.ScalarNode):
        return "a list or an object"
    if key.tag == _MERGE:
        return "a merge (<<)"
    return f"{key.value}, which YAML reads as a {key.tag.rpartition(':')[2]} (put it in quotes)"


def _whole_number(loader: _Loader, node: yaml.ScalarNode) -> object:
    """A whole number. Text such as 22:00, which YAML 1.1 reads as a base-60 number, stays text."""
    if ":" in node.value:
        return node.value
    try:
        return loader.construct_yaml_int(node)
    except ValueError:
        expected = f"expected shorter numbers, found one of {len(node.value)} digits"
        raise _Mistake(problem=expected, problem_mark=node.start_mark) from None


def _time(loader: _Loader, node: yaml.ScalarNode) -> object:
    """A date or a time. A day that does not exist stays text; the schema then rejects it with its path."""
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
        content = yaml.load(data, _Loader)  # noqa: S506 - _Loader is a safe loader
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
    """Refuse deep nesting before anything is built, because building it would overflow the stack."""
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
