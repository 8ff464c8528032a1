"""Calls an ASGI application in this process, without a socket between."""

from collections.abc import Mapping
from typing import Any

Headers = Mapping[str, str]
PUSHED = {"content-type": "application/json", "function-execution-id": "embedded"}
"""As Pub/Sub pushes; without the second header, the functions framework draws an id for each request."""


async def post(app: Any, body: bytes) -> tuple[int, Headers]:
    """POST a JSON body as Pub/Sub does, and return the status and the headers of the answer."""
    return await _answer(app, _PUSH.copy(), body)


async def call(app: Any, method: str, path: str, headers: Headers, body: bytes = b"") -> tuple[int, Headers]:
    """Make any request, and return the status and the headers of the answer."""
    return await _answer(app, _scope(method, path, headers), body)


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


_PUSH = _scope("POST", "/", PUSHED)
"""The same for every message; each request takes a copy, since the application writes into it."""


async def _answer(app: Any, scope: dict[str, Any], body: bytes) -> tuple[int, Headers]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = sent[0]
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}
