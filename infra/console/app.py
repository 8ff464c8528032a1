"""The console as an ASGI application: routes to the pages, and errors as pages for people."""

import threading

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from infra.console.context import Console, Page
from infra.console.feed import Feed
from infra.console.pages import (
    campaigns,
    catalog,
    catalog_what_if,
    dead_letters,
    live,
    passing_time,
    published,
    rollback,
    trying,
    user,
    users,
)
from infra.console.rendering import FOLDER, Renderer
from infra.console.security import FormGuard, Guard
from infra.console.sources import Sources
from infra.errors import InfraError, UsageError

PAGES: tuple[Page, ...] = (
    live.routes,
    users.routes,
    user.routes,
    campaigns.routes,
    catalog.routes,
    catalog_what_if.routes,
    rollback.routes,
    dead_letters.routes,
    trying.routes,
    published.routes,
    passing_time.routes,
)


def application(sources: Sources, *, may_write: bool, ending: threading.Event | None = None) -> ASGIApp:
    """The console of these sources. Without `may_write`, it only reads. `ending` ends what is being sent."""
    forms = FormGuard(may_write=may_write and sources.running is not None)
    render = Renderer({"source": sources.name, "may_write": forms.may_write, "token": forms.token})
    feed = Feed(sources.log) if sources.log else None
    console = Console(sources, feed, forms, render, ending or threading.Event())

    def problem(request: Request, error: Exception) -> Response:
        status, text = _in_words(error)
        return render.page(request, "problem.html", answers=status, status=status, text=text)

    pages = Starlette(
        routes=[
            *(route for page in PAGES for route in page(console)),
            Mount("/static", StaticFiles(directory=FOLDER / "static"), name="static"),
        ],
        exception_handlers=dict.fromkeys((HTTPException, InfraError, OSError, Exception), problem),
    )
    return Guard(pages)  # around everything, so that an answer to an error of ours is guarded as well


def _in_words(error: Exception) -> tuple[int, str]:
    """The status and the sentence of an error page. What nobody foresaw is told in the terminal alone."""
    match error:
        case HTTPException(status_code=404, detail="Not Found"):
            return 404, "There is no such page."
        case HTTPException():
            return error.status_code, error.detail
        case InfraError():
            return 400 if isinstance(error, UsageError) else 502, str(error)
        case OSError():
            return 502, f"{error.filename or 'a file'} cannot be read: {error.strerror or 'it is not there'}"
        case _:
            return 500, f"The console has made a mistake ({type(error).__name__}); its terminal says more."
