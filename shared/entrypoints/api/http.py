"""The API over HTTP and JSON: an ASGI function that answers every request with JSON or a problem of RFC 9457."""

import logging
import math
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import functions_framework.aio
import orjson
from starlette.requests import Request
from starlette.responses import Response

from shared import wiring
from shared.contracts.api.methods import EVERY, READING
from shared.domain.errors import Rejected
from shared.entrypoints.api.callers import caller_of
from shared.entrypoints.api.calls import Call, CallHandler, current
from shared.entrypoints.api.http_request import WrongVerb, content_of, seconds_of, target_of
from shared.entrypoints.api.problems import NOT_ALLOWED, Problem, problem_of
from shared.entrypoints.api.service import Answer
from shared.observability.trace import TRACE, traceparent

log = logging.getLogger(__name__)

Function = Callable[[Request], Awaitable[Response]]
JSON, PROBLEM = "application/json", "application/problem+json"
OPENAPI = "/openapi.json"
HEALTH = "/healthz"
"""Answered inside of Cloud Run alone: from outside, Google's front end keeps paths that end in z for itself.

https://cloud.google.com/run/docs/known-issues#ah
"""
MAX_AGE = timedelta(seconds=60)
"""The longest time for which an entitlement may be kept: an event may change it at any moment."""
NO_STORE = {"cache-control": "no-store"}


def api_function(name: str, *, only_reads: bool) -> Function:
    """The function of this name, which answers every method of the API, or those alone that read.

    Raises `InvalidSettings` if the function could not work in this environment.
    """
    wiring.check_settings()
    methods = READING if only_reads else EVERY

    async def function(request: Request) -> Response:
        TRACE.set(traceparent({}, request.headers))
        try:
            return _page(request) or await _respond(current(), request, methods)
        except Exception as error:
            log.exception("the request: unexpected error")
            return _problem(problem_of(error))

    function.__name__ = function.__qualname__ = name
    functions_framework.aio.http(function)
    return function


def _page(request: Request) -> Response | None:
    """The pages about the service itself: they ask no store, since a restart would not mend it."""
    if request.method not in {"GET", "HEAD"}:
        return None
    match request.scope["path"]:
        case "/":
            service = {"service": "upbeat", "openapi": OPENAPI, "health": HEALTH}
            return _json(service, headers={"link": f'<{OPENAPI}>; rel="service-desc"'})
        case "/healthz":
            return _json({"status": "ok"}, headers=NO_STORE)
        case "/openapi.json":
            from shared.entrypoints.api.openapi import document  # noqa: PLC0415 - seldom asked for

            return _json(document())
    return None


async def _respond(handler: CallHandler, request: Request, methods: frozenset[str]) -> Response:
    try:
        target = target_of(request)
        if target.name not in methods:
            expected = "a method that only reads; the service `decisions` has the others"
            raise Rejected(NOT_ALLOWED, f"the path: expected {expected}, found another")  # noqa: TRY301
        seconds = seconds_of(request)
    except Rejected as error:
        problem = handler.refuse(error)
        return _problem(problem, {"allow": error.allowed} if isinstance(error, WrongVerb) else {})
    content = partial(content_of, request, target)
    result = await handler.handle(Call(target.name, content, caller_of(request.headers), seconds))
    if isinstance(result, Problem):
        return _problem(result)
    if target.name == "GetEntitlement":
        return _entitlement(result, handler.wired.clock.now(), request.headers.get("if-none-match"))
    return _json(result, headers=NO_STORE)


def _entitlement(answer: Answer, now: datetime, if_none_match: str | None) -> Response:
    """An answer that may be kept for a minute, but never beyond the instant at which time changes it."""
    if answer["stale"]:
        return _json(answer, headers=NO_STORE)
    tag = f'"{answer["etag"]}"'
    headers = {"etag": tag, "cache-control": _cache_control(answer["until"], now)}
    if if_none_match and _is_among(tag, if_none_match):
        return Response(status_code=304, headers=headers)
    return _json(answer, headers=headers)


def _cache_control(until: str | None, now: datetime) -> str:
    left = datetime.fromisoformat(until).astimezone(UTC) - now if until else MAX_AGE
    seconds = math.floor(min(left, MAX_AGE).total_seconds())
    return f"private, max-age={seconds}" if seconds > 0 else "private, no-cache"


def _is_among(tag: str, if_none_match: str) -> bool:
    """True if a header has the tag, compared weakly.

    https://www.rfc-editor.org/rfc/rfc9110#name-if-none-match
    """
    given = (one.strip().removeprefix("W/") for one in if_none_match.split(","))
    return any(one in {tag, "*"} for one in given)


def _problem(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    retry = {"retry-after": str(problem.retry_after)} if problem.retry_after else {}
    return _json(problem.document(), problem.kind.status, NO_STORE | retry | (headers or {}), PROBLEM)


def _json(
    content: Any, status: int = 200, headers: dict[str, str] | None = None, media_type: str = JSON
) -> Response:
    return Response(orjson.dumps(content), status, headers, media_type)
