"""Attributes and features as facts: a value of the type that the catalog declares, or null."""

import re
from collections.abc import Iterable, Mapping

from shared.contracts.strict_json import kind_of
from shared.decisioning.audiences.facts import ATTRIBUTE, ATTRIBUTES, FACTS, FEATURE, FEATURES, Facts
from shared.decisioning.document.clause_text import DECLARED_USE
from shared.decisioning.document.schema import Attribute, CatalogDocument, Feature

Declaration = Attribute | Feature
Declared = Mapping[str, Declaration]
"""The attributes and features that a catalog declares, by their names as facts."""
NOTHING_DECLARED: Declared = {}
_PREFIXES = (ATTRIBUTE, FEATURE)
_CLASSES = {"string": (str,), "number": (int, float), "bool": (bool,), "list": (list,)}
_SPECIMENS: Mapping[str, object] = {"string": "text", "number": 0.5, "bool": True, "list": ["text", 0.5]}
_TYPED = {"string": '("")', "number": "(0.5)", "bool": "(true)", "list": "([dyn(0)])"}
"""An expression of each type. CEL compares `dyn(0)` with anything."""
_BEFORE, _AFTER = re.compile(r"\bnull\s*[!=]=\s*$"), re.compile(r"\s*[!=]=\s*null\b")
_MISMATCH = re.compile(r"no matching overload for '(\S+)' applied to '\((.*)\)'")
_COMPARED = {"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in"}
_NUMBERS = re.compile(r"(?:double|int|uint), (?:double|int|uint|list\((?:double|int|uint)\))")
"""Numbers of two types. CEL compares them by value, although its type checker refuses to."""


def declared_facts(document: CatalogDocument) -> Declared:
    """The attributes and features that a catalog declares."""
    attributes = {f"{ATTRIBUTE}{name}": terms for name, terms in document.attributes.items()}
    return attributes | {f"{FEATURE}{name}": terms for name, terms in document.features.items()}


def fact_names(attributes: Mapping[str, Attribute]) -> frozenset[str]:
    """The names of the facts that a score can use under a catalog that declares these attributes."""
    return frozenset((*FACTS, *(f"{ATTRIBUTE}{name}" for name in attributes)))


def as_fact(value: object, declared: Declaration) -> object:
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


def mismatch(fact: str, value: object, declared: Declaration) -> str | None:
    """The problem of a value of another type than the declared one; None if there is none."""
    if value is None or _fits(value, declared):
        return None
    return f"{fact}: expected a {declared.type}, found {kind_of(value)}"


def in_maps(facts: Facts) -> Facts:
    """The facts as CEL takes them: attributes and features in one map each."""
    asked = [name for name in facts if name.startswith(_PREFIXES)]
    if not asked:
        return facts
    maps: dict[str, Facts] = {ATTRIBUTES: {}, FEATURES: {}}
    for fact in asked:
        section, value = FEATURES if fact.startswith(FEATURE) else ATTRIBUTES, facts[fact]
        maps[section][fact[len(section) + 1 :]] = [*value] if isinstance(value, tuple) else value
    return {name: facts[name] for name in facts.keys() - asked} | maps


def specimens(names: Iterable[str], declared: Declared) -> Facts:
    """These attributes and features of a user of whom everything is known."""
    return {name: _SPECIMENS[declared[name].type] for name in names}


def typed(text: str, declared: Declared) -> str:
    """A clause in which each attribute and feature is an expression of its type, for CEL's type checker.

    Comparisons with null are left out: any of them may be null.
    """
    parts, end = [], 0
    for use in DECLARED_USE.finditer(text):
        if not use[1]:
            continue
        before, after = _BEFORE.search(text, end, use.start()), _AFTER.match(text, use.end())
        start = before.start() if before else use.start()
        prefix, name = FEATURE if use[1] == FEATURES else ATTRIBUTE, use[2] or use[3][1:-1]
        parts += [text[end:start], "(true)" if before or after else _TYPED[declared[f"{prefix}{name}"].type]]
        end = after.end() if after else use.end()
    return "".join((*parts, text[end:]))


def clash(error: str) -> str | None:
    """The first operation in the type checker's error that no value of its types allows, as CEL names it."""
    for operation, operands in _MISMATCH.findall(error):
        if operation not in _COMPARED or not _NUMBERS.fullmatch(operands):
            readable = operands.replace("google.protobuf.Timestamp", "timestamp").replace("(dyn)", "")
            return f"{operation.replace('@in', '_in_')}({readable})"
    return None


def _fits(value: object, declared: Declaration) -> bool:
    return type(value) in _CLASSES[declared.type]
