"""Membership: whether a user is in audiences that may be composed of others, and what fails those who are not.

`none_of` asks for more than "not true": the user must be known to be in none of its audiences. So these are asked
in a logic of three values, in which everything that depends on a null fact is unknown. CEL has that logic for
values that are missing: `false && missing` is false, and `true && missing` is an error.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple, cast

from shared.decisioning.audiences.audience import Audience, activate, own_failures, used_names
from shared.decisioning.audiences.clauses import Clause
from shared.decisioning.audiences.facts import Facts
from shared.decisioning.document.clause_text import LITERAL

Truth = bool | str
"""True, false, or the clause that is neither, with the reason."""
_NAME = rf"[A-Za-z_]\w*(?:\s*\.\s*\w+)*(?:\s*\[\s*{LITERAL.pattern}\s*\])?"
_NO_WORD = re.compile(r"[^\w.-]")
_NULL_TEST = re.compile(rf"({_NAME})\s*[!=]=\s*null\b|\bnull\s*[!=]=\s*({_NAME})")


def failures(audiences: tuple[Audience, ...], facts: Facts) -> list[str | None]:
    """The failure of the user for each audience; None if the user is in it.

    A failure is a clause, with CEL's error if there is one; of another audience with its name (`payers.paid`).
    Each clause is evaluated once, however many audiences contain it; once more if `none_of` asks for it too.
    """
    parts = _parts_of(audiences)
    if parts is None:
        return own_failures(audiences, activate(facts))
    own = dict(zip(parts, own_failures(parts, activate(facts)), strict=True))
    return _Membership(own, facts).of(audiences)


@lru_cache(maxsize=64)
def _parts_of(audiences: tuple[Audience, ...]) -> tuple[Audience, ...] | None:
    """The audiences with own clauses that decide on membership; None if no audience is composed."""
    if not any(one.members for one in audiences):
        return None
    found: dict[Audience, None] = {}
    waiting = [*audiences]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found[one] = None
            waiting += one.all_of + one.any_of
    return tuple(one for one in found if one.clauses)


class _Membership:
    """The membership of one user, each audience asked once."""

    def __init__(self, own: dict[Audience, str | None], facts: Facts) -> None:
        self._own = own
        self._facts = facts
        self._failures: dict[Audience, str | None] = {}
        self._truths: dict[Audience, Truth] = {}

    def of(self, audiences: Iterable[Audience]) -> list[str | None]:
        """The failures of the user, one for each audience; None where the user is in it."""
        return [self._failure(one) for one in audiences]

    def _failure(self, audience: Audience) -> str | None:
        if audience not in self._failures:
            self._failures[audience] = self._own.get(audience) or next(self._reasons(audience), None)
        return self._failures[audience]

    def _reasons(self, audience: Audience) -> Iterator[str]:
        """The failures of the user in the other audiences, in their order."""
        yield from self._failures_in(audience.all_of)
        any_of = [*self._failures_in(audience.any_of)]
        if audience.any_of and len(any_of) == len(audience.any_of):
            yield any_of[0]
        for member in audience.none_of:
            truth = self._truth(member)
            if truth is not False:
                yield f"none_of.{member.id}" if truth is True else f"none_of.{member.id}.{truth}"

    def _failures_in(self, members: Iterable[Audience]) -> Iterator[str]:
        return (f"{one.id}.{failure}" for one in members if (failure := self._failure(one)))

    def _truth(self, audience: Audience) -> Truth:
        if audience not in self._truths:
            self._truths[audience] = _all(self._parts(audience))
        return self._truths[audience]

    def _parts(self, audience: Audience) -> Iterator[Truth]:
        """The truth of everything that must be true of a user of the audience."""
        if audience.clauses:
            own = (_truth_of(clause, self._facts) for clause in audience.clauses)
            yield _all(own) if audience.combine is all else _any(own)
        yield _all(map(self._truth_within, audience.all_of))
        if audience.any_of:
            yield _any(map(self._truth_within, audience.any_of))
        yield _all(_negated(self._truth_within(member)) for member in audience.none_of)

    def _truth_within(self, member: Audience) -> Truth:
        truth = self._truth(member)
        return f"{member.id}.{truth}" if isinstance(truth, str) else truth


def _all(truths: Iterable[Truth]) -> Truth:
    """False if any is; else unknown if any is; else true."""
    return _decided_by(truths, decisive=False)


def _any(truths: Iterable[Truth]) -> Truth:
    """True if any is; else unknown if any is; else false."""
    return _decided_by(truths, decisive=True)


def _decided_by(truths: Iterable[Truth], *, decisive: bool) -> Truth:
    """The decisive value if any has it; else the first unknown one; else the other value."""
    found: Truth = not decisive
    for truth in truths:
        if truth is decisive:
            return decisive
        found = truth if isinstance(found, bool) else found
    return found


def _negated(truth: Truth) -> Truth:
    return truth if isinstance(truth, str) else not truth


def _truth_of(clause: Clause, facts: Facts) -> Truth:
    """The truth of a clause, in which a null fact is unknown unless the clause itself compares it with null."""
    uses = _uses_in(clause.text)
    unknown = sorted(name for name in uses.facts - uses.tested if facts.get(name) is None)
    known = {name: facts[name] for name in uses.facts - {*unknown} if name in facts}
    if "subscriptions" in known:
        known["subscriptions"] = [
            _known_fields(each, uses.tested) for each in cast(list[Facts], known["subscriptions"])
        ]
    truth = clause.truth(activate(known))
    told = [name for name in unknown if name.rpartition(".")[2] in clause.text]
    return f"{clause.name}: {' and '.join(told)} unknown" if isinstance(truth, str) and told else truth


def _known_fields(subscription: Facts, tested: frozenset[str]) -> Facts:
    return {name: fact for name, fact in subscription.items() if fact is not None or name in tested}


class _Uses(NamedTuple):
    """The facts that a clause uses."""

    facts: frozenset[str]
    tested: frozenset[str]
    """The facts, and the fields of `subscriptions`, that it compares with null: it says itself what null means."""


@lru_cache(maxsize=2048)
def _uses_in(text: str) -> _Uses:
    tested = {first or second for first, second in _NULL_TEST.findall(text)}
    names = {_NO_WORD.sub("", name.replace("[", ".")) for name in tested}
    fields = {name.rpartition(".")[2] for name in names}
    facts, *_ = used_names([text])
    return _Uses(facts, frozenset(names | fields))
