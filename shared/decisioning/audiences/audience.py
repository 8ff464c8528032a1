"""Audiences: named CEL clauses, compiled once, and other audiences. Only a boolean true passes a clause."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate, chain
from typing import Any

from shared.decisioning.audiences.attributes import in_maps
from shared.decisioning.audiences.clauses import ENVIRONMENT, Clause, InvalidClause, compiled
from shared.decisioning.audiences.facts import (
    ATTRIBUTE,
    ATTRIBUTES,
    FEATURE,
    FEATURES,
    OF_SUBSCRIPTION,
    VARIABLES,
    Facts,
)
from shared.decisioning.document.clause_text import attributes_in, features_in, offers_in

_NAME = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*")
_AROUND_DOT = re.compile(r"\s*\.\s*")
_PASSED = -1
"""The result of an audience's test for a user who satisfies its own clauses."""


@dataclass(frozen=True, slots=True, eq=False)
class Audience:
    """The users for whom all clauses, or any of them, are true, and who are in other audiences or in none of them.

    A catalog has one object per audience.
    """

    id: str
    clauses: tuple[Clause, ...] = ()
    """The audience's own clauses."""
    combine: Callable[[Iterable[bool]], bool] = all
    """The built-in `all` or `any`."""
    test: str = str(_PASSED)
    """All clauses as one CEL expression. Its value is the index of the first failing clause, -1, or an error."""
    variables: frozenset[str] = frozenset(VARIABLES)
    """The facts that the clauses use, and perhaps a few more. No other fact about a user is needed.

    Like `fields`, it covers the other audiences too.
    """
    fields: frozenset[str] = frozenset(OF_SUBSCRIPTION)
    """The fields of `subscriptions` that the clauses use."""
    offers: tuple[str, ...] = ()
    """The campaigns of which the clauses ask what the user was offered."""
    all_of: tuple["Audience", ...] = ()
    any_of: tuple["Audience", ...] = ()
    none_of: tuple["Audience", ...] = ()

    @property
    def members(self) -> tuple["Audience", ...]:
        """The other audiences."""
        return self.all_of + self.any_of + self.none_of


def own_failures(audiences: tuple[Audience, ...], activation: Any) -> list[str | None]:
    """The first failing clause of each audience's own, with CEL's error if there is one; None if none fails it.

    All audiences are evaluated as one program, because starting an evaluation is most of its cost. If that gives
    an error, or the program would be too large, each clause is evaluated by itself.
    """
    results = _evaluate_together(audiences, activation)
    if results is None:
        return [_failure(audience, activation) for audience in audiences]
    return [
        None if index == _PASSED else audience.clauses[index].name
        for audience, index in zip(audiences, results, strict=True)
    ]


def _evaluate_together(audiences: tuple[Audience, ...], activation: Any) -> list[int] | None:
    """The result of every audience's test; None if they cannot be evaluated as one program."""
    program = _joined_program(audiences)
    try:
        values = program and program.eval(activation).value()
    except RuntimeError:  # CEL raises when it exceeds its limit of iterations
        return None
    return [value.value() for value in values] if isinstance(values, list) else None


@lru_cache(maxsize=64)
def _joined_program(audiences: tuple[Audience, ...]) -> Any:
    """One program for several audiences; None if it would be too long or nested too deeply.

    It is compiled on first use, because one instance ever evaluates few of a catalog's audiences. A program takes
    20 KB for each audience, so the cache is limited to about the number of sets of moments that occur together.
    """
    try:
        return compiled(f"[{', '.join(audience.test for audience in audiences)}]")
    except InvalidClause:
        return None


def _failure(audience: Audience, activation: Any) -> str | None:
    results = [clause.failure(activation) for clause in audience.clauses]
    if audience.combine(failure is None for failure in results):
        return None
    return next(failure for failure in results if failure is not None)


def activate(facts: Facts) -> Any:
    """The CEL activation of the facts. All clauses of a decision can share it."""
    return ENVIRONMENT.Activation(in_maps(facts))


def all_of(audience_id: str, clauses: Sequence[Clause]) -> Audience:
    """The users for whom every clause is true."""
    # The line break ends a comment in the clause, which would otherwise swallow the closing parenthesis.
    tests = "".join(f"!({clause.text}\n) ? {index} : " for index, clause in enumerate(clauses))
    return Audience(
        audience_id, tuple(clauses), all, f"{tests}{_PASSED}", *used_names([clause.text for clause in clauses])
    )


def any_of(audience_id: str, clauses: Sequence[Clause]) -> Audience:
    """The users for whom any clause is true."""
    tests = " || ".join(f"({clause.text}\n)" for clause in clauses)
    return Audience(
        audience_id,
        tuple(clauses),
        any,
        f"{tests} ? {_PASSED} : 0",
        *used_names([clause.text for clause in clauses]),
    )


def composed(
    own: Audience,
    all_of: Iterable[Audience] = (),
    any_of: Iterable[Audience] = (),
    none_of: Iterable[Audience] = (),
) -> Audience:
    """The users of an audience who are also in all of some audiences, in any of others, in none of the last."""
    whole = replace(own, all_of=tuple(all_of), any_of=tuple(any_of), none_of=tuple(none_of))
    parts = (own, *whole.members)
    return replace(
        whole,
        variables=frozenset(chain.from_iterable(one.variables for one in parts)),
        fields=frozenset(chain.from_iterable(one.fields for one in parts)),
        offers=tuple(sorted({*chain.from_iterable(one.offers for one in parts)})),
    )


def used_names(texts: Sequence[str]) -> tuple[frozenset[str], frozenset[str], tuple[str, ...]]:
    """The facts that clauses use, the fields of `subscriptions`, and the campaigns in `offers`.

    Of facts and fields all if a name may be hidden.

    A comment within a dotted name hides a variable. An index hides a field, because any expression may compute it.
    """
    text = _AROUND_DOT.sub(".", " ".join(texts))
    names = {name for dotted in _NAME.findall(text) for name in _prefixes(dotted)}
    variables = VARIABLES.keys() if "//" in text else VARIABLES.keys() & names
    attributes = {f"{ATTRIBUTE}{name}" for each in texts for name in attributes_in(each) if name}
    features = {f"{FEATURE}{name}" for each in texts for name in features_in(each) if name}
    facts = frozenset(variables | attributes | features) - {ATTRIBUTES, FEATURES}
    offers = tuple(sorted({campaign for each in texts for campaign, _ in offers_in(each)}))
    if "subscriptions" not in variables:
        return facts, frozenset(), offers
    words = {word for name in names for word in name.split(".")}
    return facts, frozenset(OF_SUBSCRIPTION if "[" in text else OF_SUBSCRIPTION.keys() & words), offers


def _prefixes(dotted: str) -> Iterator[str]:
    """The dotted prefixes of a name: `a`, `a.b` and `a.b.c` for `a.b.c`."""
    return accumulate(dotted.split("."), "{}.{}".format)
