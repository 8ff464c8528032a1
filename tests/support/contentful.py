"""A local Content Delivery API with the shapes of Contentful's answers, and webhooks as Contentful signs them."""

import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

SECRET = "s3cr3t-" + "0123456789abcdef" * 3 + "012345678"
TOKEN = "delivery-token-of-the-space"
LOCALE = "en-US"


def link(id_: str, kind: str = "Entry") -> dict[str, Any]:
    return {"sys": {"type": "Link", "linkType": kind, "id": id_}}


def item(kind: str, id_: str, locale: str = LOCALE, /, **fields: Any) -> dict[str, Any]:
    """A published entry as the API writes it for `locale=*`."""
    system = {
        "space": link("space1", "Space"),
        "id": id_,
        "type": "Entry",
        "createdAt": "2026-02-01T10:00:00.000Z",
        "updatedAt": "2026-02-01T10:00:00.000Z",
        "environment": link("master", "Environment"),
        "publishedVersion": 3,
        "revision": 1,
        "contentType": link(kind, "ContentType"),
    }
    return {
        "metadata": {"tags": [], "concepts": []},
        "sys": system,
        "fields": {name: {locale: value} for name, value in fields.items()},
    }


SALE = (
    item("placement", "1aB", id="banner", title="The banner", channel="in_app"),
    item("offer", "2aB", id="any", cms_ref="x", validity_hours=1),
    item("campaign", "3aB", id="sale", offer=link("2aB"), placement=link("1aB"), moments=["renewed"], priority=1),
    item("settings", "4aB", kill_switch=False, milestones={"lapsed": [7]}),
    item("blogPost", "5aB", body="no part of the catalog"),
)


class Delivery:
    """The state of the local API: what is published, and how it fails."""

    def __init__(self, *items: dict[str, Any]) -> None:
        self.items = list(items)
        self.fails_from: int | None = None
        """The request from which on it fails, counted from 0."""
        self.grows = False
        """True: an entry is published after each page."""
        self.garbage: bytes | None = None
        self.requests: list[tuple[str, dict[str, list[str]], str | None]] = []
        self.url = ""

    def answer(self, query: dict[str, list[str]]) -> bytes:
        if self.garbage is not None:
            return self.garbage
        skip, limit = int(query["skip"][0]), int(query["limit"][0])
        ordered = sorted(self.items, key=lambda one: one["sys"]["id"])
        page = {"sys": {"type": "Array"}, "total": len(ordered), "skip": skip, "limit": limit}
        if self.grows:
            self.items.append(item("offer", f"new{len(self.items)}", cms_ref="x", validity_hours=1))
        return json.dumps({**page, "items": ordered[skip : skip + limit]}).encode()


@contextmanager
def delivering(*items: dict[str, Any]) -> Iterator[Delivery]:
    """The API, running on this machine."""
    state = Delivery(*items)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query)
            fails = state.fails_from is not None and len(state.requests) >= state.fails_from
            state.requests.append((parts.path, query, self.headers["Authorization"]))
            body = b"{}" if fails else state.answer(query)
            self.send_response(503 if fails else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def signed(body: bytes, millis: int, path: str = "/", secret: str = SECRET, method: str = "POST", **more: str):
    """The headers of a webhook, signed as Contentful does."""
    headers = {**more, "x-contentful-timestamp": str(millis)}
    names = sorted([*headers, "x-contentful-signed-headers"])
    headers["x-contentful-signed-headers"] = ",".join(names)
    told = ";".join(f"{name}:{headers[name]}" for name in names)
    canonical = "\n".join([method, path, told, body.decode()])
    return headers | {
        "x-contentful-signature": hmac.new(secret.encode(), canonical.encode(), "sha256").hexdigest()
    }
