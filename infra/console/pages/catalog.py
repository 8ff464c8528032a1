"""Catalog: the one in force, those that were published, and the difference between any two."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.catalog.consequences import consequences
from infra.catalog.diff import diff
from infra.catalog.diff_page import SIGNS, effects_in_words, value_in_words
from infra.catalog.told import told
from infra.catalog.warnings import warnings
from infra.console.context import Console
from infra.errors import InfraError, UsageError
from infra.remote.publication import Publication, recalls_after
from infra.remote.stored_catalog import CurrentCatalog
from shared.decisioning.catalog import Catalog


def routes(console: Console) -> Sequence[Route]:
    """The page, and the page of a difference."""

    def catalog(request: Request) -> Response:
        catalogs = console.sources.catalogs
        current = catalogs.current()
        version = request.query_params.get("version") or None
        content, problem = _content(console, version, current)
        return console.render.page(
            request,
            "catalog.html",
            current=current,
            version=version,
            told=told(content) if content else None,
            warnings=[*warnings(content.document, console.sources.now())] if content else [],
            problem=problem,
            history=catalogs.history(),
            published=request.query_params.get("published"),
        )

    def difference(request: Request) -> Response:
        current = console.sources.catalogs.current()
        names = [request.query_params.get(name, "") for name in ("before", "after")]
        try:
            before, after = (console.sources.catalogs.catalog(name) for name in names)
        except UsageError as error:
            raise HTTPException(404, str(error)) from error
        return console.render.page(
            request, "catalog_diff.html", **difference_of(before, after), **_rollback(console, current, after)
        )

    return [Route("/catalog", catalog), Route("/catalog/diff", difference)]


def difference_of(before: Catalog, after: Catalog) -> dict[str, Any]:
    """The values of `_difference.html`."""
    entries = diff(before, after)
    return {
        "before": before.version,
        "after": after.version,
        "sections": [(section, [*found]) for section, found in groupby(entries, lambda entry: entry.section)],
        "signs": SIGNS,
        "value_of": value_in_words,
        "effects": [*effects_in_words(consequences(entries, before, after))],
    }


def _content(console: Console, version: str | None, current: CurrentCatalog | None) -> tuple[Catalog | None, str]:
    """The catalog to show; or None and the reason, if there is one."""
    if version is None:
        if current and current.catalog is None:
            return None, f"This version of Upbeat cannot read the catalog in force, {current.publication.version}."
        return (current.catalog if current else None), ""
    try:
        return console.sources.catalogs.catalog(version), ""
    except InfraError as error:
        return None, str(error)


def _rollback(console: Console, current: CurrentCatalog | None, after: Catalog) -> dict[str, Any]:
    """The effects of putting a catalog in force again; nothing where it is in force, or nothing runs."""
    running = console.sources.running
    if running is None or current is None or after.version == current.publication.version:
        return {"replacing": None, "recalls": []}
    publication = Publication(after, current.catalog, (), "")
    return {"replacing": current.publication, "recalls": recalls_after(publication, running.project)}
