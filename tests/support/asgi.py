"""Calls an ASGI application in the same process, without a socket."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import orjson

FUNCTIONS = Path(__file__).parents[2] / "functions"
Headers = Mapping[str, str]
PUSH_HEADERS = {"content-type": "application/json", "function-execution-id": "embedded"}
"""Headers of a Pub/Sub push.

Without `function-execution-id`, the functions framework generates an id for each request.
"""


class Answered(NamedTuple):
    """A whole response."""

    status: int
    headers: Headers
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


async def fetch(app: Any, method: str, url: str, headers: Headers | None = None, body: bytes = b"") -> Answered:
    """Send any request to a path with its query, and return the whole response."""
    raw_path, _, query = url.partition("?")
    scope = _scope(method, unquote(raw_path), headers or {})
    scope |= {"raw_path": raw_path.encode(), "query_string": query.encode()}
    return await _answered(app, scope, body)


async def post(app: Any, body: bytes) -> tuple[int, Headers]:
    """POST a JSON body as Pub/Sub does, and return the status and the headers of the response."""
    return await _respond(app, _PUSH_SCOPE.copy(), body)


async def call(app: Any, method: str, path: str, headers: Headers, body: bytes = b"") -> tuple[int, Headers]:
    """Send any request, and return the status and the headers of the response."""
    return await _respond(app, _scope(method, path, headers), body)


def _scope(method: str, path: str, headers: Headers) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }


_PUSH_SCOPE = _scope("POST", "/", PUSH_HEADERS)
"""The ASGI scope of every push. Each request uses a copy, because the application modifies its scope."""


async def _respond(app: Any, scope: dict[str, Any], body: bytes) -> tuple[int, Headers]:
    status, headers, _ = await _answered(app, scope, body)
    return status, headers


async def _answered(app: Any, scope: dict[str, Any], body: bytes) -> Answered:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = sent[0]
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return Answered(start["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))
