"""The difference between two catalogs: entry by entry, field by field."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from infra.terminal.values import is_set
from shared.decisioning.catalog import Catalog

Json = Mapping[str, Any]
"""A catalog or a part of one, as a JSON object."""
NAMES = {"id", "name"}
"""Fields that identify an item of a list."""


class DiffKind(StrEnum):
    """The kind of difference."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class FieldDiff:
    """One differing field. A value of None means that the field is not set."""

    path: str
    """The path within the entry; empty if the entry is a single value."""
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class EntryDiff:
    """One differing entry, with the differing fields; with all of its fields if it is added or removed."""

    section: str
    id: str | None
    """None if the section is a single, catalog-wide setting."""
    kind: DiffKind
    fields: tuple[FieldDiff, ...]

    @property
    def path(self) -> str:
        """The entry's place in the catalog."""
        return f"{self.section}.{self.id}" if self.id else self.section


def diff(before: Catalog, after: Catalog) -> tuple[EntryDiff, ...]:
    """The differing entries, by section and id. Written-out defaults and the order of keys make no difference."""
    old, new = (catalog.document.model_dump(mode="json") for catalog in (before, after))
    written_before, written_after = (
        catalog.document.model_dump(mode="json", exclude_defaults=True) for catalog in (before, after)
    )
    entries: list[EntryDiff] = []
    for section, id_ in _places(old, new):
        was, is_ = _at(old, section, id_), _at(new, section, id_)
        if was is None or is_ is None:  # an added or removed entry is listed without its defaults
            was, is_ = _at(written_before, section, id_), _at(written_after, section, id_)
        entries += _entry(section, id_, was, is_)
    return tuple(entries)


def _places(old: Json, new: Json) -> Iterator[tuple[str, str | None]]:
    """Every entry of either catalog, section by section, and every catalog-wide setting."""
    for section, content in new.items():
        if isinstance(content, dict):
            yield from ((section, id_) for id_ in sorted({*old[section], *content}))
        else:
            yield section, None


def _at(document: Json, section: str, id_: str | None) -> Any:
    content = document.get(section)
    return content if id_ is None else (content or {}).get(id_)


def _entry(section: str, id_: str | None, old: Any, new: Any) -> Iterator[EntryDiff]:
    kind = DiffKind.CHANGED
    if id_ is not None:
        kind = DiffKind.ADDED if old is None else DiffKind.REMOVED if new is None else kind
    whole = kind is not DiffKind.CHANGED and isinstance(old or new, dict)
    fields = tuple(_in_mapping("", old or {}, new or {}) if whole else _fields("", old, new))
    if fields or kind is not DiffKind.CHANGED:
        yield EntryDiff(section, id_, kind, fields)


def _fields(path: str, old: Any, new: Any) -> Iterator[FieldDiff]:
    """The differences between two values."""
    if (old_items := _by_name(old)) and (new_items := _by_name(new)):
        yield from _in_mapping(path, old_items, new_items)
        yield from _order(path, list(old_items), list(new_items))
    elif isinstance(old, dict) and isinstance(new, dict):
        yield from _in_mapping(path, old, new)
    elif _is_listed(old) and _is_listed(new) and len(old) == len(new):
        for index, (was, is_) in enumerate(zip(old, new, strict=True)):
            yield from _fields(f"{path}[{index}]", was, is_)
    elif old != new and (is_set(old) or is_set(new)):
        yield FieldDiff(path, old, new)


def _in_mapping(path: str, old: Json, new: Json) -> Iterator[FieldDiff]:
    for name in {**old, **new}:
        yield from _fields(f"{path}.{name}".removeprefix("."), old.get(name), new.get(name))


def _by_name(value: Any) -> Json | None:
    """A list as a mapping: clauses (each a name and its text) by name, items by id. None for other values."""
    if not _is_listed(value):
        return None
    named = [item if len(item) == 1 else {item[key]: item for key in NAMES & item.keys()} for item in value]
    joined = {str(name): item for each in named for name, item in each.items()}
    return joined if len(joined) == len(value) else None


def _is_listed(value: Any) -> bool:
    """True for a list of mappings that is not empty."""
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _order(path: str, old: list[str], new: list[str]) -> Iterator[FieldDiff]:
    """A difference in the order of common items: the first failing clause is the one that a decision names."""
    then, now = [name for name in old if name in new], [name for name in new if name in old]
    if then != now:
        yield FieldDiff(f"{path} (order)", then, now)
