"""The clause that kept a user out of a campaign's audience, with the values that the decision had.

The decision names the clause and tells the values; the text of the clause is that of the catalog of its version.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from shared.decisioning.audiences.audience import Audience, used_names
from shared.decisioning.catalog import Catalog
from shared.decisioning.document.clause_text import offers_in, scores_in
from shared.queries.explanation import Decision

MAPS = frozenset({"scores", "offers", "subscriptions", "features", "profile.attributes"})
"""Facts that a context tells part by part, or not at all."""


class FailedClause(NamedTuple):
    """A clause that was not true of the user."""

    name: str
    """Its name as the decision tells it; of another audience with that one's name (`payers.paid`)."""
    text: str
    """The clause in CEL; of an audience in which the user must not be, everything that was true."""
    values: Mapping[str, Any]
    """The facts that it asks for, as they were; None for one that was unknown."""
    not_told: tuple[str, ...] = ()
    """The facts that it asks for and of which the decision does not tell."""


def failed_clause(catalog: Catalog, decision: Decision, candidate: Mapping[str, Any]) -> FailedClause | None:
    """The clause that stopped a candidate that lost at its audience; None if the catalog does not have it.

    `catalog` must be of the decision's version.
    """
    campaign = catalog.campaigns.get(candidate["campaign_id"])
    found = _found(campaign.audience, candidate["detail"] or "") if campaign and campaign.audience else None
    if found is None:
        return None
    name, text = found
    context = decision.get("context") or {}
    asked = sorted({*_facts_of(text)})
    values = {fact: context[fact] for fact in asked if fact in context}
    return FailedClause(name, text, values, tuple(fact for fact in asked if fact not in context))


def _found(audience: Audience, failure: str, path: str = "") -> tuple[str, str] | None:
    """The name and the text of the clause that a failure names, in an audience or in one that it consists of."""
    for clause in sorted(audience.clauses, key=lambda one: -len(one.name)):
        if _begins(failure, clause.name):
            if audience.combine is any:
                return path + clause.name, " || ".join(f"({one.text})" for one in audience.clauses)
            return path + clause.name, clause.text
    for member in audience.all_of + audience.any_of:
        if failure.startswith(f"{member.id}."):
            return _found(member, failure.removeprefix(f"{member.id}."), f"{path}{member.id}.")
    for member in audience.none_of:
        inner = f"none_of.{member.id}"
        if _begins(failure, inner):
            return path + inner, f"!({_whole(member)})"
        if failure.startswith(f"{inner}."):
            return _found(member, failure.removeprefix(f"{inner}."), f"{path}{inner}.")
    return None


def _begins(failure: str, name: str) -> bool:
    """True if a failure is this clause: alone, or followed by the error or the reason."""
    return failure == name or failure.startswith((f"{name}: ", f"{name} ("))


def _whole(audience: Audience) -> str:
    """An audience as one expression."""
    own = (" && " if audience.combine is all else " || ").join(f"({clause.text})" for clause in audience.clauses)
    any_of = " || ".join(map(_whole, audience.any_of))
    none_of = (f"!({_whole(member)})" for member in audience.none_of)
    parts = (own, *map(_whole, audience.all_of), any_of, *none_of)
    return " && ".join(f"({part})" for part in parts if part)


def _facts_of(text: str) -> Iterator[str]:
    """The names under which a context tells what a clause asks for; the instant is told by the decision itself."""
    facts, fields, _ = used_names([text])
    yield from facts - MAPS - {"now"}
    yield from (f"scores.{name}" for name in scores_in(text))
    yield from (f"offers.{campaign}.{field}" for campaign, field in offers_in(text))
    if fields:
        yield "subscriptions"
