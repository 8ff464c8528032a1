"""A server on this machine that stands for the API of a CMS."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit


class Asked(NamedTuple):
    """One request."""

    method: str
    path: str
    query: dict[str, list[str]]
    token: str | None
    """The header `Authorization`."""
    body: bytes


Answer = Callable[[Asked], tuple[int, bytes | object]]
"""The status and the body of an answer; a body that is no bytes is sent as JSON."""


class State:
    """The state of a server in the place of a CMS: what is published, what it was asked, and how it fails."""

    def __init__(self, *items: dict[str, Any]) -> None:
        self.items = list(items)
        self.fails_from: int | None = None
        """The request for entries from which on it fails, counted from 0."""
        self.grows = False
        """True: an entry is published after each page."""
        self.garbage: bytes | None = None
        self.status = 200
        self.requests: list[Asked] = []
        """The requests for entries."""
        self.url = ""

    def fails(self, asked: Asked) -> bool:
        """Note a request for entries; True if it is to fail."""
        self.requests.append(asked)
        return self.fails_from is not None and len(self.requests) > self.fails_from


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """The address of a server that answers so."""

    class Handler(BaseHTTPRequestHandler):
        def _respond(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            asked = Asked(self.command, parts.path, parse_qs(parts.query), self.headers["Authorization"], body)
            status, content = answer(asked)
            told = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        do_GET = do_PUT = _respond  # noqa: N815 - the names of the library

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=[0.01], daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
