"""The pages of users: search, and one life."""

import re
import shutil
import sqlite3
from html import unescape

import httpx2
import pytest

from infra.console.life_pages import MOST_ENTRIES
from infra.raw.folder import RAW
from infra.replay.stores import STORE
from shared.contracts.inbound.fields import MAX_ID
from shared.domain.subscription import Status
from tests.infra.console.lived import MARKUP, NOW, ODD, live
from tests.support import consoles
from tests.support.consoles import text_of
from tests.support.replays import erasure, payment

MOST_PAGE_BYTES = 200_000


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    return live(tmp_path_factory.mktemp("lived"))


@pytest.fixture(scope="module")
def client(lived):
    return lived.client()


def page(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, text_of(answer.text)
    return unescape(answer.text)


def hrefs(html, within="/users/"):
    return [unescape(found) for found in re.findall(r'href="([^"]*)"', html) if found.startswith(within)]


def kinds(html):
    return re.findall(r'<li class="k-(\w+)">', html)


def test_users_are_found_by_the_beginning_of_an_id(client):
    assert "1 found for “ad”" in text_of(page(client, "/users?q=ad"))
    assert "0 found for “AD”" in text_of(page(client, "/users?q=AD"))


def test_the_users_of_the_newest_messages_are_listed_each_once(client):
    text = text_of(page(client, "/users"))
    assert "Of the newest messages" in text
    assert text.count("ada") == 1


def test_a_search_for_what_no_id_can_hold_says_so(client):
    assert "No user has such an id: expected 1 to" in text_of(page(client, "/users?q=a b"))


def test_every_id_of_the_contract_has_a_page_and_is_escaped(tmp_path):
    ids = [".", "..", "...", "%2e", "?", "#", "__x__", "a&id=b", "+", "~!$'()*;:@,=", ODD, "<script>"]
    lived = live(tmp_path, *(payment(user, days=1, event_id=f"p{number}") for number, user in enumerate(ids)))
    with consoles.served(lived.sources()) as base:  # a test client decodes a path twice
        links = {*hrefs(httpx2.get(f"{base}/users").text)} - {"/users"}
        pages = {link: httpx2.get(base + link) for link in links}
    assert len(pages) == len(ids)
    titles = {unescape(re.search(r"<h1>(.*?)</h1>", found.text)[1]) for found in pages.values()}
    assert titles == {*ids}
    assert not any("<b>" in found.text or "<script>" in found.text for found in pages.values())


def test_nothing_is_known_of_a_user_who_is_neither_in_the_store_nor_in_the_log(client):
    answer = client.get("/users/nobody")
    assert (answer.status_code, "Nothing is known of a user with this id" in answer.text) == (404, True)


@pytest.mark.parametrize(
    "path", ["/users/a b", "/users/" + "x" * (MAX_ID + 1), "/users/", "/users/?id=a/b", "/users/a/b"]
)
def test_what_is_no_id_is_no_user(client, path):
    answer = client.get(path)
    assert (answer.status_code, "No user has such an id" in answer.text) == (404, True)


def test_bands_show_each_status_with_its_time(client):
    html = page(client, "/users/ada")
    bands = re.findall(r'<rect class="s-(\w+)" width="100%"', html)
    assert bands == ["trialing", "active", "grace", "active", "expired"]
    assert "trialing from 2026-01-01 00:00, active from 2026-01-14 00:00" in html
    table = text_of(html[html.index("The bands as a table") :])
    assert "main grace premium 2026-02-13 00:00 2026-02-15 00:00" in table


def test_marks_show_events_refusals_changes_and_offers(client):
    html = page(client, "/users/ada")
    drawn = re.findall(r'<use class="m-(\w+)" href="#m-\w+" x="[\d.]+%"', html)
    assert {"event", "rejected", "change", "offer", "revoked"} == {*drawn}
    assert 'href="?length=14+days"' in html


def test_a_shorter_time_shows_less_and_leads_to_what_is_beside_it(client):
    html = page(client, "/users/ada?length=14+days")
    assert "from 2026-03-06 00:00 to 2026-03-20 00:00" in html
    assert re.findall(r'<rect class="s-(\w+)" width="100%"', html) == ["active", "expired"]
    earlier = re.search(r'href="(\?[^"]*)" rel="prev">earlier', html)
    assert earlier
    before = page(client, f"/users/ada{earlier[1]}")
    assert "from 2026-02-20 00:00 to 2026-03-06 00:00" in before
    assert 'rel="next">later' in before


@pytest.mark.parametrize("until", ["yesterday", "2026-03-01", "99999-01-01T00:00:00Z", "<b>"])
def test_a_time_that_is_none_is_told(client, until):
    answer = client.get("/users/ada", params={"length": "14 days", "until": until})
    assert (answer.status_code, "until: expected an RFC 3339 time" in answer.text) == (400, True)
    assert "<b>" not in answer.text


def test_the_facts_of_now_stand_beside_what_led_to_them(client):
    text = text_of(page(client, "/users/ada"))
    for fact in (
        "status expired",
        "auto_renew no",
        "trial_used yes",
        "payment premium 2026-02-15 00:00 2026-03-17 00:00 999 EUR",
        "trial premium 2026-01-01 00:00 2026-01-15 00:00 cut 2026-01-14 00:00",
        "churn_risk version 1",
        "lapsed@7d is decided",
        "next look of the clock at this user",
    ):
        assert fact in text


def test_everything_that_happened_is_told_newest_first(client):
    html = page(client, "/users/ada")
    text = text_of(html)
    assert "payment failed: premium, 2026-02-13 to 2026-03-15" in text
    assert "payment_recovery: impression" in text
    assert "payment ada-bad: invalid: amount: expected whole minor units" in text
    instants = re.findall(r'<time class="time" datetime="([^"]+)"', html)
    assert instants == sorted(instants, reverse=True)


def test_a_decision_unfolds_to_every_campaign_with_its_reason(client):
    html = page(client, "/users/ada?kind=decision")
    assert {*kinds(html)} == {"decision"}
    text = text_of(html)
    assert "stopped: not in its audience" in text
    assert "clause " in text
    assert "payment_recovery issued" in text


def test_a_trigger_tells_its_fate(client):
    assert "payment_recovery: update_payment_method in email (payment.failed) impression, revoked" in text_of(
        page(client, "/users/ada?kind=trigger")
    )


def test_an_unknown_kind_shows_all(client):
    assert {*kinds(page(client, "/users/ada?kind=<b>"))} >= {"event", "decision"}


def test_markup_in_every_field_of_an_event_is_text(client):
    html = client.get("/users/eve").text
    assert MARKUP not in html
    assert "<script>alert" not in html
    assert f"payment succeeded: {MARKUP}" in unescape(html)


class TestWhatIf:
    def ask(self, client, user="ada", **asked):
        answer = client.get(f"/users/{user}", params=asked)
        assert answer.status_code == 200
        text = text_of(unescape(answer.text))
        return text[text.index("What if The") : text.index("Everything that happened")]

    def test_a_moment_is_decided_with_every_reason_and_nothing_is_written(self, client, lived):
        before = (lived.folder / STORE).read_bytes()
        text = self.ask(client, moment="lapsed@7d", at="2026-03-24T00:00:00Z")
        assert "If lapsed@7d came at 2026-03-24 00:00 UTC, catalog" in text
        assert "win_back issued" in text
        assert (lived.folder / STORE).read_bytes() == before

    def test_a_moment_that_is_not_true_is_decided_all_the_same_and_told_as_stale(self, client):
        text = self.ask(client, moment="payment.failed")
        assert "It would be stale if it came then: payment.failed is not true" in text

    def test_a_score_of_the_catalog_is_known(self, client):
        text = self.ask(client, moment="auto_renew.off")
        assert "scores.churn_risk was 0." in text or "ranked by its score: 0." in text

    def test_the_past_is_decided_by_what_was_known_then(self, client):
        text = self.ask(client, moment="payment.failed", at="2026-02-13T12:00:00Z")
        assert "The past, as it was known then, from the raw log." in text

    @pytest.mark.parametrize(
        ("asked", "problem"),
        [
            ({"moment": "nothing"}, "moment: expected one of"),
            ({"moment": "<b>"}, "moment: expected one of"),
            ({"moment": "lapsed@x"}, "moment: expected"),
            ({"moment": "activated", "at": "soon"}, "at: expected an RFC 3339 time"),
            ({"moment": "activated", "at": "2026-03-01"}, "at: expected an RFC 3339 time"),
        ],
    )
    def test_what_makes_no_sense_is_told(self, client, asked, problem):
        assert problem in self.ask(client, **asked)

    def test_every_moment_that_is_offered_can_be_asked_for(self, client):
        html = page(client, "/users/ada")
        offered = re.findall(r"<option[^>]*>([^<]+)</option>", html)
        assert len(offered) > 10
        for moment in offered:
            assert "would decide:" in self.ask(client, moment=moment)


def test_a_user_only_in_the_log_is_told_by_it(tmp_path):
    lived = live(tmp_path)
    client = consoles.client(consoles.sources(lived.folder / RAW, now=lambda: NOW))
    text = text_of(page(client, "/users/ada"))
    assert "There is no document of this user. The raw log alone tells this." in text
    assert "expired has no access" in text
    assert "Everything that happened" in text
    assert "not all is known of assignments" in text_of(page(client, "/users/ada?moment=activated"))


def test_of_an_erased_user_the_page_says_when(tmp_path):
    lived = live(tmp_path, payment("eve", days=1), erasure("eve", days=2))
    answer = lived.client().get("/users/eve")
    assert answer.status_code == 404
    assert "The user with this id was erased at 2026-01-03 00:00:00 UTC: nothing is known." in text_of(answer.text)
    assert "premium" not in answer.text


def test_a_user_only_in_the_store_is_told_by_the_document(tmp_path):
    lived = live(tmp_path)
    shutil.rmtree(lived.folder / RAW)
    text = text_of(page(lived.client(), "/users/ada"))
    assert (
        "Decisions and changes of more than 14 days ago and rejected events are not told: there is no raw log."
        in text
    )
    assert "payment succeeded: premium" in text
    assert "ada" in text_of(page(lived.client(), "/users")), "the first by id"


def test_a_document_that_cannot_be_read_hides_nothing_of_the_log(tmp_path):
    lived = live(tmp_path)
    with sqlite3.connect(lived.folder / STORE) as store:
        store.execute("update subscriptions set blob = x'00' where user_id = 'ada'")
    text = text_of(page(lived.client(), "/users/ada"))
    assert "cannot be read by this version" in text
    assert "What follows is told by the raw log alone." in text
    assert "payment failed: premium" in text


def test_a_log_with_torn_and_garbage_lines_is_told_as_far_as_it_goes(tmp_path):
    lived = live(tmp_path)
    payments = lived.folder / RAW / "payment.jsonl"
    first, *others = payments.read_bytes().splitlines(keepends=True)
    payments.write_bytes(b"\xff\xfe garbage\n{}\n" + b"".join(others) + first[:40])
    text = text_of(page(lived.client(), "/users/ada"))
    assert "payment failed: premium" in text
    assert "2 lines of the raw log cannot be read" in text


def test_a_thousand_events_are_paged_and_each_is_told_once(tmp_path):
    lines = [
        payment("ada", days=number / 20, event_id=f"p{number}", payment_id=f"p{number}") for number in range(300)
    ]
    client = live(tmp_path, *lines).client()
    path, seen, pages = "/users/ada?kind=event", 0, 0
    while path:
        html = page(client, path)
        seen, pages = seen + len(kinds(html)), pages + 1
        assert len(kinds(html)) <= MOST_ENTRIES
        older = re.search(r'href="([^"]*)#life-section" rel="next">older', html)
        path = f"/users/ada{older[1]}" if older else None
    assert (seen, pages > 2) == (300, True)
    newer = re.search(r'href="([^"]*)#life-section" rel="prev">newer', html)
    assert newer, "the oldest page leads back"


@pytest.mark.parametrize("end", ["0", "-1", "x", "9" * 30, "1"])
def test_a_page_that_is_none_shows_another_one(client, end):
    assert kinds(page(client, f"/users/ada?end={end}"))


def test_every_status_has_a_colour_in_the_styles():
    from infra.console.rendering import FOLDER  # noqa: PLC0415 - of this test alone

    styles = (FOLDER / "static" / "users.css").read_text()
    assert [status for status in Status if f"rect.s-{status} " not in styles] == [Status.NONE]


def test_a_page_stays_small_whatever_senders_wrote(tmp_path):
    wide = {"plan": "<" * 128, "store": "<" * 64, "product_id": "&" * 256, "source": "<" * 256}
    lines = [payment("ada", days=number, event_id=f"p{number}" + "<" * 200, **wide) for number in range(150)]
    lines += [
        payment("ada", days=200, event_id=f"b{number}" + "<" * 200, amount="<" * 9000) for number in range(99)
    ]
    lived = live(tmp_path, *lines)
    for path in ("/users/ada", "/users/ada?kind=rejected", "/users/ada?kind=decision", "/users/ada?end=60"):
        assert len(lived.client().get(path).content) < MOST_PAGE_BYTES


@pytest.mark.slow
def test_a_store_that_is_being_written_is_told_as_such(tmp_path):
    lived = live(tmp_path)
    with sqlite3.connect(lived.folder / STORE, isolation_level=None) as store:
        store.execute("begin exclusive")
        text = text_of(page(lived.client(), "/users/ada"))
        assert "is being written by another process: look again in a moment" in text
        assert "What follows is told by the raw log alone." in text
        assert "is being written" in lived.client().get("/users?q=a").text


def test_refunds_of_unknown_payments_wait_in_sight(tmp_path):
    unknown = payment("ada", days=3, outcome="refunded", event_id="refund", payment_id="<i>", period_start=None)
    html = live(tmp_path, payment("ada", days=1), unknown).client().get("/users/ada").text
    assert "Verdicts without a payment 2026-01-04 00:00 refunded of payment &lt;i&gt;" in text_of(html)
