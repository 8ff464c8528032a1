"""A local server that speaks for the Wagtail site, and webhooks as the site signs them."""

import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.cms_server import Asked, State, serving

SECRET = "wagtail-s3cr3t-0123456789abcdef0123456789"
TOKEN = "token-of-the-site"
ADMIN = "https://cms.example.com/admin/snippets"


def item(kind: str, id_: str, /, author: str | None = "ada", approved_by: str | None = None, **fields: Any):
    """A published entry as the site tells it."""
    return {
        "type": kind,
        "id": id_,
        "key": f"{kind}/{id_}",
        "fields": fields,
        "author": author,
        "approved_by": approved_by,
        "published_at": "2026-02-01T10:00:00Z",
        "url": place(kind, id_),
    }


def place(kind: str, id_: str) -> str:
    """The address at which editors find an entry."""
    return f"{ADMIN}/{kind}/edit/{id_}/"


SALE = (
    item("placement", "banner", channel="in_app"),
    item("offer", "any", cms_ref="x", validity_hours=1),
    item("campaign", "sale", offer="any", placement="banner", moments=["renewed"], priority=1),
    item("settings", "settings", kill_switch=False, milestones={"lapsed": [7]}),
)


class Site(State):
    """The state of the local server, with what was reported; `status` is that of answers to reports."""

    def __init__(self, *items: dict[str, Any]) -> None:
        super().__init__(*items)
        self.reports: list[dict[str, Any]] = []

    def answer(self, asked: Asked) -> tuple[int, object]:
        if asked.token != f"Bearer {TOKEN}":
            return 401, {}
        if (asked.method, asked.path) == ("PUT", "/api/upbeat/reports"):
            self.reports.append(json.loads(asked.body))
            return self.status, {}
        if self.fails(asked) or asked.path != "/api/upbeat/entries":
            return 503, {}
        return (200, self.garbage) if self.garbage is not None else self._page(asked.query)

    def _page(self, query: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        """A page. A cursor is the state of the entries and a position: it ends with the next publication."""
        state, limit = len(self.items), int(query["limit"][0])
        of, _, start = query.get("after", [f"{state}.0"])[0].partition(".")
        if int(of) != state:
            return 409, {}
        end = int(start) + limit
        if self.grows:
            self.items.append(item("offer", f"new{state}", cms_ref="x", validity_hours=1))
        return 200, {"entries": self.items[int(start) : end], "next": f"{state}.{end}" if end < state else None}


@contextmanager
def site(*items: dict[str, Any]) -> Iterator[Site]:
    """The site, running on this machine."""
    state = Site(*items)
    with serving(state.answer) as state.url:
        yield state


def signed(body: bytes, millis: int, secret: str = SECRET) -> dict[str, str]:
    """The headers of a webhook, signed as the site does."""
    signature = hmac.new(secret.encode(), f"{millis}.".encode() + body, "sha256").hexdigest()
    return {"x-upbeat-signature": f"t={millis},v1={signature}"}
