"""A decision as the pages show it: each candidate with what became of it and why."""

from typing import NamedTuple

from infra.inspect import withheld
from infra.inspect.candidate_lines import lines
from infra.terminal import wording
from shared.decisioning.catalog import Catalog
from shared.queries.explanation import Decision


class Candidate(NamedTuple):
    """A campaign that was considered."""

    campaign_id: str
    moment: str
    placement: str
    offer: str
    outcome: str
    tone: str
    lines: tuple[str, ...]
    """The gate that stopped it, and everything else that is on record, in words."""


def candidates(decision: Decision, catalog: Catalog | None) -> list[Candidate]:
    """The candidates of a decision in the order in which it has them.

    `catalog` is the one of the decision's version; without it, clauses are told by their names.
    """
    return [_candidate(decision, one, catalog) for one in decision["candidates"]]


def _candidate(decision: Decision, one: Decision, catalog: Catalog | None) -> Candidate:
    is_withheld = withheld.is_withheld(one)
    outcome = withheld.in_words(withheld.reason_of(one)) if is_withheld else one["outcome"]
    tone = "warn" if is_withheld else "good" if outcome == "issued" else "quiet"
    moment, offer = wording.of_moment(one), one["offer_id"] or withheld.NOTHING
    told = tuple(lines(decision, one, catalog))
    return Candidate(one["campaign_id"], moment, one["placement"], offer, outcome, tone, told)
