"""The pages of the admin: every one opens, and shows what it is given as text."""

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from entries.models import KINDS, CatalogEntry

MARKUP = "<script>alert(1)</script>\"'&{{ 1 }}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_listing_and_every_form_opens(shipped, editor, kind):
    viewset = KINDS[kind].snippet_viewset
    for name in ("list", "add"):
        assert editor.get(reverse(viewset.get_url_name(name))).status_code == 200
    if (entry := KINDS[kind].objects.first()) is None:
        return
    for name in ("edit", "history", "usage", "copy"):
        page = editor.get(editor.page(entry, name))
        assert page.status_code == 200
        assert "If all drafts were published" not in page.content.decode()


def test_who_is_not_logged_in_sees_nothing(client, offer):
    for path in ("/admin/", "/admin/snippets/entries/offer/", f"/admin/snippets/entries/offer/edit/{offer.pk}/"):
        assert client.get(path).headers["Location"].startswith("/admin/login/")


def test_a_form_without_its_token_is_refused(admin, offer):
    admin.handler.enforce_csrf_checks = True
    assert admin.edit(offer, "publish", validity_hours=1, csrfmiddlewaretoken="").status_code == 403
    offer.refresh_from_db()
    assert offer.validity_hours == 72


def test_markup_in_every_field_is_shown_as_text(editor, approver, ask, settings):
    fields = {"entry_id": "a", "validity_hours": 1, "more": "{}"}
    words = dict.fromkeys(("cms_ref", "plan_to", "price_ref", "plans_from"), MARKUP)
    editor.add("offer", "submit", **fields, **words)
    offer = KINDS["offer"].objects.get()
    ask(
        "reports",
        "put",
        content_type="application/json",
        data={"mistakes": [{"type": "offer", "id": "a", "message": MARKUP}]},
    )
    pages = [editor.page(offer, name) for name in ("edit", "history", "workflow_history")]
    pages += ["/admin/", "/admin/snippets/entries/offer/", "/admin/reports/workflow/"]
    for address in pages:
        assert MARKUP[:15] not in editor.get(address).content.decode()
    approver.approve(offer)
    [entry] = ask("entries").json()["entries"]
    assert entry["fields"] == {**words, "plans_from": [MARKUP], "validity_hours": 1}


def test_markup_in_a_preview_is_shown_as_text(admin, offer):
    offer.plan_to = MARKUP
    offer.more = {MARKUP: MARKUP}
    page = offer.make_preview_request(preview_mode="").render().content.decode()
    assert "&lt;script&gt;" in page
    assert MARKUP[:15] not in page


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"validity_hours": 9000}, "offers.annual.validity_hours: expected at most 8760, found 9000"),
        ({"validity_hours": -1}, "greater than or equal to 0"),
        ({"status": "aproved"}, "Select a valid choice"),
        (
            {"more": '{"plan_too": "x"}'},
            "offers.annual.plan_too: expected a known field (plan_to?), found &quot;x&quot;",
        ),
        ({"more": '{"validity_hours": 5}'}, "validity_hours: expected it once, found it above as well"),
        ({"more": "[1]"}, "expected an object, found a list"),
        ({"more": "{"}, "not_json: the data"),
        ({"more": '{"a": NaN}'}, "NaN"),
        ({"more": '{"a": ' * 5_000}, "expected at most 32 levels"),
        ({"more": '{"a": ' + "[" * 100 + "]" * 100 + "}"}, "expected at most 32 levels"),
        ({"more": '{"a": 1, "a": 2}'}, "expected each"),
        ({"more": '{"a": ' + "9" * 5000 + "}"}, "thousands of digits"),
        ({"cms_ref": "a" * 201}, "at most 200 characters"),
        ({"plans_from": "a\n" + "b" * 129}, "offers.annual.plans_from[1]: expected at most 128 characters"),
    ],
)
def test_a_mistake_in_one_entry_is_told_before_it_is_stored(offer, editor, fields, told):
    page = editor.edit(offer, **fields)
    assert page.status_code == 200
    assert told in page.content.decode()
    assert offer.revisions.count() == 1


