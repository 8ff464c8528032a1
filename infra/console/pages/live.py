"""Live: events, changes, decisions and triggers as they happen, newest first."""

from collections.abc import AsyncIterator, Sequence
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from infra.console.context import Console
from infra.console.feed import Feed, News, Wanted
from infra.inspect.message_line import Outcome
from shared.contracts.topics import Topic

RETRY = "retry: 2000\n\n"
"""Tells a browser to connect again two seconds after a connection is lost."""
QUIET_READINGS = 15
"""Readings without news after which a comment is sent, by which a connection that is gone is noticed."""


def routes(console: Console) -> Sequence[Route]:
    """The page and its stream."""
    log, feed = console.sources.log, console.feed

    def live(request: Request) -> Response:
        wanted = Wanted.of(request.query_params)
        news = feed.page(wanted) if feed else None
        return console.render.page(
            request,
            "live.html",
            news=news,
            wanted=wanted,
            stream=stream_of(wanted),
            unreadable=log.unreadable if log else 0,
            topics=[*Topic],
            outcomes=[*Outcome],
        )

    async def stream(request: Request) -> Response:
        if feed is None:
            raise HTTPException(404, "there is no raw log to follow here")
        wanted = Wanted.of(request.query_params)
        place = request.headers.get("last-event-id") or request.query_params.get("after", "")
        return StreamingResponse(_pieces(console, feed, wanted, place), media_type="text/event-stream")

    return [Route("/", live), Route("/live/stream", stream)]


def stream_of(wanted: Wanted) -> str:
    """The address of the stream with a filter."""
    return f"/live/stream?{urlencode({'topic': wanted.topic, 'user': wanted.user, 'outcome': wanted.outcome})}"


async def _pieces(console: Console, feed: Feed, wanted: Wanted, place: str) -> AsyncIterator[str]:
    """The stream: a piece for each reading with news. It ends with the server, or if the log cannot be read."""
    yield RETRY
    quiet = 0
    while not console.ending.is_set():
        news = await run_in_threadpool(feed.news, wanted, place)
        place, quiet = news.place, 0 if news.lines or news.anew else quiet + 1
        if quiet == 0:
            yield await run_in_threadpool(_piece, console, news)
        elif quiet % QUIET_READINGS == 0:
            yield ": nothing new\n\n"
        try:
            await feed.next_reading()
        except OSError:
            return  # the browser asks again, and then learns it


def _piece(console: Console, news: News) -> str:
    """One server-sent event with the new lines as HTML."""
    html = console.render.text("live_lines.html", news=news)
    data = "".join(f"data: {line}\n" for line in html.splitlines())
    return f"id: {news.place}\nevent: {'anew' if news.anew else 'lines'}\n{data}\n"
