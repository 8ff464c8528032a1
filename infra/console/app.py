"""The console as an ASGI application: routes to the pages, and errors as pages for people."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from infra.console.context import Console, Page
from infra.console.pages import live
from infra.console.rendering import FOLDER, Renderer
from infra.console.security import FormGuard, Guard
from infra.console.sources import Sources
from infra.errors import InfraError

PAGES: tuple[Page, ...] = (live.routes,)


def application(sources: Sources, *, may_write: bool) -> Starlette:
    """The console of these sources. Without `may_write`, it only reads."""
    forms = FormGuard(may_write=may_write and sources.running is not None)
    render = Renderer({"source": sources.name, "may_write": forms.may_write, "token": forms.token})
    console = Console(sources, forms, render)

    def problem(request: Request, error: Exception) -> Response:
        status, text = _in_words(error)
        return render.page(request, "problem.html", answers=status, status=status, text=text)

    return Starlette(
        routes=[
            *(route for page in PAGES for route in page(console)),
            Mount("/static", StaticFiles(directory=FOLDER / "static"), name="static"),
        ],
        middleware=[Middleware(Guard)],
        exception_handlers={HTTPException: problem, InfraError: problem},
    )


def _in_words(error: Exception) -> tuple[int, str]:
    """The status and the sentence of an error page."""
    if not isinstance(error, HTTPException):
        return 502, str(error)
    return error.status_code, "There is no such page." if error.status_code == 404 else error.detail
