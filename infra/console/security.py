"""The protection of the console from other pages and other people: its headers, its hosts, and its form token.

The console listens on this machine alone, but any page in the same browser can send requests to it. It answers
none that was sent to another host name (DNS rebinding), none that another page sent by itself, and accepts a form
only with the token of its own pages (cross-site request forgery): a page of another origin can send a form, but
cannot read one.
"""

import secrets
from hmac import compare_digest
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""Of every answer. No script and no style stands in a page itself."""
OTHER_PAGES = frozenset({"cross-site", "same-site"})
"""The word of browsers for a request by a page of another site, or of another port of this machine."""
LOCAL_NAMES = frozenset({"127.0.0.1", "localhost"})
MAX_FORM_BYTES = 1 << 20
TOKEN_FIELD = "token"  # noqa: S105 - the name of the field


class Guard:
    """ASGI middleware: answers requests to this machine's own names only, and adds the headers to each answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        headers = Headers(scope=scope)
        host = headers.get("host", "").partition(":")[0]
        if host not in LOCAL_NAMES:
            app = _wrong_host(host)
        else:
            app = STRANGER if _comes_from_another_page(headers) else self._app
        await app(scope, receive, guarded)


class FormGuard:
    """The token of one run of the console, and whether it may write at all."""

    def __init__(self, *, may_write: bool) -> None:
        self.may_write = may_write
        self.token = secrets.token_urlsafe(32)

    async def fields_of(self, request: Request, *, writes: bool = True) -> dict[str, str]:
        """The fields of a form that a page of this console sent. One that `writes` nothing needs the token alone.

        Raises `HTTPException`: 403 unless the console may write and the token is right, 413 for more than 1 MiB,
        400 for what is no form.
        """
        if writes and not self.may_write:
            raise HTTPException(403, "this console only reads: start it with --write to send or change something")
        fields = dict(parse_qsl((await _body(request)).decode(errors="replace"), keep_blank_values=True))
        if not compare_digest(fields.pop(TOKEN_FIELD, "").encode(), self.token.encode()):
            raise HTTPException(
                403, "expected a form of this console: the page may be older than it, load it again"
            )
        return fields


async def _body(request: Request) -> bytes:
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise HTTPException(400, "expected a form (application/x-www-form-urlencoded)")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM_BYTES:
            raise HTTPException(413, f"expected a form of at most {MAX_FORM_BYTES} bytes, found a longer one")
    return body


def _comes_from_another_page(headers: Headers) -> bool:
    """True for a request that a page of another origin sent; following a link from there is none."""
    return headers.get("sec-fetch-site") in OTHER_PAGES and headers.get("sec-fetch-mode") != "navigate"


def _wrong_host(host: str) -> ASGIApp:
    names = " or ".join(sorted(LOCAL_NAMES))
    return PlainTextResponse(f"expected a request to {names}, found one to {host!r}\n", status_code=421)


STRANGER: ASGIApp = PlainTextResponse("expected a request of the console's own pages\n", status_code=403)
