"""An offer on its way from a CMS to a user: webhook, catalog, message, trigger, and back again by a rollback."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient
from typer.testing import CliRunner

from infra.__main__ import app
from infra.emulator.runtime import EmulatorRuntime
from infra.remote import running as state
from infra.topology import load
from shared import catalog_wiring
from shared.entrypoints.cms_webhook import webhook_function
from tests.support.listening import pull
from tests.support.wagtail import SECRET, TOKEN, Site, item, signed, site
from tests.support.watching import eventually

pytestmark = [pytest.mark.emulator, pytest.mark.usefixtures("loggers_as_they_were")]

BODY = b'{"event": "published", "entry": {"type": "offer", "id": "any"}}'


def entries(cms_ref: str, approved_by: str | None) -> list[dict[str, Any]]:
    """All entries of a catalog, with one offer that was edited."""
    terms = {"offer": "any", "placement": "banner", "moments": ["activated"], "priority": 1}
    return [
        item("placement", "banner", "ada", "bob", channel="in_app"),
        item("offer", "any", "ada", approved_by, cms_ref=cms_ref, validity_hours=24),
        item("campaign", "sale", "ada", "bob", **terms),
    ]


class Shop(NamedTuple):
    """The function for payments, the site, the function for the CMS, and what was heard from them."""

    up: EmulatorRuntime
    cms: Site
    function: TestClient
    """The function for the CMS."""
    heard: list[dict[str, Any]]

    def webhook(self) -> dict[str, Any]:
        """The answer to a webhook of the site."""
        headers = signed(BODY, time.time_ns() // 1_000_000)
        answer = self.function.post("/", headers=headers, content=BODY)
        return answer.json()

    def published(self) -> list[str]:
        """The versions that catalog-published has told since the last call."""
        return [one.json["catalog_version"] for one in pull(self.up.bus, "catalog-published")]

    def offered(self) -> str:
        """The words of the offer that a user gets who pays for the first time."""
        now, user = datetime.now(UTC), uuid4().hex
        period = {"period_start": now.isoformat(), "period_end": (now + timedelta(days=30)).isoformat()}
        event = {"event_id": uuid4().hex, "user_id": user, "occurred_at": now.isoformat(), "outcome": "succeeded"}
        paid = {**event, **period, "plan": "premium_monthly", "amount": 1099, "currency": "EUR"}
        self.up.bus.publish("payment", json.dumps(paid).encode())
        assert eventually(lambda: self._trigger(user))
        return self._trigger(user)["cms_ref"]

    def _trigger(self, user: str) -> dict[str, Any] | None:
        self.heard.extend(one.json for one in pull(self.up.bus, "upsell-trigger"))
        return next((one for one in self.heard if one["user_id"] == user), None)


@pytest.fixture
def shop(emulators, project, tmp_path, monkeypatch) -> Iterator[Shop]:
    table = load()
    topology = table.model_copy(
        update={"functions": {"payment": table.functions["payment"]}, "services": {}, "schedules": {}}
    )
    monkeypatch.setenv(state.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setattr(catalog_wiring, "SETTLE_SECONDS", 0.0)
    env = {"UPBEAT_CATALOG_SECONDS": "0"}
    with (
        site(*entries("offers/old", "bob")) as cms,
        EmulatorRuntime(project, topology=topology, emulators=emulators, env=env, state_folder=tmp_path) as up,
    ):
        settings = {
            "UPBEAT_CMS": "wagtail",
            "UPBEAT_WAGTAIL_URL": cms.url,
            "UPBEAT_WAGTAIL_TOKEN": TOKEN,
            "UPBEAT_WAGTAIL_SECRET": SECRET,
            "UPBEAT_CATALOG_APPROVAL": "true",
        }
        for name, value in {**up.endpoints.env, **settings}.items():
            monkeypatch.setenv(name, value)
        catalog_wiring.current.cache_clear()
        route = Route("/", webhook_function("catalog_sync"), methods=["POST"])
        with TestClient(Starlette(routes=[route])) as function:
            yield Shop(up, cms, function, [])
        catalog_wiring.current.cache_clear()


def test_an_approved_edit_is_what_the_next_user_gets_and_a_rollback_takes_it_back(shop: Shop) -> None:
    first = shop.webhook()
    assert (first["outcome"], shop.published(), shop.offered()) == ("published", [first["version"]], "offers/old")
    shop.cms.items = entries("offers/new", None)
    waiting = shop.webhook()
    assert (waiting["outcome"], shop.published(), shop.offered()) == ("waiting", [], "offers/old")
    shop.cms.items = entries("offers/new", "bob")
    second = shop.webhook()
    assert (second["outcome"], second["version"]) == ("published", waiting["version"])
    assert (shop.published(), shop.offered()) == ([second["version"]], "offers/new")
    assert shop.cms.reports[-1] == {"version": second["version"], "mistakes": []}
    rolled_back = CliRunner().invoke(app, ["catalog", "rollback", "--by", "eve"])
    assert rolled_back.exit_code == 0, rolled_back.output
    assert (shop.published(), shop.offered()) == ([first["version"]], "offers/old")
    history = CliRunner().invoke(app, ["catalog", "history"]).stdout
    assert history.count("in the CMS: bob") == 3
