"""A local Content Delivery API with the shapes of Contentful's answers, and webhooks as Contentful signs them."""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.cms_server import Asked, State, serving

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


class Delivery(State):
    """The state of the local API."""

    def answer(self, asked: Asked) -> tuple[int, object]:
        if self.fails(asked):
            return 503, {}
        return self.status, self.garbage if self.garbage is not None else self._page(asked.query)

    def _page(self, query: dict[str, list[str]]) -> dict[str, Any]:
        skip, limit = int(query["skip"][0]), int(query["limit"][0])
        ordered = sorted(self.items, key=lambda one: one["sys"]["id"])
        page = {"sys": {"type": "Array"}, "total": len(ordered), "skip": skip, "limit": limit}
        if self.grows:
            self.items.append(item("offer", f"new{len(self.items)}", cms_ref="x", validity_hours=1))
        return {**page, "items": ordered[skip : skip + limit]}


@contextmanager
def delivering(*items: dict[str, Any]) -> Iterator[Delivery]:
    """The API, running on this machine."""
    state = Delivery(*items)
    with serving(state.answer) as state.url:
        yield state


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
