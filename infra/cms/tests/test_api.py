"""The API that Upbeat asks."""

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from entries.models import KINDS, Mistake, Report

MISTAKE = {
    "type": "offer",
    "id": "annual",
    "path": "offers.annual.plan_to",
    "expected": "a plan",
    "found": "<script>alert(1)</script>",
    "message": "offers.annual.plan_to: expected a plan, found <script>alert(1)</script>",
}


@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer ", "Bearer a wrong one", "Basic {}", "bearer {}", "{}", "Bearer é"]
)
@pytest.mark.parametrize(("path", "method"), [("entries", "get"), ("reports", "put"), ("entries", "delete")])
def test_without_the_token_nothing_is_told(client, settings, offer, path, method, given):
    headers = {} if given is None else {"Authorization": given.format(settings.API_TOKEN)}
    answer = getattr(client, method)(f"/api/upbeat/{path}", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert settings.API_TOKEN not in answer.content.decode()


def test_a_site_without_a_token_lets_nobody_in(client, settings, db):
    settings.API_TOKEN = ""
    for given in ("", "Bearer ", "Bearer"):
        assert client.get("/api/upbeat/entries", headers={"Authorization": given}).status_code == 401


def test_who_is_logged_in_still_needs_the_token(admin):
    assert admin.get("/api/upbeat/entries").status_code == 401


def test_each_address_has_one_method(ask):
    for path, method, allowed in (
        ("entries", "put", "GET"),
        ("entries", "post", "GET"),
        ("reports", "get", "PUT"),
    ):
        answer = ask(path, method)
        assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)


def test_an_entry_says_who_when_and_where(offer, ask):
    offer.refresh_from_db()
    [entry] = ask("entries").json()["entries"]
    assert entry == {
        "type": "offer",
        "id": "annual",
        "key": "offer/annual",
        "fields": {"cms_ref": "offers/annual", "validity_hours": 72},
        "author": "admin",
        "approved_by": None,
        "published_at": offer.last_published_at.isoformat().replace("+00:00", "Z"),
        "url": f"http://127.0.0.1:8800/admin/snippets/entries/offer/edit/{offer.pk}/",
    }


def test_an_entry_whose_author_was_deleted_has_none(offer, admin, ask):
    admin.user.delete()
    assert ask("entries").json()["entries"][0]["author"] is None


@pytest.mark.parametrize("limit", [1, 2, 7, 29, 30, 31, 500])
def test_pages_of_any_size_hold_every_entry_once(shipped, ask, limit):
    keys, after = [], ""
    while after is not None:
        page = ask("entries", data={"limit": limit, "after": after}).json()
        assert len(page["entries"]) == limit or page["next"] is None
        keys += [entry["key"] for entry in page["entries"]]
        after = page["next"]
    rows = [(kind, row.entry_id) for kind, model in KINDS.items() for row in model.objects.all()]
    assert sorted(keys) == sorted(f"{kind}/{entry_id}" for kind, entry_id in rows)


def test_a_cursor_ends_with_the_next_publication(shipped, admin, ask):
    after = ask("entries", data={"limit": 5}).json()["next"]
    assert ask("entries", data={"after": after}).status_code == 200
    admin.edit(KINDS["offer"].objects.first(), "publish")
    assert ask("entries", data={"after": after}).status_code == 409


@pytest.mark.parametrize("limit", ["0", "501", "-1", "1.5", "", "ten", "9" * 5000, "1_0", "٣"])
def test_a_limit_is_a_number_in_bounds(ask, limit):
    answer = ask("entries", data={"limit": limit})
    assert answer.status_code == 400
    assert "limit: expected a whole number from 1 to 500, found" in answer.json()["error"]
    assert len(answer.content) < 300


@pytest.mark.parametrize("after", ["1", "a.b", "1.2.3", "-1.0", "9" * 5000 + ".0", "1.0\n", "0.5' OR 1=1"])
def test_a_cursor_is_one_of_this_site(ask, after):
    assert ask("entries", data={"after": after}).status_code == 400


