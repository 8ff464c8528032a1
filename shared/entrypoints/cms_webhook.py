"""The entry point for a CMS's webhooks: verify, sync, and answer with what became of it."""

import json
import logging
from collections.abc import Awaitable, Callable
from uuid import uuid4

import functions_framework.aio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from shared import catalog_wiring
from shared.adapters.cms.signed_request import Refused, SignedRequest
from shared.application.sync_catalog import Synced, SyncOutcome
from shared.domain.errors import Transient
from shared.entrypoints.body import read_body
from shared.observability.trace import TRACE, traceparent

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 1_000_000
RETRY_SECONDS = 30
# A CMS shows the answer to those who look after the webhook, and sends it again after 429 and 5xx.
# https://www.contentful.com/developers/docs/webhooks/overview/
STATUS = {SyncOutcome.INVALID: 422, SyncOutcome.WAITING: 202, SyncOutcome.JOINED: 202}
"""The HTTP status of an outcome, 200 for others."""

Function = Callable[[Request], Awaitable[Response]]


def webhook_function(name: str) -> Function:
    """The function of this name. Raises `InvalidSettings` if it could not work in this environment."""
    catalog_wiring.check_settings()

    async def function(request: Request) -> Response:
        TRACE.set(traceparent({}, request.headers))
        if request.method != "POST":
            return _answer(405, {"reason": "wrong_method"})
        try:
            return await _respond(catalog_wiring.current(), request)
        except Refused as refused:
            log.warning("the webhook is refused: %s", refused)
            return _answer(403, {"reason": refused.reason})
        except (Transient, ClientDisconnect) as error:
            log.warning("the sync is not done: %s", error)
            return _answer(503, {"reason": "transient"}, {"retry-after": str(RETRY_SECONDS)})
        except Exception:
            log.exception("the webhook: unexpected error")
            return _answer(500, {"reason": "unexpected_error"})

    function.__name__ = function.__qualname__ = name
    functions_framework.aio.http(function)
    return function


async def _respond(wired: catalog_wiring.CatalogWiring, request: Request) -> Response:
    received = await read_body(request, MAX_BODY_BYTES)
    if received.truncated_from:
        raise Refused("too_large", f"the body: expected at most {MAX_BODY_BYTES} bytes, found more")
    signature = wired.cms.verify(_signed(request, received.data), wired.secret, wired.clock.now())
    if not await wired.webhooks.take(signature, wired.clock.now()):
        raise Refused("replayed", "the webhook was accepted before")
    try:
        synced = await wired.sync.sync(uuid4().hex, wired.cms.author_of(received.data))
    except BaseException:
        await wired.webhooks.forget(signature, wired.clock.now())
        raise
    log.info("catalog sync: %s", synced.outcome, extra={"fields": {"sync": synced.outcome}})
    return _told(synced)


def _signed(request: Request, body: bytes) -> SignedRequest:
    path = (request.scope.get("raw_path") or request.url.path.encode()).decode("latin-1").partition("?")[0]
    search = request.scope["query_string"].decode("latin-1")
    return SignedRequest(request.method, path, search, request.headers.items(), body)


def _told(synced: Synced) -> Response:
    mistakes = [{"entry": each.place, "problem": each.problem} for each in synced.mistakes]
    content = {"outcome": synced.outcome, "version": synced.version, "number": synced.number, "mistakes": mistakes}
    return _answer(STATUS.get(synced.outcome, 200), content)


def _answer(status: int, content: object, headers: dict[str, str] | None = None) -> Response:
    body = json.dumps(content, ensure_ascii=False)
    return Response(body, status, headers, media_type="application/json")
