"""The Wagtail site and Upbeat for real: what two merchandisers do in a browser is what the next user gets."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import socket
from typing import Any, NamedTuple
from uuid import uuid4
from zipfile import ZipFile

import pytest

from infra.catalog.load import artifacts_of, load_catalog
from infra.deploy.package import zip_function
from infra.emulator.runtime import EmulatorRuntime
from infra.remote.catalog_history import history
from infra.remote.endpoints import free_ports
from infra.remote.firestore import emulator_client, publish_catalog
from infra.topology import load
from tests.support.booted import Booted, make_interpreter
from tests.support.browser import browser
from tests.support.listening import pull
from tests.support.wagtail_site import SECRET, TOKEN, RunningSite, needs_wagtail, press, wagtail_site
from tests.support.watching import eventually

pytestmark = [pytest.mark.emulator, pytest.mark.slow, needs_wagtail]


class Shop(NamedTuple):
    """The site, and a running Upbeat that it tells of what is published."""

    site: RunningSite
    up: EmulatorRuntime
    heard: list[dict[str, Any]]

    def offered(self) -> str:
        """The words of the offer that a user gets whose payment fails."""
        user, now = uuid4().hex, datetime.now(UTC)
        period = {"period_start": now.isoformat(), "period_end": (now + timedelta(days=30)).isoformat()}
        self._pay(user, now, outcome="succeeded", plan="premium_monthly", **period)
        document = emulator_client(self.up.endpoints).document(f"subscriptions/{user}")
        assert eventually(lambda: document.get().exists)  # a failure that arrives first is of no subscription
        self._pay(user, now + timedelta(microseconds=1), outcome="failed", failure_reason="card_declined")
        assert eventually(lambda: self._trigger(user))
        return self._trigger(user)["cms_ref"]

    def approvals(self) -> list[str | None]:
        """The persons who approved each publication, the newest first."""
        return [each.approved_by for each in history(emulator_client(self.up.endpoints))]

    def _pay(self, user: str, at: datetime, **fields: Any) -> None:
        about = {"event_id": uuid4().hex, "user_id": user, "occurred_at": at.isoformat()}
        event = {**about, "amount": 1099, "currency": "EUR", **fields}
        self.up.bus.publish("payment", json.dumps(event).encode())

    def _trigger(self, user: str) -> dict[str, Any] | None:
        """The trigger for the failed payment; a score of the user may have brought another one before."""
        self.heard.extend(one.json for one in pull(self.up.bus, "upsell-trigger"))
        asked = (user, "payment_recovery")
        return next((one for one in self.heard if (one["user_id"], one["campaign_id"]) == asked), None)


@pytest.fixture
def shop(emulators, project, tmp_path) -> Iterator[Shop]:
    table = load()
    functions = {"payment": table.functions["payment"]}
    topology = table.model_copy(update={"functions": functions, "services": {}, "schedules": {}})
    (site_port,) = free_ports(1)
    settings = {
        "UPBEAT_CMS": "wagtail",
        "UPBEAT_WAGTAIL_URL": f"http://127.0.0.1:{site_port}",
        "UPBEAT_WAGTAIL_TOKEN": TOKEN,
        "UPBEAT_WAGTAIL_SECRET": SECRET,
        "UPBEAT_CATALOG_APPROVAL": "true",
    }
    runtime = {"env": {"UPBEAT_CATALOG_SECONDS": "0"}, "state_folder": tmp_path}
    with EmulatorRuntime(project, topology=topology, emulators=emulators, **runtime) as up:
        catalog = load_catalog()
        publish_catalog(emulator_client(up.endpoints), catalog, artifacts_of(catalog))
        with (
            catalog_sync(tmp_path, {**up.endpoints.env, **settings}) as url,
            wagtail_site(tmp_path, site_port, url) as site,
        ):
            yield Shop(site, up, [])


@contextmanager
def catalog_sync(folder: Path, env: Mapping[str, str]) -> Iterator[str]:
    """The address of the function, which runs from its zip as in the cloud."""
    with ZipFile(zip_function("catalog_sync", folder / "catalog_sync.zip")) as bundle:
        bundle.extractall(folder / "catalog_sync")
    interpreter = make_interpreter(folder / "interpreter")
    with Booted("catalog_sync", folder / "catalog_sync", interpreter, env) as booted:
        assert eventually(lambda: _listens(booted.port)), booted.errors
        yield booted.url


def _listens(port: int) -> bool:
    with socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def test_what_one_edits_and_another_approves_is_what_the_next_user_gets(shop: Shop) -> None:
    with browser() as chromium:
        editor, approver, admin = (shop.site.login(chromium, name) for name in ("editor", "approver", "admin"))
        assert shop.offered() == "offers/update-payment-method"

        shop.site.open(editor, "offer", "update_payment_method")
        editor.get_by_role("textbox", name="Words").fill("offers/another-card")
        press(editor, "Submit to Four eyes")
        assert shop.offered() == "offers/update-payment-method"

        shop.site.open(approver, "offer", "update_payment_method")
        press(approver, "Approve and Publish")
        assert eventually(lambda: shop.approvals()[0] == "in the CMS: approver")
        assert shop.offered() == "offers/another-card"

        shop.site.open(admin, "campaign", "payment_recovery")
        admin.get_by_role("textbox", name="Exclusivity group").fill("alone")
        press(admin, "Publish")
        assert eventually(lambda: "Upbeat found mistakes" in _reloaded(editor, shop, "payment_recovery"))
        assert "exclusivity_group: expected a group of several campaigns" in editor.content()
        assert shop.offered() == "offers/another-card"
        assert len(shop.approvals()) == 2


def _reloaded(page: Any, shop: Shop, campaign: str) -> str:
    shop.site.open(page, "campaign", campaign)
    return page.content()
