"""What one catalog changes against another: entry by entry, field by field."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from infra.terminal.values import is_set
from shared.decisioning.catalog import Catalog

Json = Mapping[str, Any]
"""A catalog, or a part of it, as JSON."""
NAMES = {"id", "name"}
"""Fields by which the things in a list are told apart."""


class Kind(StrEnum):
    """What became of an entry."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Field:
    """One field that is not the same; None where it is not set."""

    path: str
    """Within its entry; empty where the entry is a single value."""
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry that is not the same; of an added or removed one, all that it says."""

    section: str
    id: str | None
    """None: the section is a single setting of the whole catalog."""
    kind: Kind
    fields: tuple[Field, ...]

    @property
    def path(self) -> str:
        """Where it stands in the catalog."""
        return f"{self.section}.{self.id}" if self.id else self.section


def diff(before: Catalog, after: Catalog) -> tuple[Entry, ...]:
    """What `after` changes, by section and id. Defaults written out are no difference, nor is an order of keys."""
    old, new = (catalog.document.model_dump(mode="json") for catalog in (before, after))
    said_before, said_after = (
        catalog.document.model_dump(mode="json", exclude_defaults=True) for catalog in (before, after)
    )
    entries: list[Entry] = []
    for section, id_ in _places(old, new):
        was, is_ = _at(old, section, id_), _at(new, section, id_)
        if was is None or is_ is None:  # of what came or went, what it says is enough
            was, is_ = _at(said_before, section, id_), _at(said_after, section, id_)
        entries += _entry(section, id_, was, is_)
    return tuple(entries)


def _places(old: Json, new: Json) -> Iterator[tuple[str, str | None]]:
    """Every entry of either catalog, section by section, and every setting."""
    for section, content in new.items():
        if isinstance(content, dict):
            yield from ((section, id_) for id_ in sorted({*old[section], *content}))
        else:
            yield section, None


def _at(document: Json, section: str, id_: str | None) -> Any:
    content = document.get(section)
    return content if id_ is None else (content or {}).get(id_)


def _entry(section: str, id_: str | None, old: Any, new: Any) -> Iterator[Entry]:
    kind = Kind.CHANGED
    if id_ is not None:
        kind = Kind.ADDED if old is None else Kind.REMOVED if new is None else kind
    whole = kind is not Kind.CHANGED and isinstance(old or new, dict)
    fields = _in_mapping("", old or {}, new or {}) if whole else _fields("", old, new)
    told = tuple(fields)
    if told or kind is not Kind.CHANGED:
        yield Entry(section, id_, kind, told)


def _fields(path: str, old: Any, new: Any) -> Iterator[Field]:
    """Where two values differ."""
    if (one := _by_name(old)) and (other := _by_name(new)):
        yield from _in_mapping(path, one, other)
        yield from _order(path, list(one), list(other))
    elif isinstance(old, dict) and isinstance(new, dict):
        yield from _in_mapping(path, old, new)
    elif _is_listed(old) and _is_listed(new) and len(old) == len(new):
        for index, (was, is_) in enumerate(zip(old, new, strict=True)):
            yield from _fields(f"{path}[{index}]", was, is_)
    elif old != new and (is_set(old) or is_set(new)):
        yield Field(path, old, new)


def _in_mapping(path: str, old: Json, new: Json) -> Iterator[Field]:
    for name in {**old, **new}:
        yield from _fields(f"{path}.{name}".removeprefix("."), old.get(name), new.get(name))


def _by_name(value: Any) -> Json | None:
    """A list of things with names, by name: clauses (a name and its text each), and what has an id."""
    if not _is_listed(value):
        return None
    named = [it if len(it) == 1 else {it[key]: it for key in NAMES & it.keys()} for it in value]
    joined = {str(name): it for each in named for name, it in each.items()}
    return joined if len(joined) == len(value) else None


def _is_listed(value: Any) -> bool:
    """Whether it is a list of mappings, with something in it."""
    return isinstance(value, list) and bool(value) and all(isinstance(it, dict) for it in value)


def _order(path: str, old: list[str], new: list[str]) -> Iterator[Field]:
    """The order of what both have; of clauses, it decides which failing one is named."""
    then, now = [name for name in old if name in new], [name for name in new if name in old]
    if then != now:
        yield Field(f"{path} (order)", then, now)
