"""The rules of `upbeat catalog lint`, for one entry and for all drafts together."""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.decisioning.compile import compile_catalog
from shared.decisioning.document.entries import SETTINGS, Entry, assemble
from shared.decisioning.document.reading import read
from shared.domain.errors import InvalidCatalog

MISSING = "expected a value, found nothing"
"""The end of a problem that a draft may still have; the form asks for the value when it is submitted."""


def problems_of(entry: Entry) -> list[str]:
    """The mistakes in one entry, whatever the others are: its fields, their types and bounds."""
    content = assemble([entry])
    try:
        found = [mistake.problem for mistake in content.mistakes] + read(content.content).problems
    except InvalidCatalog as error:
        found = error.problems
    return [problem for problem in found if not problem.endswith(MISSING)]


def problems_by_place(entries: Iterable[Entry]) -> Mapping[str, list[str]]:
    """The mistakes in entries as one catalog, by the place of the entry; by "" those in none."""
    assembled = assemble([*entries])
    mistakes = [*assembled.mistakes]
    try:
        compile_catalog(assembled.content)
    except InvalidCatalog as error:
        mistakes += assembled.located(error.problems)
    found: dict[str, list[str]] = {}
    for mistake in mistakes:
        found.setdefault(mistake.place, []).append(mistake.problem)
    return found


def field_of(problem: str, entry: Entry) -> str | None:
    """The field of an entry that a problem is about; None if it is about the whole entry."""
    prefix = "" if entry.section == SETTINGS else f"{entry.section}.{entry.id}."
    if not problem.startswith(prefix):
        return None
    path = problem.removeprefix(prefix).partition(": ")[0].removeprefix(f"{SETTINGS}.")
    name = path.partition(".")[0].partition("[")[0]
    return name if name in entry.fields else None


def place_of(kind: str, entry_id: str) -> str:
    """The key of an entry, such as `offer/annual`."""
    return f"{kind}/{entry_id}"


def as_entry(section: str, kind: str, entry_id: str, fields: Mapping[str, Any]) -> Entry:
    """An entry as the rules take it."""
    return Entry(section, entry_id, fields, place_of(kind, entry_id))
