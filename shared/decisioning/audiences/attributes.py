"""Attributes as facts: a value of the declared type, or null."""

import re
from collections.abc import Iterable, Mapping

from shared.contracts.strict_json import kind_of
from shared.decisioning.audiences.facts import ATTRIBUTE, ATTRIBUTES, Facts
from shared.decisioning.document.clause_text import ATTRIBUTE_USE
from shared.decisioning.document.schema import Attribute

Attributes = Mapping[str, Attribute]
"""The attributes that a catalog declares, by name."""
NO_ATTRIBUTES: Attributes = {}
_CLASSES = {"string": (str,), "number": (int, float), "bool": (bool,), "list": (list,)}
_SPECIMENS: Mapping[str, object] = {"string": "text", "number": 0.5, "bool": True, "list": ["text", 0.5]}
_TYPED = {"string": '("")', "number": "(0.5)", "bool": "(true)", "list": "([dyn(0)])"}
"""An expression of each type. CEL compares `dyn(0)` with anything."""
_BEFORE, _AFTER = re.compile(r"\bnull\s*[!=]=\s*$"), re.compile(r"\s*[!=]=\s*null\b")
_MISMATCH = re.compile(r"no matching overload for '(\S+)' applied to '\((.*)\)'")
_COMPARED = {"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in"}
_NUMBERS = re.compile(r"(?:double|int|uint), (?:double|int|uint|list\((?:double|int|uint)\))")
"""Numbers of two types. CEL compares them by value, although its type checker refuses to."""


def as_fact(value: object, declared: Attribute) -> object:
    """The value as a fact: a number as a float, a list as a tuple; None if it is not of the declared type."""
    if not _fits(value, declared):
        return None
    match value:
        case bool() | str():
            return value
        case int():
            return float(value)
        case list():
            return tuple(value)
        case _:
            return value


def mismatch(name: str, value: object, declared: Attribute) -> str | None:
    """The problem of a value of another type than the declared one; None if there is none."""
    if value is None or _fits(value, declared):
        return None
    return f"{ATTRIBUTE}{name}: expected a {declared.type}, found {kind_of(value)}"


def specimens(names: Iterable[str], declared: Attributes) -> Facts:
    """The attributes of a user of whom everything is known, as CEL takes them."""
    return {ATTRIBUTES: {name: _SPECIMENS[declared[name].type] for name in names}}


def typed(text: str, declared: Attributes) -> str:
    """A clause in which each declared attribute is an expression of its type, for CEL's type checker.

    Comparisons with null are left out: any attribute may be null.
    """
    parts, end = [], 0
    for use in ATTRIBUTE_USE.finditer(text):
        if not use[0].startswith("profile"):
            continue
        before, after = _BEFORE.search(text, end, use.start()), _AFTER.match(text, use.end())
        start = before.start() if before else use.start()
        name = use[1] or use[2][1:-1]
        parts += [text[end:start], "(true)" if before or after else _TYPED[declared[name].type]]
        end = after.end() if after else use.end()
    return "".join((*parts, text[end:]))


def clash(error: str) -> str | None:
    """The first operation in the type checker's error that no value of its types allows, as CEL names it."""
    for operation, operands in _MISMATCH.findall(error):
        if operation not in _COMPARED or not _NUMBERS.fullmatch(operands):
            readable = operands.replace("google.protobuf.Timestamp", "timestamp").replace("(dyn)", "")
            return f"{operation.replace('@in', '_in_')}({readable})"
    return None


def _fits(value: object, declared: Attribute) -> bool:
    return type(value) in _CLASSES[declared.type]