def test_a_cursor_past_the_end_finds_nothing(ask):
    assert ask("entries", data={"after": "0.999999999"}).json() == {"entries": [], "next": None}


def put(ask, content):
    return ask("reports", "put", data=content, content_type="application/json")


def test_a_report_replaces_the_one_before(ask, db):
    assert (
        put(ask, {"version": None, "mistakes": [MISTAKE, {"type": None, "id": None, "message": "a"}]}).status_code
        == 200
    )
    assert [*Mistake.objects.order_by("-kind").values_list("kind", "entry_id")] == [("offer", "annual"), ("", "")]
    assert put(ask, {"version": "6254ba5e46a3f0ef", "mistakes": []}).json() == {"mistakes": 0}
    assert not Mistake.objects.exists()
    assert [report.version for report in Report.objects.all()] == ["6254ba5e46a3f0ef"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "not_json"),
        ("[]", "expected an object"),
        ('{"mistakes": [NaN]}', "NaN"),
        ("{}", "mistakes: expected a value, found nothing"),
        ('{"mistakes": {}}', "mistakes: expected"),
        ('{"mistakes": [{"type": "offer"}]}', "mistakes[0].message: expected a value, found nothing"),
        ('{"mistakes": [{"message": 5}]}', "mistakes[0].message: expected text"),
        ('{"mistakes": [], "version": ["a"]}', "version: expected text"),
        ('{"mistakes": ' + "[" * 100_000, ""),
        ('{"version": "' + "a" * 65 + '", "mistakes": []}', "version: expected at most 64 characters"),
    ],
)
def test_a_report_that_cannot_be_read_changes_nothing(ask, db, content, told):
    put(ask, {"version": None, "mistakes": [MISTAKE]})
    answer = ask("reports", "put", data=content, content_type="application/json")
    assert answer.status_code == 400
    assert told in answer.json()["error"] or told == "not_json"
    assert Mistake.objects.count() == 1


def test_a_report_has_a_bound(ask, db):
    assert put(ask, " " * 2_000_001).status_code == 413
    assert put(ask, {"mistakes": [{"message": "a"}] * 5_001}).status_code == 400
    assert put(ask, {"mistakes": [{"message": "a"}] * 5_000}).status_code == 200


def test_a_mistake_is_shown_at_its_entry_and_in_the_listing(offer, editor, ask):
    put(ask, {"version": None, "mistakes": [MISTAKE, MISTAKE]})
    page = editor.get(editor.page(offer, "edit")).content.decode()
    assert "Upbeat found mistakes" in page
    assert "expected a plan, found &lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    listing = editor.get(reverse(offer.snippet_viewset.get_url_name("list")))
    assert "2" in [cell.text.strip() for cell in BeautifulSoup(listing.content, "html.parser").select("td")]
    assert "Upbeat found 2 mistakes" in editor.get("/admin/").content.decode()
    put(ask, {"version": "a", "mistakes": []})
    assert "Upbeat found" not in editor.get(editor.page(offer, "edit")).content.decode()
    assert "Upbeat found no mistake" in editor.get("/admin/").content.decode()


def test_a_mistake_of_no_entry_is_shown_on_the_first_page(editor, ask):
    put(ask, {"mistakes": [{"message": "catalog: expected <b>at most</b> 500"}]})
    assert "expected &lt;b&gt;at most" in editor.get("/admin/").content.decode()


def test_the_first_page_leads_to_each_mistake(offer, editor, ask):
    others = [{"type": kind, "id": "x", "message": f"of {kind}"} for kind in ("offer", "page", "Webhook")]
    put(ask, {"mistakes": [MISTAKE, *others]})
    page = BeautifulSoup(editor.get("/admin/").content, "html.parser")
    links = page.select("#upbeat-content a, #panel-upbeat-content a")
    assert [link["href"] for link in links] == [f"http://127.0.0.1:8800{editor.page(offer, 'edit')}"]
    assert all(f"of {each['type']}" in page.text for each in others)
