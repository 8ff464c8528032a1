"""The two-person rule for a catalog that is kept in entries: which of them changed, and who approved each."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.decisioning.document.entries import SECTIONS, SETTINGS_FIELDS, Entry

Content = Mapping[str, Any]
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes of a new catalog."""

    entries: tuple[Entry, ...]
    """The entries that were added or changed."""
    removes: bool
    """True if something is gone: no entry is left that could say who approved that."""

    @property
    def authors(self) -> tuple[str, ...]:
        """Those who wrote the entries, as far as these tell."""
        return tuple(dict.fromkeys(entry.author for entry in self.entries if entry.author))

    @property
    def approvers(self) -> tuple[str, ...]:
        """Those who approved; empty unless every change is approved by another than its author."""
        if self.removes or not all(map(_is_approved, self.entries)):
            return ()
        return tuple(dict.fromkeys(str(entry.approved_by) for entry in self.entries))


def changes(before: Content, after: Content, entries: Sequence[Entry]) -> Changes:
    """The changes between two catalogs as they are stored, of which `entries` make the second one.

    A part that only an older version of Upbeat wrote in another way counts as changed.
    """
    old, new = _parts(before), _parts(after)
    changed = {key for key in old.keys() | new.keys() if key not in old or key not in new or old[key] != new[key]}
    touched = tuple(entry for entry in entries if not changed.isdisjoint(_keys(entry)))
    return Changes(touched, removes=not changed <= {key for entry in touched for key in _keys(entry)})


def is_same_person(one: str, other: str) -> bool:
    """True for one name, however it is written."""
    return _plain(one) == _plain(other)


def _is_approved(entry: Entry) -> bool:
    author, approver = entry.author or "", entry.approved_by or ""
    return bool(_plain(author) and _plain(approver)) and not is_same_person(author, approver)


def _parts(content: Content) -> dict[Key, Any]:
    """The parts of a catalog that one entry holds each, by section and id; a setting by its name."""
    sections = {name: content[name] for name in SECTIONS if isinstance(content.get(name), Mapping)}
    parts: dict[Key, Any] = {(name, id_): part for name, ids in sections.items() for id_, part in ids.items()}
    return parts | {(name, ""): content[name] for name in SETTINGS_FIELDS if name in content}


def _keys(entry: Entry) -> list[Key]:
    """The parts that an entry may change. A setting that is left out is one that its entry has changed."""
    if entry.section in SECTIONS:
        return [(entry.section, entry.id)]
    return [(name, "") for name in SETTINGS_FIELDS]


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).split()).casefold()
