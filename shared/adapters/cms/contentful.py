"""Contentful as a source of entries: all that is published, read from the Content Delivery API page by page.

An entry's content type is the singular of a section (`campaign`, `offer`), or `settings`; others are left alone.
Its fields have the names of the catalog; `id` is the entry's id, and `title`, which is for editors, is left out.
https://www.contentful.com/developers/docs/references/content-delivery-api/
"""

import asyncio
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

from shared.adapters.cms.rest import Rest
from shared.decisioning.document.entries import MAX_ENTRIES, SECTION_OF, Entry, Mistake
from shared.domain.errors import Transient

log = logging.getLogger(__name__)

PAGE_SIZE = 200
MAX_TOTAL = 5 * MAX_ENTRIES
"""The most entries of a space that are read, those of other content types included."""
MAX_REPORTED = 100
Json = Mapping[str, Any]


class Space(NamedTuple):
    """The part of Contentful that holds the catalog."""

    id: str
    environment: str
    locale: str
    """The locale whose values count."""


@dataclass(frozen=True)
class ContentfulEntries:
    """`Entries` in a space of Contentful."""

    space: Space
    api: Rest
    """The Content Delivery API."""
    name: str = "contentful"

    async def list(self) -> tuple[Sequence[Entry], Sequence[Mistake]]:
        """See `Entries.list`."""
        items = await asyncio.to_thread(self._items)
        published = {item["sys"]["id"]: item for item in items}
        mapping = _Mapping(self.space, published)
        entries = [mapping.entry(item, section) for item in items if (section := _section(item))]
        return entries, mapping.mistakes

    async def report(self, mistakes: Sequence[Mistake], version: str | None) -> None:  # noqa: ARG002 - the port's
        """See `Entries.report`: in the log. The answer to the webhook, which Contentful shows, has them, too."""
        for mistake in mistakes[:MAX_REPORTED]:
            log.warning("%s: %s", mistake.place or "the catalog", mistake.problem)

    def _items(self) -> Sequence[Json]:
        """Every published entry. Raises `Transient` if a page is missing, or if one changed meanwhile."""
        items: dict[str, Json] = {}
        total, skip = None, 0
        while total is None or skip < total:
            page = self._page(skip)
            if total not in {None, page["total"]} or page["skip"] != skip:
                raise Transient("Contentful: the entries have changed while they were read")
            total, skip = page["total"], skip + PAGE_SIZE
            if total > MAX_TOTAL:
                raise Transient(f"Contentful: expected at most {MAX_TOTAL} entries in the space, found {total}")
            items |= {item["sys"]["id"]: item for item in page["items"]}
        if len(items) != total:
            raise Transient(f"Contentful: expected {total} entries, found {len(items)}")
        return [*items.values()]

    def _page(self, skip: int) -> Json:
        query = {"limit": PAGE_SIZE, "skip": skip, "order": "sys.id", "include": 0, "locale": "*"}
        place = f"/spaces/{quote(self.space.id, '')}/environments/{quote(self.space.environment, '')}/entries"
        page = self.api.get(place, query)
        try:
            _check_page(page)
        except (LookupError, TypeError) as error:
            raise self.api.failure(place, error) from error
        return page  # type: ignore[no-any-return]


def _check_page(page: Any) -> None:
    """Raise `TypeError` or `LookupError` for what is no page of entries."""
    if not all(type(page[name]) is int for name in ("total", "skip")):
        raise TypeError("total and skip: expected whole numbers")
    for item in page["items"]:
        ids = item["sys"]["id"], item["sys"]["contentType"]["sys"]["id"]
        if not all(isinstance(one, str) for one in ids) or not isinstance(item.get("fields", {}), dict):
            raise TypeError("items: expected entries")


def _section(item: Json) -> str | None:
    return SECTION_OF.get(item["sys"]["contentType"]["sys"]["id"])


class _Mapping:
    """The mapping of Contentful's entries to those of a catalog; their mistakes gather in `mistakes`."""

    def __init__(self, space: Space, published: Mapping[str, Json]) -> None:
        self.space = space
        self.published = published
        self.mistakes: list[Mistake] = []

    def entry(self, item: Json, section: str) -> Entry:
        """The entry of a catalog. One with a mistake lacks the field, so that others may still name it."""
        id_, place, fields = self._id(item), self._place(item), {}
        for name, by_locale in item.get("fields", {}).items():
            if name in {"id", "title"}:
                continue
            path = f"{section}.{id_}.{name}"
            value, problems = self._value(by_locale)
            self.mistakes += [Mistake(place, f"{path}: {problem}") for problem in problems]
            if not problems:
                fields[name] = value
        return Entry(section, id_, fields, place)

    def _value(self, by_locale: Any) -> tuple[Any, list[str]]:
        """The value of a field in the space's locale with its links resolved, or what is wrong with it."""
        if not isinstance(by_locale, dict) or self.space.locale not in by_locale:
            found = ", ".join(sorted(by_locale)) if isinstance(by_locale, dict) and by_locale else "none"
            return None, [f"expected a value in the locale {self.space.locale}, found {found}"]
        problems: list[str] = []
        return self._resolved(by_locale[self.space.locale], problems), problems

    def _resolved(self, value: Any, problems: list[str]) -> Any:
        if isinstance(value, list):
            return [self._resolved(one, problems) for one in value]
        if not isinstance(value, dict):
            return value
        link = value.get("sys")
        if not isinstance(link, dict) or link.get("type") != "Link":
            return {name: self._resolved(one, problems) for name, one in value.items()}
        target = self.published.get(str(link.get("id"))) if link.get("linkType") == "Entry" else None
        if target is None:
            kind = str(link.get("linkType")).lower()
            problems.append(f"expected a link to a published entry, found one to {kind} {link.get('id')}")
            return None
        return self._id(target)

    def _id(self, item: Json) -> str:
        """The id of an entry in the catalog: the field `id`, else Contentful's own."""
        given = item.get("fields", {}).get("id")
        found = given.get(self.space.locale) if isinstance(given, dict) else None
        return found if isinstance(found, str) and found else str(item["sys"]["id"])

    def _place(self, item: Json) -> str:
        """The address at which editors find an entry."""
        space, entry = self.space, item["sys"]["id"]
        return f"https://app.contentful.com/spaces/{space.id}/environments/{space.environment}/entries/{entry}"


def author_of(body: bytes) -> str | None:
    """The editor whom a webhook's body names; None if it names none. Only of a body that is signed."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return next(_authors(told), None)


def _authors(told: Any) -> Iterator[str]:
    system = told.get("sys") if isinstance(told, dict) else None
    for name in ("publishedBy", "updatedBy", "deletedBy"):
        by = system.get(name) if isinstance(system, dict) else None
        link = by.get("sys") if isinstance(by, dict) else None
        id_ = link.get("id") if isinstance(link, dict) else None
        if isinstance(id_, str) and 0 < len(id_) <= 128:
            yield f"contentful:{id_}"
