"""Audiences: named CEL clauses, compiled once, of which only a real boolean true passes."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cel_expr_python import cel

from shared.decisioning.problems import guess
from shared.decisioning.scope import VARIABLES, Facts

_ENVIRONMENT = cel.NewEnv(variables=VARIABLES)
_LOOP = re.compile(r"\b(?:all|exists|exists_one|filter|map)\b")
_LOOP_OVER_SUBSCRIPTIONS = re.compile(r"\bsubscriptions\s*\.\s*\w+\s*\(\s*([A-Za-z_]\w*)\s*,")
_LITERAL = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'""")
_HAS_FACT = re.compile(r"\bhas\s*\(\s*(?:subscription|profile|signals)\b")
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")
_MISTAKE = re.compile(r"<input>:\d+:(-?\d+): (.*)")
_AROUND_DOT = re.compile(r"\s*\.\s*")
_PASSED = -1


class InvalidClause(ValueError):
    """A clause that can never be evaluated; the message says what was expected instead."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One named question about a user."""

    name: str
    text: str
    program: Any

    def failure(self, activation: Any) -> str | None:
        """Why the clause is not true: its name, and CEL's error where there is one. None where it is true."""
        try:
            answer = self.program.eval(activation)
        except RuntimeError as error:  # CEL raises when it runs out of iterations
            return f"{self.name}: {error}"
        value, kind = answer.value(), answer.type()
        if kind == cel.Type.BOOL:
            return None if value is True else self.name
        return f"{self.name}: {value if kind == cel.Type.ERROR else f'expected BOOL, found {kind}'}"


@dataclass(frozen=True, slots=True)
class Audience:
    """The users for whom all clauses are true, or any of them is."""

    id: str
    clauses: tuple[Clause, ...]
    combine: Callable[[Iterable[bool]], bool]
    """`all` or `any`."""
    joined: Any
    """All clauses as one program, since the start of an evaluation is most of its cost: the index of the first
    failing clause, or -1. Where an error keeps it from telling, the clauses are asked one by one."""

    @property
    def asks(self) -> frozenset[str]:
        """The variables that the clauses name, and a few more; all of them if a comment may hide one."""
        text = _AROUND_DOT.sub(".", " ".join(clause.text for clause in self.clauses))
        return frozenset(name for name in VARIABLES if "//" in text or re.search(rf"\b{name}\b", text))

    def failure(self, activation: Any) -> str | None:
        """The first failing clause, with CEL's error where there is one; None for a user who belongs."""
        try:
            index = self.joined.eval(activation).value()
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
    return _ENVIRONMENT.Activation(facts)


def compile_clause(name: str, text: str) -> Clause:
    """Check and compile one clause. Raises `InvalidClause`."""
    if len(_LOOP.findall(text)) > 1:  # with CEL's own limits (depth 32), this bounds what a clause can cost
        raise InvalidClause("one loop at most (all, exists, exists_one, filter, map)")
    if _HAS_FACT.search(text):
        raise InvalidClause("`!= null` instead of has(), since these fields are always there")
    _check_fields_of_loops(text)
    program = _compiled(text)
    kind = program.return_type()
    if kind not in (cel.Type.BOOL, cel.Type.DYN):
        raise InvalidClause(f"a clause that is true or false, not {kind}")
    return Clause(name, text, program)


def all_of(audience_id: str, clauses: Sequence[Clause]) -> Audience:
    """The users for whom every clause is true. Raises `InvalidClause` if they do not compile together."""
    tests = "".join(f"!({clause.text}\n) ? {index} : " for index, clause in enumerate(clauses))
    return Audience(audience_id, tuple(clauses), all, _compiled(f"{tests}{_PASSED}"))


def any_of(audience_id: str, clauses: Sequence[Clause]) -> Audience:
    """The users for whom any clause is true. Raises `InvalidClause` if they do not compile together."""
    tests = " || ".join(f"({clause.text}\n)" for clause in clauses)
    return Audience(audience_id, tuple(clauses), any, _compiled(f"{tests} ? {_PASSED} : 0"))


def _compiled(text: str) -> Any:
    try:
        return _ENVIRONMENT.compile(text)
    except RuntimeError as error:
        raise InvalidClause(_explained(str(error))) from None


def _explained(error: str) -> str:
    if unknown := _UNDECLARED.search(error):
        return _known_field(unknown[1])
    mistake = _MISTAKE.search(error)
    return f"valid CEL ({f'column {mistake[1]}: {mistake[2]}' if mistake else error})"


def _known_field(name: str) -> str:
    return f"a known field instead of {name}{guess(name, VARIABLES, cutoff=0.9)}"


def _check_fields_of_loops(text: str) -> None:
    """CEL cannot know the fields of a loop's variable, so they are looked up by name."""
    code = _LITERAL.sub("''", text)
    for variable in _LOOP_OVER_SUBSCRIPTIONS.findall(code):
        for field in re.findall(rf"(?<![\w.]){variable}\s*\.\s*(\w+)", code):
            if f"subscription.{field}" not in VARIABLES:
                raise InvalidClause(_known_field(f"subscription.{field}"))
