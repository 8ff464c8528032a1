"""The function of Contentful's webhooks, with a local Content Delivery API, on the emulators."""

import json
import logging
import time

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from infra.remote.catalog_history import current_publication, history
from shared import catalog_wiring
from shared.adapters.cms import contentful
from shared.entrypoints.cms_webhook import webhook_function
from tests.support.contentful import SALE, SECRET, TOKEN, delivering, item, signed

pytestmark = [pytest.mark.emulator, pytest.mark.usefixtures("bus", "loggers_as_they_were")]
BODY = b'{"sys": {"id": "2aB", "publishedBy": {"sys": {"id": "ada"}}}}'


@pytest.fixture
def api():
    with delivering(*SALE) as running:
        yield running


@pytest.fixture
def client(api, endpoints, monkeypatch):
    settings = {
        **endpoints.env,
        "UPBEAT_CONTENTFUL_SPACE": "space1",
        "UPBEAT_CONTENTFUL_TOKEN": TOKEN,
        "UPBEAT_CONTENTFUL_SECRET": SECRET,
        "UPBEAT_CONTENTFUL_URL": api.url,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(catalog_wiring, "SETTLE_SECONDS", 0.0)
    catalog_wiring.current.cache_clear()
    function = webhook_function("catalog_sync")
    app = Starlette(routes=[Route("/{path:path}", function, methods=["GET", "POST", "PUT"])])
    with TestClient(app) as running:
        yield running
    catalog_wiring.current.cache_clear()


_moments = iter(range(1_000_000))


def post(client, headers=None, **other):
    """Send a webhook that differs from all others by its milliseconds."""
    headers = headers or signed(BODY, int(time.time() * 1000) - next(_moments))
    return client.post("/", headers=headers, content=BODY, **other)


def test_a_webhook_publishes_what_the_cms_holds_once(client, firestore):
    told = post(client)
    assert (told.status_code, told.json()["outcome"]) == (200, "published")
    current = current_publication(firestore)
    assert (current.version, current.by) == (told.json()["version"], "sync from contentful by contentful:ada")
    again = post(client)
    assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")
    assert len(history(firestore)) == 1


def test_a_replay_is_refused_and_a_retry_after_a_failure_is_not(client, api, firestore):
    headers = signed(BODY, int(time.time() * 1000))
    api.fails_from = 0
    failed = post(client, headers)
    assert (failed.status_code, failed.headers["retry-after"]) == (503, "30")
    assert current_publication(firestore) is None
    api.fails_from = None
    assert post(client, headers).status_code == 200
    replayed = post(client, headers)
    assert (replayed.status_code, replayed.json()) == (403, {"reason": "replayed"})


def test_a_cms_that_is_down_half_way_publishes_nothing(client, api, firestore, monkeypatch):
    monkeypatch.setattr(contentful, "PAGE_SIZE", 2)
    post(client)
    good = current_publication(firestore).version
    api.items[1] = item("offer", "2aB", id="any", cms_ref="x", validity_hours=9)
    api.requests.clear()
    api.fails_from = 1
    assert post(client).status_code == 503
    assert current_publication(firestore).version == good


def test_mistakes_are_told_at_their_entries_and_the_last_good_catalog_stays(client, api, firestore):
    post(client)
    good = current_publication(firestore).version
    api.items[1] = item("offer", "2aB", id="any", validity_hours=0)
    told = post(client)
    assert told.status_code == 422
    place = "https://app.contentful.com/spaces/space1/environments/master/entries/2aB"
    assert told.json()["mistakes"] == [
        {"entry": place, "problem": "offers.any.cms_ref: expected a value, found nothing"},
        {"entry": place, "problem": "offers.any.validity_hours: expected at least 1, found 0"},
    ]
    assert current_publication(firestore).version == good


def test_with_two_persons_the_catalog_waits(client, firestore, monkeypatch):
    monkeypatch.setenv("UPBEAT_CATALOG_APPROVAL", "true")
    catalog_wiring.current.cache_clear()
    told = post(client)
    assert (told.status_code, told.json()["outcome"]) == (202, "waiting")
    assert current_publication(firestore) is None
    assert firestore.document(f"proposals/{told.json()['version']}").get().get("authors") == ["contentful:ada"]


def test_forged_webhooks_read_and_publish_nothing_and_no_secret_is_logged(client, api, firestore, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    now = int(time.time() * 1000)
    forged = [
        ({}, "missing_header"),
        (signed(BODY, now, secret="x" * 64), "wrong_signature"),
        (signed(b"{}", now), "wrong_signature"),
        (signed(BODY, now, path="/other"), "wrong_signature"),
        (signed(BODY, now, method="PUT"), "wrong_signature"),
        (signed(BODY, now - 301_000), "too_old"),
        (signed(BODY, now + 400_000), "from_the_future"),
        (signed(BODY, now) | {"x-contentful-timestamp": "now"}, "malformed"),
        (signed(BODY, now) | {"x-contentful-signed-headers": "x-contentful-signed-headers"}, "unsigned_header"),
        (signed(BODY, now) | {"x-contentful-signature": "0" * 64}, "wrong_signature"),
    ]
    for headers, reason in forged:
        told = client.post("/", headers=headers or {"x": "y"}, content=BODY)
        assert (told.status_code, told.json()) == (403, {"reason": reason})
    assert client.post("/", headers=signed(b"x" * 1_000_001, now), content=b"x" * 1_000_001).json() == {
        "reason": "too_large"
    }
    assert client.get("/").status_code == 405
    assert api.requests == []
    assert current_publication(firestore) is None
    logged = caplog.text + "".join(capfd.readouterr())
    assert "wrong_signature" in logged
    assert SECRET not in logged
    assert TOKEN not in logged
    assert json.dumps(BODY.decode()) not in logged
