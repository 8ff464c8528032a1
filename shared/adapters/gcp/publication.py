"""The documents of one publication of a catalog. Whoever publishes writes all of them together, or none."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from shared.adapters.gcp.paths import CATALOGS, CURRENT_CATALOG, PUBLICATIONS, CatalogPointer, publication_id
from shared.decisioning.catalog import Catalog, next_number


class Before(NamedTuple):
    """The state in force before a publication."""

    pointer: CatalogPointer
    moved_at: datetime | None
    """The instant (UTC) at which the pointer was written; None if there is none that may be replaced."""
    recorded: int
    """The greatest number among the records of publications; -1 if there is none."""


class Condition(StrEnum):
    """The state in which a document must be when it is written."""

    ANY = "any"
    NEW = "new"
    UNMOVED = "unmoved"
    """As it was read."""


class Written(NamedTuple):
    """One document to write."""

    collection: str
    id: str
    fields: dict[str, Any]
    condition: Condition


def numbered(told: CatalogPointer, before: Before, now: datetime) -> CatalogPointer:
    """The pointer to a publication at `now` (UTC), with the number that follows."""
    return told._replace(number=next_number(max(before.pointer.number, before.recorded), now))


def documents(catalog: Catalog, after: CatalogPointer, before: Before, now: datetime) -> Iterator[Written]:
    """The pointer, the content, and the record of a publication at `now` (UTC)."""
    moved = Condition.NEW if before.moved_at is None else Condition.UNMOVED
    yield Written(CATALOGS, CURRENT_CATALOG, after._asdict(), moved)
    yield Written(CATALOGS, catalog.version, {"catalog": json.loads(catalog.to_json())}, Condition.ANY)
    yield _record(after, now)
    is_unrecorded = before.pointer.number > before.recorded and isinstance(before.pointer.version, str)
    if before.moved_at is not None and is_unrecorded:  # an older version published it, which kept no record
        yield _record(before.pointer, before.moved_at)


def proposal(catalog: Catalog, authors: Iterable[str], now: datetime) -> dict[str, Any]:
    """The document of a catalog that awaits an approval since `now` (UTC)."""
    return {
        "catalog": json.loads(catalog.to_json()),
        "authors": [*dict.fromkeys(authors)],
        "proposed_at": now,
        "approved_by": None,
    }


def _record(publication: CatalogPointer, at: datetime) -> Written:
    fields = {**publication._asdict(), "published_at": at}
    return Written(PUBLICATIONS, publication_id(publication.number), fields, Condition.NEW)
