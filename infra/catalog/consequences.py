"""What follows for campaigns where a catalog's entries change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from infra.catalog.diff import Entry
from infra.catalog.references import Json, Place, behind, references, winning_order
from shared.decisioning.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Affected:
    """A campaign of both catalogs to which something happens by what it rests on, itself changed or not."""

    campaign_id: str | None
    """None: every campaign."""
    by: tuple[str, ...]
    """Paths of the entries that are not the same."""


@dataclass(frozen=True, slots=True)
class Reordered:
    """A placement, and who competes for it: those that win first first."""

    placement: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Consequences:
    """All that follows as far as two catalogs tell; what comes of it for users, a what-if study tells."""

    affected: tuple[Affected, ...]
    reordered: tuple[Reordered, ...]


def consequences(entries: Sequence[Entry], before: Catalog, after: Catalog) -> Consequences:
    """What follows from the entries that are not the same in two catalogs."""
    old: Json = before.document.model_dump(mode="json")
    new: Json = after.document.model_dump(mode="json")
    return Consequences(tuple(_affected(entries, (old, new))), tuple(_reordered(old, new)))


def _affected(entries: Sequence[Entry], documents: tuple[Json, Json]) -> Iterator[Affected]:
    """Who rests on what is not the same, or is named by it. A setting of the whole catalog concerns everybody."""
    if everyone := tuple(entry.path for entry in entries if _concerns_all(entry, documents)):
        yield Affected(None, everyone)
    places = {(entry.section, entry.id or ""): entry for entry in entries}
    named = {entry.path: _campaigns_named(entry, documents) for entry in entries}
    for id_ in sorted(documents[0]["campaigns"].keys() & documents[1]["campaigns"].keys()):
        itself = ("campaigns", id_)
        below = set[Place]().union(*(behind(document, itself) for document in documents))
        by = {places[place].path for place in below & places.keys()}
        if by := by | {path for path, campaigns in named.items() if id_ in campaigns}:
            yield Affected(id_, tuple(sorted(by)))


def _reordered(old: Json, new: Json) -> Iterator[Reordered]:
    """The placements of both catalogs that others compete for, or in another order."""
    before, after = winning_order(old), winning_order(new)
    for placement in sorted(before.keys() & after.keys()):
        if before[placement] != after[placement]:
            yield Reordered(placement, tuple(before[placement]), tuple(after[placement]))


def _concerns_all(entry: Entry, documents: Sequence[Json]) -> bool:
    """A setting does, and so does a holdout that names no campaign."""
    return entry.id is None or (entry.section == "holdouts" and not _campaigns_named(entry, documents))


def _campaigns_named(entry: Entry, documents: Sequence[Json]) -> set[str]:
    """The campaigns that an entry which is none itself names in either catalog, or whose moments it brings."""
    if entry.id is None or entry.section == "campaigns":
        return set()
    named = set[str]()
    for document in documents:
        content = document[entry.section].get(entry.id)
        named |= {id_ for section, id_ in references(document, content) if section == "campaigns"}
        named |= {id_ for id_, terms in document["campaigns"].items() if _raised(content) in terms["moments"]}
    return named


def _raised(content: Any) -> str | None:
    """The moment that a score brings, of an entry that is one."""
    raises = content.get("raises") if isinstance(content, dict) else None
    return raises["moment"] if raises else None
