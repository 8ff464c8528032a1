"""Live: events, decisions and triggers as they happen."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.console.context import Console


def routes(console: Console) -> Sequence[Route]:
    """The page."""

    def live(request: Request) -> Response:
        log = console.sources.log
        if log:
            log.refresh()
        messages = log.recent() if log else []
        return console.render.page(request, "live.html", messages=messages[::-1], followed=log is not None)

    return [Route("/", live)]
