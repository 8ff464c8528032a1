"""A server on this machine that takes webhooks as Upbeat does."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread


class Upbeat:
    """A server on this machine that answers as Upbeat does, with the statuses it was given, then with 200."""

    def __init__(self) -> None:
        self.requests = []
        self.statuses = deque()
        upbeat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                upbeat.requests.append((self.path, dict(self.headers), body))
                self.send_response(upbeat.statuses.popleft() if upbeat.statuses else 200)
                self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(b'{"outcome": "published"}')

            do_GET = do_POST  # noqa: N815 - the name is the library's; a redirect that is followed is seen so

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/catalog_sync?from=cms"


@contextmanager
def upbeat_running() -> Iterator[Upbeat]:
    """Upbeat, until the block ends."""
    upbeat = Upbeat()
    thread = Thread(target=upbeat.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield upbeat
    finally:
        upbeat.server.shutdown()
        upbeat.server.server_close()
        thread.join()
