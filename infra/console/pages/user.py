"""User: one life as bands of status on a time axis, what is known now, and everything that happened."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.console import links, what_if
from infra.console.context import Console
from infra.console.decision_view import candidates
from infra.console.facts_now import facts_now
from infra.console.life_chart import SPANS, axis_of, chart
from infra.console.life_lines import NAMES, Lines
from infra.console.life_pages import page_of
from infra.console.lives import Known, known_of
from infra.errors import InfraError
from infra.inspect.user_page import where_from
from shared.contracts.inbound.fields import ID_IN_WORDS, is_id, utc
from shared.contracts.outbound.base import rfc3339
from shared.decisioning.catalog import Catalog
from shared.queries.life import LifeKind
from shared.queries.status_spans import status_spans


def routes(console: Console) -> Sequence[Route]:
    """The page of any user; `?id=` names those whose id no path can hold."""

    def user(request: Request) -> Response:
        user_id = request.path_params.get("user") or request.query_params.get("id", "")
        if not is_id(user_id):
            raise HTTPException(404, f"No user has such an id: expected {ID_IN_WORDS}.")
        known = known_of(console.sources, user_id, console.sources.now())
        erased_at = known.record.erased_at if known.record and known.record.is_tombstone else None
        if erased_at or not known.is_anything:
            values = {"user_id": user_id, "erased_at": erased_at}
            return console.render.page(request, "no_user.html", answers=404, **values)
        return console.render.page(request, "user.html", **_values(console, known, {**request.query_params}))

    return [Route("/users/", user), Route("/users/{user:path}", user)]


def _values(console: Console, known: Known, query: Mapping[str, str]) -> dict[str, Any]:
    now, terms, record = console.sources.now(), console.sources.terms, known.record
    catalog = console.sources.catalog() if record else None
    entries, kind = known.life.entries, _kind(query.get("kind"))
    lines = Lines(known.life)
    counts = Counter(entry.kind for entry in entries)
    catalog_of = cache(lambda version: _catalog_of(console, version))
    return {
        "user_id": known.life.user_id,
        "life": known.life,
        "problem": known.problem,
        "now": now,
        "unreadable": console.sources.log.unreadable if console.sources.log else 0,
        "where_from": [] if known.problem else [*where_from(known.life, known.from_log)],
        "facts": facts_now(record, known.life, now, terms, catalog) if record else None,
        **_pictured(console, known, lines, query),
        "lengths": SPANS,
        "length": _length(query),
        "kinds": {one: (name, counts[one]) for one, name in NAMES.items() if counts[one]},
        "kind": kind,
        "page": page_of(
            [entry for entry in entries if kind in {None, entry.kind}], _number(query.get("end")), lines.of
        ),
        "what_if": what_if.asked(known, console.sources, catalog, now, query),
        "link": lambda **changes: links.changed(query, **changes),
        "candidates_of": lambda body: candidates(body, catalog_of(str(body["catalog_version"]))),
    }


def _catalog_of(console: Console, version: str) -> Catalog | None:
    """The catalog of a version; None if it is not at hand."""
    try:
        return console.sources.catalogs.catalog(version)
    except InfraError:
        return None


def _pictured(console: Console, known: Known, lines: Lines, query: Mapping[str, str]) -> dict[str, Any]:
    """The picture of the part of the life that is asked for, and the ends of the parts beside it."""
    now = console.sources.now()
    events = [entry.event for entry in known.life.entries if entry.event]
    history = known.record.history if known.record and known.life.has_document else None
    spans = status_spans(known.life.user_id, events, history, now, console.sources.terms)
    length, ends = SPANS[_length(query)], _instant("until", query.get("until")) or now
    axis = axis_of(known.life, spans, length, ends)
    has_older = length is not None and any(entry.at < axis.begins for entry in known.life.entries)
    has_newer = length is not None and ends < now
    return {
        "chart": chart(known.life, spans, axis, lines),
        "earlier": rfc3339(axis.begins) if has_older else None,
        "later": rfc3339(min(now, ends + length)) if length and has_newer else None,
    }


def _length(query: Mapping[str, str]) -> str:
    asked = query.get("length", "all")
    return asked if asked in SPANS else "all"


def _kind(asked: str | None) -> LifeKind | None:
    return next((kind for kind in NAMES if kind.value == asked), None)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else None


def _instant(name: str, text: str | None) -> datetime | None:
    """An instant in a parameter. Raises `HTTPException` (400) for something else."""
    try:
        return utc(text) if text else None
    except ValueError:
        expected = "an RFC 3339 time with offset, such as 2026-03-01T00:00:00Z"
        raise HTTPException(400, f"{name}: expected {expected}, found {text!r}") from None
