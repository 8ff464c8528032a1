"""The Wagtail site of infra/cms as a source of entries: all that is published, read cursor by cursor.

An entry's type is the singular of a section (`campaign`, `offer`), or `settings`. docs/cms.md tells what the
site and this adapter say to each other.
"""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from shared.adapters.cms.rest import Rest
from shared.decisioning.document.entries import MAX_ENTRIES, SECTION_OF, Entry, Mistake
from shared.decisioning.document.problems import guess
from shared.domain.errors import Transient

ENTRIES, REPORTS = "/api/upbeat/entries", "/api/upbeat/reports"
PAGE_SIZE = 100
MAX_REPORTED = 500
MAX_NAME = 254
"""The most characters of a person's name that are read."""
Json = Mapping[str, Any]
_parts_of = re.compile(r"(?P<path>[^\s:]+): expected (?P<expected>.*), found (?P<found>.*)", re.DOTALL).fullmatch


class WagtailEntries:
    """`Entries` in a Wagtail site."""

    name = "wagtail"

    def __init__(self, api: Rest) -> None:
        self.api = api
        self._known: dict[str, tuple[str, str]] = {}
        """The type and the id of each entry that was read, by its place, for reports."""

    async def list(self) -> tuple[Sequence[Entry], Sequence[Mistake]]:
        """See `Entries.list`."""
        items = await asyncio.to_thread(self._items)
        self._known = {item["url"]: (item["type"], item["id"]) for item in items}
        known = [item for item in items if item["type"] in SECTION_OF]
        return [*map(_entry, known)], [_unknown(item) for item in items if item["type"] not in SECTION_OF]

    async def report(self, mistakes: Sequence[Mistake], version: str | None) -> None:
        """See `Entries.report`. The site replaces what it was told before."""
        told = [self._told(mistake) for mistake in mistakes[:MAX_REPORTED]]
        await asyncio.to_thread(self.api.put, REPORTS, {"version": version, "mistakes": told})

    def _items(self) -> Sequence[Json]:
        """Every published entry. Raises `Transient` if a page is missing. A cursor ends with the next edit."""
        items: list[Json] = []
        seen: set[str] = set()
        cursor = ""
        while cursor not in seen:
            seen.add(cursor)
            page = self._page(cursor)
            items += page["entries"]
            if len(items) > MAX_ENTRIES:
                raise Transient(f"Wagtail: expected at most {MAX_ENTRIES} entries, found more")
            if page["next"] is None:
                return items
            cursor = page["next"]
        raise Transient("Wagtail: expected another page, found a cursor that was read before")

    def _page(self, cursor: str) -> Json:
        page = self.api.get(ENTRIES, {"after": cursor, "limit": PAGE_SIZE} if cursor else {"limit": PAGE_SIZE})
        try:
            _check_page(page)
        except (LookupError, TypeError, AttributeError) as error:
            raise self.api.failure(ENTRIES, error) from error
        return page  # type: ignore[no-any-return]

    def _told(self, mistake: Mistake) -> dict[str, str | None]:
        """A mistake as the site takes it."""
        type_, id_ = self._known.get(mistake.place, (None, None))
        parts = _parts_of(mistake.problem)
        sentence = parts.groupdict() if parts else dict.fromkeys(("path", "expected", "found"), "")
        return {"type": type_, "id": id_, **sentence, "message": mistake.problem}


def _check_page(page: Any) -> None:
    """Raise `TypeError`, `LookupError` or `AttributeError` for what is no page of entries."""
    cursor = page["next"]
    if not isinstance(page["entries"], list) or not _is_text(cursor, or_none=True):
        raise TypeError("expected entries, and the next cursor or null")
    for item in page["entries"]:
        has_texts = all(_is_text(item[name]) for name in ("type", "id", "url"))
        has_people = all(_is_text(item.get(name), or_none=True) for name in ("author", "approved_by"))
        if not has_texts or not has_people or not isinstance(item["fields"], dict):
            raise TypeError("entries: expected a type, an id, fields, and an address")


def _is_text(value: Any, *, or_none: bool = False) -> bool:
    return isinstance(value, str) or (or_none and value is None)


def _entry(item: Json) -> Entry:
    return Entry(
        *(SECTION_OF[item["type"]], item["id"], item["fields"], item["url"]),
        author=_person(item.get("author")),
        approved_by=_person(item.get("approved_by")),
    )


def _person(name: str | None) -> str | None:
    """A name that can be stored."""
    return name[:MAX_NAME].encode(errors="replace").decode() if name else None


def _unknown(item: Json) -> Mistake:
    expected = f"one of {', '.join(SECTION_OF)}{guess(item['type'], SECTION_OF)}"
    return Mistake(item["url"], f"type: expected {expected}, found {item['type'][:100]}")


def author_of(body: bytes) -> str | None:
    """The editor whom a webhook's body names in `by`; None if it names none. Only of a body that is signed."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    by = told.get("by") if isinstance(told, dict) else None
    return _person(by) if isinstance(by, str) else None