def test_a_draft_may_lack_what_it_needs_to_be_submitted(editor):
    editor.add("campaign", entry_id="sale", priority=5, more="{}")
    campaign = KINDS["campaign"].objects.get()
    page = editor.edit(campaign, "submit")
    assert "This field is required" in page.content.decode()
    assert not campaign.workflow_in_progress


def test_a_reference_is_chosen_from_the_entries_there_are(shipped, editor):
    campaign = KINDS["campaign"].objects.get(entry_id="win_back")
    page = editor.edit(campaign, offer="come_bak")
    assert "Select a valid choice. come_bak" in page.content.decode()
    editor.edit(campaign, offer="keep_listening")
    assert campaign.revisions.latest("pk").as_object().offer == "keep_listening"


def test_what_is_wrong_between_drafts_is_shown_at_the_entry(shipped, editor):
    campaign = KINDS["campaign"].objects.get(entry_id="save_offer")
    editor.edit(campaign, exclusivity_group="alone")
    page = editor.get(editor.page(campaign, "edit")).content.decode()
    assert "campaigns.save_offer.exclusivity_group: expected a group of several campaigns" in page


def test_an_id_stays(offer, editor):
    editor.edit(offer, entry_id="other", validity_hours=5)
    latest = offer.revisions.latest("pk").as_object()
    assert (latest.entry_id, latest.validity_hours) == ("annual", 5)


def test_a_copy_needs_an_id_of_its_own(offer, editor):
    filled = editor.form_at(editor.page(offer, "copy"))
    assert (filled["entry_id"], filled["cms_ref"]) == ("", "offers/annual")
    editor.add("offer", **filled | {"entry_id": "copy"})
    assert [*KINDS["offer"].objects.values_list("entry_id", "live")] == [("annual", True), ("copy", False)]


@pytest.mark.parametrize("entry_id", ["", "a b", "a/b", "-a", "ä", "a" * 65, "annual", "a\n"])
def test_an_id_is_one_of_a_catalog_and_new(offer, editor, entry_id):
    page = editor.add("offer", entry_id=entry_id, cms_ref="x", validity_hours=1, more="{}")
    if entry_id == "a\n":  # a form leaves out white space at the ends
        assert KINDS["offer"].objects.filter(entry_id="a").exists()
    else:
        assert page.status_code == 200
        assert KINDS["offer"].objects.get() == offer


def test_there_is_one_entry_of_settings(editor):
    for _ in range(2):
        editor.add(
            "settings", entry_id="others", time_zone="Europe/Berlin", more="{}", milestones='{"lapsed": [7]}'
        )
    [settings] = KINDS["settings"].objects.all()
    assert settings.fields() == {"time_zone": "Europe/Berlin", "milestones": {"lapsed": [7]}}
    page = editor.edit(settings, time_zone="Berlin").content.decode()
    assert "expected an IANA time zone such as Europe/Stockholm" in page


def test_clauses_and_variants_keep_their_order_and_what_is_wrong_with_one_is_told():
    audience = KINDS["audience"](entry_id="a")
    audience.assign({"all": [{"z": "subscription.entitled"}, {"a": "subscription.plan > 3"}]})
    assert [*audience.all[0].value.items()] == [("name", "z"), ("cel", "subscription.entitled")]
    experiment = KINDS["experiment"](entry_id="a")
    variants = [{"id": "b", "offer": None, "weight": 0.5}, {"id": "a", "offer": "annual", "weight": 0.5}]
    experiment.assign({"variants": variants})
    assert experiment.fields() == {"variants": variants}


def test_the_demo_makes_users_in_debug_alone(db):
    with pytest.raises(CommandError, match="CMS_DEBUG: expected true"):
        call_command("demo")


def test_the_migrations_are_those_of_the_models(db):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_every_column_is_a_field_of_the_catalog():
    from shared.decisioning.document.schema import CatalogDocument  # noqa: PLC0415

    for model in KINDS.values():
        assert issubclass(model, CatalogEntry)
    assert {model.section for model in KINDS.values()} - {"settings"} <= {*CatalogDocument.model_fields}
