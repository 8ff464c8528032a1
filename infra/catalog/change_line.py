"""The difference between two stored catalogs in one line."""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.terminal.values import line

Json = Mapping[str, Any]
MAX_NAMED = 4
"""The most entries that the line names of each kind of difference."""
MAX_NAME = 60
"""The most characters of an entry's name or of a value in the line."""


def change_line(before: Json, after: Json) -> str:
    """The changes from one catalog's JSON to the next, by the names of the entries.

    Compares the JSON as it is stored, so that catalogs which this version refuses are told too.
    """
    differences = {
        "added": [*_missing(after, before)],
        "removed": [*_missing(before, after)],
        "changed": [*_changed(before, after)],
    }
    parts = [_listed(verb, names) for verb, names in differences.items() if names]
    return "; ".join(parts) or "the same catalog again"


def _missing(whole: Json, other: Json) -> Iterator[str]:
    """The entries of one catalog that the other does not have."""
    for section, content in sorted(whole.items()):
        yield from (
            f"{section}.{id_}" for id_ in sorted(_entries(content)) if id_ not in _entries(other.get(section))
        )


def _changed(before: Json, after: Json) -> Iterator[str]:
    """The entries that both have and that differ, and every setting that differs, with its new value."""
    for section in sorted({*before, *after}):
        old, new = before.get(section), after.get(section)
        if isinstance(old, dict) or isinstance(new, dict):
            were, are = _entries(old), _entries(new)
            yield from (f"{section}.{id_}" for id_ in sorted(were.keys() & are.keys()) if were[id_] != are[id_])
        elif old != new:
            yield f"{section} to {'its default' if new is None else _short(line(new))}"


def _entries(section: object) -> Mapping[str, Any]:
    return section if isinstance(section, dict) else {}


def _listed(verb: str, names: list[str]) -> str:
    """A verb with the first names, and the number of the others."""
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return f"{verb} {', '.join(map(_short, names[:MAX_NAMED]))}{more}"


def _short(text: str) -> str:
    return text if len(text) <= MAX_NAME else f"{text[:MAX_NAME]}..."
