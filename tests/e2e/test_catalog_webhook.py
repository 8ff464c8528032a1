"""The function of a CMS's webhooks, with a local server for each CMS, on the emulators."""

import json
import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from infra.remote.catalog_history import current_publication, history
from shared import catalog_wiring
from shared.adapters.cms import contentful as contentful_adapter
from shared.adapters.cms import wagtail as wagtail_adapter
from shared.entrypoints.cms_webhook import webhook_function
from tests.support import contentful, wagtail
from tests.support.webhooks import SCHEMES, Scheme

pytestmark = [pytest.mark.emulator, pytest.mark.usefixtures("bus", "loggers_as_they_were")]


class Kind(NamedTuple):
    """One CMS, and what the tests need of it."""

    scheme: Scheme
    serve: Callable[[], AbstractContextManager[Any]]
    environment: dict[str, str]
    url: str
    """The setting with the address of the CMS."""
    offer: Callable[..., dict[str, Any]]
    """The entry of the offer `any` with other fields."""
    place: str
    """The address of that entry."""
    author: str
    adapter: Any

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(value for name, value in self.environment.items() if name.endswith(("TOKEN", "SECRET")))


KINDS = {
    "contentful": Kind(
        *(SCHEMES["contentful"], lambda: contentful.delivering(*contentful.SALE)),
        {
            "UPBEAT_CONTENTFUL_SPACE": "space1",
            "UPBEAT_CONTENTFUL_TOKEN": contentful.TOKEN,
            "UPBEAT_CONTENTFUL_SECRET": contentful.SECRET,
        },
        "UPBEAT_CONTENTFUL_URL",
        lambda **fields: contentful.item("offer", "2aB", id="any", **fields),
        "https://app.contentful.com/spaces/space1/environments/master/entries/2aB",
        *("contentful:ada", contentful_adapter),
    ),
    "wagtail": Kind(
        *(SCHEMES["wagtail"], lambda: wagtail.site(*wagtail.SALE)),
        {
            "UPBEAT_CMS": "wagtail",
            "UPBEAT_WAGTAIL_TOKEN": wagtail.TOKEN,
            "UPBEAT_WAGTAIL_SECRET": wagtail.SECRET,
        },
        "UPBEAT_WAGTAIL_URL",
        lambda **fields: wagtail.item("offer", "any", **fields),
        *(wagtail.place("offer", "any"), "ada", wagtail_adapter),
    ),
}


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def api(kind):
    with kind.serve() as running:
        yield running


@pytest.fixture
def client(kind, api, endpoints, monkeypatch):
    for name, value in {**endpoints.env, **kind.environment, kind.url: api.url}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(catalog_wiring, "SETTLE_SECONDS", 0.0)
    catalog_wiring.current.cache_clear()
    function = webhook_function("catalog_sync")
    app = Starlette(routes=[Route("/{path:path}", function, methods=["GET", "POST", "PUT"])])
    with TestClient(app) as running:
        yield running
    catalog_wiring.current.cache_clear()


_moments = iter(range(1_000_000))


def send(client, request):
    """Send a signed request as it is."""
    path = f"{request.path}?{request.search}" if request.search else request.path
    headers = [(name.encode(), value.encode()) for name, value in request.headers]
    return client.request(request.method, path, headers=headers, content=request.body)


def webhook(kind):
    """A webhook that differs from all others by its milliseconds."""
    return kind.scheme.good(int(time.time() * 1000) - next(_moments))


def post(client, kind):
    return send(client, webhook(kind))


def edit(api, kind, **fields):
    """Publish other fields of the offer."""
    api.items = [kind.offer(**fields) if "cms_ref" in json.dumps(one) else one for one in api.items]


def test_a_webhook_publishes_what_the_cms_holds_once(client, kind, firestore):
    told = post(client, kind)
    assert (told.status_code, told.json()["outcome"]) == (200, "published")
    current = current_publication(firestore)
    cms = next(name for name, one in KINDS.items() if one is kind)
    assert (current.version, current.by) == (told.json()["version"], f"sync from {cms} by {kind.author}")
    again = post(client, kind)
    assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")
    assert len(history(firestore)) == 1


def test_a_replay_is_refused_and_a_retry_after_a_failure_is_not(client, kind, api, firestore):
    request = webhook(kind)
    api.fails_from = 0
    failed = send(client, request)
    assert (failed.status_code, failed.headers["retry-after"]) == (503, "30")
    assert current_publication(firestore) is None
    api.fails_from = None
    assert send(client, request).status_code == 200
    for _ in range(10):
        replayed = send(client, request)
        assert (replayed.status_code, replayed.json()) == (403, {"reason": "replayed"})


