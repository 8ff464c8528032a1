"""Campaigns: how far each one came, from the candidates of decisions to the users' answers."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.console.context import Console
from infra.console.counting import FunnelObserver
from infra.console.funnel_view import view_of
from infra.inspect.funnel_page import NOTHING, OF_VARIANTS, in_cell, never_considered
from infra.inspect.funnel_table import OVERVIEW


def routes(console: Console) -> Sequence[Route]:
    """The page."""

    def campaigns(request: Request) -> Response:
        log = console.sources.log
        if log:
            log.refresh()
        counted = log.observer if log else None
        funnels = counted.campaigns() if isinstance(counted, FunnelObserver) else []
        return console.render.page(
            request,
            "campaigns.html",
            is_logged=log is not None,
            folder=log.folder.parent if log else None,
            campaigns=[view_of(funnel) for funnel in funnels],
            malformed=counted.malformed if isinstance(counted, FunnelObserver) else 0,
            stages=OVERVIEW,
            idle=never_considered(funnels),
            nothing=NOTHING,
            of_variants=OF_VARIANTS,
            in_cell=in_cell,
        )

    return [Route("/campaigns", campaigns)]
