"""Puts an earlier catalog in force again."""

from collections.abc import Mapping, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.console.context import Console
from infra.errors import InfraError
from infra.remote.publication import Publication, Published, put_in_force
from infra.remote.stored_catalog import usable_catalog

BY = "console"


def routes(console: Console) -> Sequence[Route]:
    """The form's target. Its page shows the difference before."""

    async def rollback(request: Request) -> Response:
        fields = await console.forms.fields_of(request)
        done = await run_in_threadpool(_put_in_force, console, fields)
        return console.render.page(request, "catalog_published.html", version=fields["version"], done=done)

    return [Route("/catalog/rollback", rollback, methods=["POST"])]


def _put_in_force(console: Console, fields: Mapping[str, str]) -> Published:
    """Publish the version if the publication that the page showed is still in force.

    Raises `HTTPException` for fields that are none of the form, `InfraError` if it cannot be published, also where
    two persons must agree and neither the version was approved before nor an emergency is told.
    """
    running, current = console.sources.running, console.sources.catalogs.current()
    version, replacing = fields.get("version", ""), fields.get("replacing", "")
    if running is None or current is None or not (replacing.isascii() and replacing.isdecimal()):
        raise HTTPException(400, "expected a version and the number of the publication that it replaces")
    if version == current.publication.version:
        raise InfraError(f"{version} is in force already")
    by = " by ".join(filter(None, (BY, fields.get("by", "").strip()[:100])))
    emergency = " ".join(fields.get("emergency", "").split())[:300] or None
    content = usable_catalog(running.firestore, version)
    publication = Publication(content, current.catalog, (), by, emergency=emergency)
    return put_in_force(running.firestore, running.bus, publication, running.project, replacing=int(replacing))
