"""Audiences: named CEL clauses, compiled once, of which only a real boolean true passes."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

from shared.decisioning.audiences.clauses import ENVIRONMENT, Clause, InvalidClause, compiled
from shared.decisioning.audiences.facts import OF_SUBSCRIPTION, VARIABLES, Facts

_NAME = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*")
_AROUND_DOT = re.compile(r"\s*\.\s*")
_PASSED = -1


@dataclass(frozen=True, slots=True, eq=False)
class Audience:
    """The users for whom all clauses are true, or any of them is. Of one catalog there is each once."""

    id: str
    clauses: tuple[Clause, ...]
    combine: Callable[[Iterable[bool]], bool]
    """`all` or `any`."""
    test: str
    """All clauses as one: the index of the first failing clause, or -1. Where it cannot tell, it is an error."""
    asks: frozenset[str] = frozenset(VARIABLES)
    """The variables that the clauses name, and a few more: nothing else about a user need be found out."""
    fields: frozenset[str] = frozenset(OF_SUBSCRIPTION)
    """Of `subscriptions`, the fields that they name."""


def failures(audiences: tuple[Audience, ...], activation: Any) -> list[str | None]:
    """Of each audience its first failing clause, with CEL's error where there is one; None for who belongs.

    All are asked at once, since the start of an evaluation is most of its cost. Where that comes to an error, or
    they are too much to be one program, they are asked clause by clause.
    """
    indexes = _indexes(audiences, activation)
    if indexes is None:
        return [_asked_one_by_one(audience, activation) for audience in audiences]
    named = zip(audiences, indexes, strict=True)
    return [None if index == _PASSED else audience.clauses[index].name for audience, index in named]


def _indexes(audiences: tuple[Audience, ...], activation: Any) -> list[int] | None:
    program = _joined(audiences)
    try:
        answer = program and program.eval(activation).value()
    except RuntimeError:  # CEL raises when it runs out of iterations
        return None
    return [each.value() for each in answer] if isinstance(answer, list) else None


@lru_cache(maxsize=64)
def _joined(audiences: tuple[Audience, ...]) -> Any:
    """One program for what is asked together; None where it would be too long, or too deep.

    It is compiled when first asked for: in one instance few audiences of a catalog ever are. It takes 20 KB for
    each of them, so that only as many are kept as there may be sets of moments.
    """
    try:
        return compiled(f"[{', '.join(audience.test for audience in audiences)}]")
    except InvalidClause:
        return None


def _asked_one_by_one(audience: Audience, activation: Any) -> str | None:
    found = [clause.failure(activation) for clause in audience.clauses]
    if audience.combine(failure is None for failure in found):
        return None
    return next(failure for failure in found if failure is not None)


def activate(facts: Facts) -> Any:
    """The facts in the form in which every clause of a decision can be asked."""
    return ENVIRONMENT.Activation(facts)


def all_of(audience_id: str, clauses: Sequence[Clause]) -> Audience:
    """The users for whom every clause is true."""
    tests = "".join(f"!({clause.text}\n) ? {index} : " for index, clause in enumerate(clauses))
    return Audience(audience_id, tuple(clauses), all, f"{tests}{_PASSED}", *_named(clauses))


def any_of(audience_id: str, clauses: Sequence[Clause]) -> Audience:
    """The users for whom any clause is true."""
    tests = " || ".join(f"({clause.text}\n)" for clause in clauses)
    return Audience(audience_id, tuple(clauses), any, f"{tests} ? {_PASSED} : 0", *_named(clauses))


def _named(clauses: Sequence[Clause]) -> tuple[frozenset[str], frozenset[str]]:
    """The variables that clauses name, and the fields of `subscriptions`; all of them where a name may be hidden.

    A comment may hide a variable, and an index a field, whose name may be the result of anything.
    """
    text = _AROUND_DOT.sub(".", " ".join(clause.text for clause in clauses))
    names = {name for dotted in _NAME.findall(text) for name in _beginnings(dotted)}
    asks = VARIABLES.keys() if "//" in text else VARIABLES.keys() & names
    if "subscriptions" not in asks:
        return frozenset(asks), frozenset()
    words = {word for name in names for word in name.split(".")}
    return frozenset(asks), frozenset(OF_SUBSCRIPTION if "[" in text else OF_SUBSCRIPTION.keys() & words)


def _beginnings(dotted: str) -> Iterator[str]:
    """Of `a.b.c`: `a`, `a.b` and itself."""
    return accumulate(dotted.split("."), "{}.{}".format)
