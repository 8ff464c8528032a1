"""Dangling references: names of entries that a catalog does not have."""

from collections.abc import Iterator, Sequence
from itertools import chain

from shared.decisioning.document.problems import entry_of, problem
from shared.decisioning.document.reading import Reading
from shared.decisioning.document.references import (
    Place,
    Reference,
    clause_references,
    entries_of,
    entry_references,
    follow_up_references,
)
from shared.decisioning.document.vocabulary import FALLBACK_PREFIX

_IN_CLAUSES = {
    "scores": "scores.",
    "attributes": "profile.attributes.",
    "features": "features.",
    "campaigns": "offers.",
    "placements": f"offers.{FALLBACK_PREFIX}",
}
"""The form in which a clause writes the id of an entry, by section."""


def dangling(reading: Reading) -> dict[Place, list[Reference]]:
    """The references to each missing entry. A malformed entry is there, and its own references count."""
    missing: dict[Place, dict[Reference, None]] = {}
    kinds = (entry_references, follow_up_references, clause_references)
    for reference in chain(*(kind(reading.written) for kind in kinds)):
        section, id_ = reference.target
        known = section in reading.mistakes or id_ in entries_of(reading.written, section)
        if not known and not reading.is_told(reference.path):
            missing.setdefault(reference.target, {})[reference] = None
    return {target: [*references] for target, references in missing.items()}


def dangling_problems(reading: Reading) -> Iterator[str]:
    """One problem for every missing entry, however many fields name it."""
    for (section, id_), references in dangling(reading).items():
        first, *others = references
        found = f"{_IN_CLAUSES[section]}{id_}" if _is_in_clause(first) else id_
        expected = entry_of(section, entries_of(reading.written, section), id_)
        yield problem(first.path, expected, found) + _also_in(others)


def _is_in_clause(reference: Reference) -> bool:
    """True if a clause names the entry."""
    return reference.owner.section == "audiences" and reference.target.section in _IN_CLAUSES


def _also_in(others: Sequence[Reference]) -> str:
    """The other fields that name the missing entry."""
    if len(others) > 1:
        return f" (also in {others[0].path} and {len(others) - 1} more)"
    return f" (also in {others[0].path})" if others else ""
