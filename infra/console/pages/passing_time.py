"""Moves the clock of the emulators and lets stories happen, in work that a page follows."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from infra.console.context import Console
from infra.console.errand import Errands, Tell
from infra.errors import UsageError
from infra.remote.happening import Stage, let_happen
from infra.remote.passing_time import pass_time
from infra.samples.distance import distance
from infra.samples.samples import story
from shared.contracts.inbound.fields import ID_IN_WORDS, is_id, utc

PATH = "/try/time"


def routes(console: Console) -> Sequence[Route]:
    """The page that follows the work, and the two forms that start it."""
    errands = Errands()

    def follow(request: Request) -> Response:
        return console.render.page(request, "passing_time.html", errand=errands.last, now=console.sources.now())

    async def move(request: Request) -> Response:
        fields = await console.forms.fields_of(request)
        return await run_in_threadpool(_move, _stage(console), errands, fields)

    async def tell(request: Request) -> Response:
        fields = await console.forms.fields_of(request)
        return await run_in_threadpool(_tell, _stage(console), errands, fields)

    return [
        Route(PATH, follow, methods=["GET"]),
        Route(PATH, move, methods=["POST"]),
        Route("/try/story", tell, methods=["POST"]),
    ]


def _move(stage: Stage, errands: Errands, fields: Mapping[str, str]) -> Response:
    until = _until(fields.get("until", "").strip(), stage.clock.now())

    def work(tell: Tell) -> None:
        passed = pass_time(
            stage.clock,
            stage.firestore,
            stage.bus,
            until,
            lambda now: tell(f"{now:%Y-%m-%d %H:%M} something was due"),
        )
        tell(f"{stage.clock.now():%Y-%m-%d %H:%M} there, with {passed.stops:,} stops on the way")

    errands.start(f"the clock moves to {until:%Y-%m-%d %H:%M} UTC", work)
    return RedirectResponse(PATH, 303)


def _tell(stage: Stage, errands: Errands, fields: Mapping[str, str]) -> Response:
    name, user = fields.get("story", ""), fields.get("user", "").strip()
    told = story(name)
    if not is_id(user):
        raise UsageError(f"user: expected {ID_IN_WORDS}, found {user!r}")

    def work(tell: Tell) -> None:
        let_happen(
            told,
            user,
            stage,
            lambda step, _made: tell(f"{stage.clock.now():%Y-%m-%d %H:%M} {step.kind or 'nothing happens'}"),
        )

    errands.start(f"{name} happens to {user}", work, user)
    return RedirectResponse(PATH, 303)


def _stage(console: Console) -> Stage:
    """The runtime whose time can be moved. Raises `HTTPException` for what has a time of its own."""
    running = console.sources.running
    if running is None or running.clock is None:
        raise HTTPException(403, "only the emulators have a clock that can be moved")
    return Stage(running.clock, running.firestore, running.bus, console.sources.documents.read)


def _until(move: str, now: datetime) -> datetime:
    """The instant to move to. Raises `UsageError`."""
    far = distance(move) if move.startswith("+") else None
    if far is not None:
        return now + far
    try:
        return utc(move)
    except ValueError:
        expected = "a distance such as +30d or +36h, or an RFC 3339 time with offset"
        raise UsageError(f"the clock: expected {expected}, found {move!r}") from None