def test_a_cms_that_is_down_half_way_publishes_nothing(client, kind, api, firestore, monkeypatch):
    monkeypatch.setattr(kind.adapter, "PAGE_SIZE", 2)
    post(client, kind)
    good = current_publication(firestore).version
    edit(api, kind, cms_ref="x", validity_hours=9)
    api.requests.clear()
    api.fails_from = 1
    assert post(client, kind).status_code == 503
    assert current_publication(firestore).version == good
    api.fails_from = None
    assert post(client, kind).json()["outcome"] == "published"


def test_mistakes_are_told_at_their_entries_and_the_last_good_catalog_stays(client, kind, api, firestore):
    post(client, kind)
    good = current_publication(firestore).version
    edit(api, kind, validity_hours=0)
    told = post(client, kind)
    problems = [
        "offers.any.cms_ref: expected a value, found nothing",
        "offers.any.validity_hours: expected at least 1, found 0",
    ]
    assert told.status_code == 422
    assert told.json()["mistakes"] == [{"entry": kind.place, "problem": problem} for problem in problems]
    assert current_publication(firestore).version == good
    if kind is KINDS["wagtail"]:
        report = api.reports[-1]
        assert report["version"] is None
        assert [(one["type"], one["id"], one["message"]) for one in report["mistakes"]] == [
            ("offer", "any", problem) for problem in problems
        ]
        assert api.reports[0] == {"version": good, "mistakes": []}


def test_with_two_persons_the_catalog_waits(client, kind, firestore, monkeypatch):
    monkeypatch.setenv("UPBEAT_CATALOG_APPROVAL", "true")
    catalog_wiring.current.cache_clear()
    told = post(client, kind)
    assert (told.status_code, told.json()["outcome"]) == (202, "waiting")
    assert current_publication(firestore) is None
    assert firestore.document(f"proposals/{told.json()['version']}").get().get("authors") == [kind.author]


def test_forged_webhooks_read_and_publish_nothing_and_no_secret_is_logged(
    client, kind, api, firestore, caplog, capfd
):
    caplog.set_level(logging.DEBUG)
    for what, forged, reason in kind.scheme.forged(int(time.time() * 1000)):
        told = send(client, forged)
        assert (told.status_code, told.json()) == (403, {"reason": reason}), what
    large = b"x" * 1_000_001
    assert client.post("/", content=large).json() == {"reason": "too_large"}
    for method in ("GET", "PUT"):
        assert send(client, webhook(kind)._replace(method=method)).status_code == 405
    assert api.requests == []
    assert current_publication(firestore) is None
    logged = caplog.text + "".join(capfd.readouterr())
    assert "wrong_signature" in logged
    assert not any(secret in logged for secret in kind.secrets)
    assert kind.scheme.body.decode() not in logged


class TestApprovalInWagtail:
    @pytest.fixture
    def kind(self):
        return KINDS["wagtail"]

    @pytest.fixture(autouse=True)
    def two_persons(self, client, monkeypatch):  # noqa: ARG002 - the settings come first
        monkeypatch.setenv("UPBEAT_CATALOG_APPROVAL", "true")
        catalog_wiring.current.cache_clear()

    def test_what_another_person_has_approved_there_goes_in_force_and_the_history_shows_who(
        self, client, kind, api, firestore
    ):
        waiting = post(client, kind).json()
        assert waiting["outcome"] == "waiting"
        api.items = [one | {"approved_by": "bob"} for one in api.items]
        done = post(client, kind).json()
        assert (done["outcome"], done["version"]) == ("published", waiting["version"])
        (published,) = history(firestore)
        assert (published.by, published.approved_by) == ("sync from wagtail by ada", "in the CMS: bob")
        assert firestore.document(f"proposals/{done['version']}").get().get("approved_by") == "in the CMS: bob"

    def test_the_author_alone_cannot_approve_and_the_next_version_waits_for_all_of_it(
        self, client, kind, api, firestore
    ):
        api.items = [one | {"approved_by": "Ada"} for one in api.items]
        assert post(client, kind).json()["outcome"] == "waiting"
        api.items = [one | {"approved_by": "bob"} for one in api.items[1:]] + [api.items[0]]
        assert post(client, kind).json()["outcome"] == "waiting"
        assert current_publication(firestore) is None
