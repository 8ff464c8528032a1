"""Entries from the Wagtail site: all pages or none, who wrote each, and mistakes told at their entries."""

import pytest

from shared.adapters.cms import wagtail
from shared.adapters.cms.rest import Rest
from shared.adapters.cms.wagtail import WagtailEntries, author_of
from shared.decisioning.compile import compile_catalog
from shared.decisioning.document.entries import MAX_ENTRIES, Mistake, assemble
from shared.domain.errors import Transient
from tests.support.wagtail import SALE, TOKEN, item, place, site


def entries_of(running, token=TOKEN):
    return WagtailEntries(Rest("Wagtail", running.url, token))


async def test_what_is_published_is_a_catalog_with_who_wrote_and_approved_each():
    approved = item("offer", "more", "eve", "bob", cms_ref="y", validity_hours=1)
    with site(*SALE, approved) as running:
        entries, mistakes = await entries_of(running).list()
    assert mistakes == []
    content = assemble(entries).content
    assert content["campaigns"]["sale"]["offer"] == "any"
    assert content["milestones"] == {"lapsed": [7]}
    compile_catalog(content)
    people = {entry.id: (entry.author, entry.approved_by, entry.place) for entry in entries}
    assert people["more"] == ("eve", "bob", place("offer", "more"))
    assert people["any"] == ("ada", None, place("offer", "any"))


async def test_every_page_is_read_with_the_token(monkeypatch):
    monkeypatch.setattr(wagtail, "PAGE_SIZE", 1)
    with site(*SALE) as running:
        entries, _ = await entries_of(running).list()
    assert len(entries) == 4
    assert [asked.query.get("after") for asked in running.requests] == [None, ["4.1"], ["4.2"], ["4.3"]]
    assert {asked.token for asked in running.requests} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize("fails_from", [0, 1, 2, 3])
async def test_a_site_that_is_down_at_any_page_tells_nothing(monkeypatch, fails_from):
    monkeypatch.setattr(wagtail, "PAGE_SIZE", 1)
    with site(*SALE) as running:
        running.fails_from = fails_from
        with pytest.raises(Transient, match="HTTP status 503"):
            await entries_of(running).list()


async def test_entries_that_change_between_pages_tell_nothing(monkeypatch):
    monkeypatch.setattr(wagtail, "PAGE_SIZE", 2)
    with site(*SALE) as running:
        running.grows = True
        with pytest.raises(Transient, match="HTTP status 409"):
            await entries_of(running).list()


@pytest.mark.parametrize(
    "garbage",
    [
        *(b"", b"[]", b"null", b"{", b"\xff", b"7", b'{"entries": []}', b'{"next": null}', b"[" * 100_000),
        b'{"entries": {}, "next": null}',
        b'{"entries": [], "next": true}',
        b'{"entries": [], "next": 7}',
        b'{"entries": [], "next": ""}',
        b'{"entries": [1], "next": null}',
        b'{"entries": [{"type": "offer", "id": "a", "url": "u"}], "next": null}',
        b'{"entries": [{"type": "offer", "id": 7, "url": "u", "fields": {}}], "next": null}',
        b'{"entries": [{"type": "offer", "id": "a", "url": "u", "fields": []}], "next": null}',
        b'{"entries": [{"type": "offer", "id": "a", "url": "u", "fields": {}, "author": 1}], "next": null}',
        b'{"entries": [{"type": "offer", "id": "a", "url": "u", "fields": {}, "approved_by": {}}], "next": null}',
        b'{"entries": [], "next": "the same one again"}',
    ],
)
async def test_an_answer_that_is_no_page_tells_nothing(garbage):
    with site() as running:
        running.garbage = garbage
        with pytest.raises(Transient) as failure:
            await entries_of(running).list()
    assert TOKEN not in str(failure.value)


async def test_more_entries_than_any_catalog_has_are_not_read(monkeypatch):
    monkeypatch.setattr(wagtail, "PAGE_SIZE", MAX_ENTRIES)
    many = (item("offer", f"o{number}") for number in range(MAX_ENTRIES + 1))
    with site(*many) as running, pytest.raises(Transient, match=f"expected at most {MAX_ENTRIES} entries"):
        await entries_of(running).list()


async def test_another_token_is_refused_and_not_told():
    with site(*SALE) as running, pytest.raises(Transient, match="HTTP status 401") as failure:
        await entries_of(running, "another-token").list()
    assert "another-token" not in f"{failure.value!r} {entries_of(running, 'another-token').api!r}"


async def test_an_entry_of_another_type_is_a_mistake_at_its_place():
    with site(item("ofer", "any")) as running:
        entries, (mistake,) = await entries_of(running).list()
    assert entries == []
    assert mistake.place == place("ofer", "any")
    assert mistake.problem.startswith("type: expected one of channel, placement, offer")
    assert mistake.problem.endswith("(offer?), found ofer")


async def test_mistakes_are_reported_at_their_entries_and_replace_those_before():
    with site(*SALE) as running:
        entries = entries_of(running)
        await entries.list()
        sentence = "offers.any.validity_hours: expected at least 1, found 0"
        told = [Mistake(place("offer", "any"), sentence), Mistake("", "no sentence with parts")]
        await entries.report(told, None)
        await entries.report([], "0123456789abcdef")
    assert running.reports == [
        {
            "version": None,
            "mistakes": [
                {
                    "type": "offer",
                    "id": "any",
                    "path": "offers.any.validity_hours",
                    "expected": "at least 1",
                    "found": "0",
                    "message": sentence,
                },
                {
                    "type": None,
                    "id": None,
                    "path": "",
                    "expected": "",
                    "found": "",
                    "message": "no sentence with parts",
                },
            ],
        },
        {"version": "0123456789abcdef", "mistakes": []},
    ]


async def test_a_report_that_is_not_taken_is_a_failure():
    with site() as running:
        running.status = 500
        with pytest.raises(Transient, match="HTTP status 500"):
            await entries_of(running).report([], None)


async def test_no_redirect_takes_the_token_elsewhere():
    with site() as running:
        running.status = 307
        with pytest.raises(Transient, match="HTTP status 307"):
            await entries_of(running).report([], None)


async def test_a_name_that_cannot_be_stored_is_told_as_far_as_it_can():
    with site(item("offer", "any", "a" * 1_000, "\ud800")) as running:
        ((entry,), _) = await entries_of(running).list()
    assert (entry.author, entry.approved_by) == ("a" * wagtail.MAX_NAME, "?")


@pytest.mark.parametrize(
    ("body", "author"),
    [
        (b'{"event": "unpublished", "entry": {}, "by": "ada@example.com"}', "ada@example.com"),
        *((body, None) for body in (b"", b"[]", b"{}", b'{"by": 1}', b'{"by": ""}', b"[" * 100_000)),
    ],
)
def test_the_editor_is_the_one_whom_the_body_names(body, author):
    assert author_of(body) == author
