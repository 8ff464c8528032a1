"""The console's catalog pages on the emulators: history, the difference, and the way back."""

import json
import re
from html import unescape

import pytest
from google.pubsub_v1.types import Subscription

from infra.console.catalogs import PublishedCatalogs
from infra.console.sources import Running
from infra.remote.catalog_history import history
from infra.remote.firestore import catalog_in_force, publish_catalog
from shared.decisioning.compile import compile_catalog
from tests.support import consoles
from tests.support.browser import browser, faults, opened
from tests.support.consoles import text_of

pytestmark = pytest.mark.emulator
SALE = {
    "placements": {"banner": {"channel": "in_app"}},
    "offers": {"any": {"cms_ref": "x", "validity_hours": 1}},
    "campaigns": {"sale": {"offer": "any", "placement": "banner", "moments": ["renewed"], "priority": 1}},
}
EARLIER, LATER = compile_catalog({**SALE, "campaigns": {}}), compile_catalog(SALE)
MARKUP = "<script>alert(1)</script>"


@pytest.fixture
def sources(firestore, bus):
    for catalog in (EARLIER, LATER):
        publish_catalog(firestore, catalog, by=MARKUP)
    return consoles.sources(
        catalogs=PublishedCatalogs(firestore), running=Running(bus, firestore, clock=None, project=None)
    )


@pytest.fixture
def heard(bus):
    """A function that returns the messages of catalog-published."""
    wanted = Subscription(name=bus.subscription_path("heard"), topic=bus.topic_path("catalog-published"))
    bus.create_subscription(wanted)

    def pull():
        received = bus.pull("heard", 10)
        bus.ack("heard", received)
        return [json.loads(each.data) for each in received]

    return pull


def form_of(html):
    """The hidden fields of the form that puts a catalog in force."""
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', html))


def test_the_history_is_told_with_what_changed(sources):
    answer = consoles.client(sources).get("/catalog")
    text = text_of(unescape(answer.text))
    assert "added campaigns.sale" in text
    assert MARKUP not in answer.text
    assert f"by {MARKUP}" in unescape(answer.text)


def test_rolling_back_shows_the_difference_first_and_then_publishes_it(sources, firestore, heard):
    client = consoles.client(sources, may_write=True)
    shown = client.get("/catalog/diff", params={"before": LATER.version, "after": EARLIER.version}).text
    assert "- sale removed" in text_of(shown)
    assert "catalog recall sale" in text_of(shown)
    assert catalog_in_force(firestore) == LATER.version
    done = client.post("/catalog/rollback", data=form_of(shown) | {"by": "ada"})
    assert (done.status_code, f"{EARLIER.version} is in force" in done.text) == (200, True)
    newest, *_ = history(firestore)
    assert (newest.version, newest.in_force, newest.by) == (EARLIER.version, True, "console by ada")
    assert [each["catalog_version"] for each in heard()] == [EARLIER.version]


def test_a_page_that_is_older_than_the_catalog_in_force_replaces_nothing(sources, firestore):
    client = consoles.client(sources, may_write=True)
    fields = form_of(client.get("/catalog/diff", params={"before": LATER.version, "after": EARLIER.version}).text)
    publish_catalog(firestore, LATER)
    refused = client.post("/catalog/rollback", data=fields)
    assert (refused.status_code, "expected publication" in text_of(refused.text)) == (502, True)
    assert catalog_in_force(firestore) == LATER.version


@pytest.mark.parametrize(
    "more",
    [{"replacing": "x"}, {"replacing": ""}, {"version": ""}, {"version": "none"}, {"version": LATER.version}],
)
def test_a_form_that_makes_no_sense_publishes_nothing(sources, firestore, more):
    client = consoles.client(sources, may_write=True)
    fields = form_of(client.get("/catalog/diff", params={"before": LATER.version, "after": EARLIER.version}).text)
    assert client.post("/catalog/rollback", data=fields | more).status_code in {400, 502}
    assert catalog_in_force(firestore) == LATER.version


def test_without_write_there_is_the_command_in_place_of_the_form(sources, firestore):
    client = consoles.client(sources)
    html = client.get("/catalog/diff", params={"before": LATER.version, "after": EARLIER.version}).text
    assert f"upbeat catalog rollback {EARLIER.version}" in html
    token = form_of(client.get("/catalog/what-if").text).get("token", "")
    answer = client.post("/catalog/rollback", data={"token": token, "version": EARLIER.version, "replacing": "1"})
    assert answer.status_code == 403
    assert catalog_in_force(firestore) == LATER.version


def test_where_nothing_is_published_the_page_says_how_to(firestore):
    client = consoles.client(consoles.sources(catalogs=PublishedCatalogs(firestore)))
    assert "No catalog is in force" in client.get("/catalog").text


@pytest.mark.slow
def test_rolling_back_in_a_browser(sources, firestore):
    with consoles.served(sources, may_write=True) as base, browser() as chromium, opened(chromium) as page:
        page.goto(f"{base}/catalog")
        page.get_by_role("link", name="compare, roll back").first.click()
        assert faults(page) == []
        page.get_by_label("Your name").fill("eve")
        page.get_by_role("button", name=f"Put {EARLIER.version} in force").press("Enter")
        page.get_by_role("heading", name=f"{EARLIER.version} is in force").wait_for()
        assert faults(page) == []
    assert catalog_in_force(firestore) == EARLIER.version
