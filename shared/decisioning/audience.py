"""Audiences: named CEL clauses, compiled once, of which only a real boolean true passes."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any

from shared.decisioning.clauses import ENVIRONMENT, Clause, InvalidClause, compiled
from shared.decisioning.scope import OF_SUBSCRIPTION, VARIABLES, Facts

_NAME = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*")
_AROUND_DOT = re.compile(r"\s*\.\s*")
_PASSED = -1


@dataclass(frozen=True, slots=True)
class Audience:
    """The users for whom all clauses are true, or any of them is."""

    id: str
    clauses: tuple[Clause, ...]
    combine: Callable[[Iterable[bool]], bool]
    """`all` or `any`."""
    joined: Callable[[], Any]
    """All clauses as one program, since the start of an evaluation is most of its cost: the index of the first
    failing clause, or -1. Where it cannot tell, or there is none, the clauses are asked one by one."""
    asks: frozenset[str] = frozenset(VARIABLES)
    """The variables that the clauses name, and a few more: nothing else about a user need be found out."""
    fields: frozenset[str] = frozenset(OF_SUBSCRIPTION)
    """Of `subscriptions`, the fields that they name."""

    def failure(self, activation: Any) -> str | None:
        """The first failing clause, with CEL's error where there is one; None for a user who belongs."""
        program = self.joined()
        try:
            index = program and program.eval(activation).value()
        except RuntimeError:
            index = None
        if not isinstance(index, int):
            return self._asked_one_by_one(activation)
        return None if index == _PASSED else self.clauses[index].name

    def _asked_one_by_one(self, activation: Any) -> str | None:
        failures = [clause.failure(activation) for clause in self.clauses]
        if self.combine(failure is None for failure in failures):
            return None
        return next(failure for failure in failures if failure is not None)


def activate(facts: Facts) -> Any:
    """The facts in the form in which every clause of a decision can be asked."""
    return ENVIRONMENT.Activation(facts)


def all_of(audience_id: str, clauses: Sequence[Clause]) -> Audience:
    """The users for whom every clause is true."""
    tests = "".join(f"!({clause.text}\n) ? {index} : " for index, clause in enumerate(clauses))
    return Audience(audience_id, tuple(clauses), all, _when_asked(f"{tests}{_PASSED}"), *_named(clauses))


def any_of(audience_id: str, clauses: Sequence[Clause]) -> Audience:
    """The users for whom any clause is true."""
    tests = " || ".join(f"({clause.text}\n)" for clause in clauses)
    return Audience(audience_id, tuple(clauses), any, _when_asked(f"{tests} ? {_PASSED} : 0"), *_named(clauses))


def _when_asked(text: str) -> Callable[[], Any]:
    """The program of clauses, compiled when first asked for: in one instance few audiences of a catalog ever are.

    None where they are too deep to be one program, though each of them is not.
    """

    @cache
    def program() -> Any:
        try:
            return compiled(text)
        except InvalidClause:
            return None

    return program


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
