"""Entries from Contentful: all pages or none, and each mistake at its entry."""

import pytest

from shared.adapters.cms import contentful
from shared.adapters.cms.contentful import ContentfulEntries, Space, author_of
from shared.adapters.cms.rest import Rest
from shared.decisioning.compile import compile_catalog
from shared.decisioning.document.entries import assemble
from shared.domain.errors import Transient
from tests.support.contentful import LOCALE, SALE, TOKEN, delivering, item, link


def entries_of(api, environment="master"):
    return ContentfulEntries(Space("space1", environment, LOCALE), Rest("Contentful", api.url, TOKEN))


async def listed(*items):
    with delivering(*items) as api:
        return await entries_of(api).list()


async def test_what_is_published_is_a_catalog_with_links_resolved():
    entries, mistakes = await listed(*SALE)
    assert mistakes == []
    content = assemble(entries).content
    assert content["campaigns"]["sale"] == {
        "offer": "any",
        "placement": "banner",
        "moments": ["renewed"],
        "priority": 1,
    }
    assert content["placements"] == {"banner": {"channel": "in_app"}}
    assert content["milestones"] == {"lapsed": [7]}
    compile_catalog(content)
    assert {entry.place for entry in entries} == {
        f"https://app.contentful.com/spaces/space1/environments/master/entries/{number}aB"
        for number in range(1, 5)
    }


async def test_every_page_is_read_with_the_token_in_one_order(monkeypatch):
    monkeypatch.setattr(contentful, "PAGE_SIZE", 2)
    with delivering(*SALE) as api:
        entries, _ = await entries_of(api, "a/b").list()
    assert len(entries) == 4
    assert [asked.query["skip"] for asked in api.requests] == [["0"], ["2"], ["4"]]
    for _, path, query, token, _ in api.requests:
        assert (path, token) == ("/spaces/space1/environments/a%2Fb/entries", f"Bearer {TOKEN}")
        assert (query["order"], query["locale"], query["include"]) == (["sys.id"], ["*"], ["0"])


@pytest.mark.parametrize("fails_from", [0, 1, 2])
async def test_a_cms_that_is_down_at_any_page_tells_nothing(monkeypatch, fails_from):
    monkeypatch.setattr(contentful, "PAGE_SIZE", 2)
    with delivering(*SALE) as api:
        api.fails_from = fails_from
        with pytest.raises(Transient, match="HTTP status 503"):
            await entries_of(api).list()


async def test_entries_that_change_between_pages_tell_nothing(monkeypatch):
    monkeypatch.setattr(contentful, "PAGE_SIZE", 2)
    with delivering(*SALE) as api:
        api.grows = True
        with pytest.raises(Transient, match="have changed"):
            await entries_of(api).list()


@pytest.mark.parametrize(
    "garbage",
    [
        *(b"", b"[]", b"null", b"{", b"\xff", b'{"total": 1}', b"[" * 100_000),
        b'{"total": true, "skip": 0, "items": []}',
        b'{"total": 1, "skip": 0, "items": []}',
        b'{"total": 1, "skip": 0, "items": [1]}',
        b'{"total": 1, "skip": 0, "items": [{"sys": {"id": 7, "contentType": {"sys": {"id": "offer"}}}}]}',
        b'{"total":1,"skip":0,"items":[{"sys":{"id":"a","contentType":{"sys":{"id":"x"}}},"fields":1}]}',
        b'{"total": 9999999, "skip": 0, "items": []}',
    ],
)
async def test_an_answer_that_is_no_page_tells_nothing(garbage):
    with delivering() as api:
        api.garbage = garbage
        with pytest.raises(Transient) as failure:
            await entries_of(api).list()
    assert TOKEN not in str(failure.value)


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (
            item("offer", "2aB", "de-DE", cms_ref="x"),
            "offers.2aB.cms_ref: expected a value in the locale en-US, found de-DE",
        ),
        (
            item("campaign", "9", id="c", offer=link("gone")),
            "campaigns.c.offer: expected a link to a published entry, found one to entry gone",
        ),
        (
            item("campaign", "9", id="c", offer=link("a", "Asset")),
            "campaigns.c.offer: expected a link to a published entry, found one to asset a",
        ),
        (
            item("campaign", "9", id="c", deep=[{"x": link("gone")}]),
            "campaigns.c.deep: expected a link to a published entry, found one to entry gone",
        ),
        (
            item("offer", "9") | {"fields": {"a": 1}},
            "offers.9.a: expected a value in the locale en-US, found none",
        ),
    ],
)
async def test_a_mistake_is_told_at_its_entry(broken, problem):
    _, (mistake,) = await listed(broken)
    assert mistake.problem == problem
    assert mistake.place.endswith(f"/entries/{broken['sys']['id']}")


@pytest.mark.parametrize(
    ("body", "author"),
    [
        (b'{"sys": {"publishedBy": {"sys": {"id": "u1"}}, "updatedBy": {"sys": {"id": "u2"}}}}', "contentful:u1"),
        (b'{"sys": {"updatedBy": {"sys": {"id": "u2"}}}}', "contentful:u2"),
        *(
            (body, None)
            for body in (
                b"",
                b"[]",
                b"{}",
                b'{"sys": 1}',
                b'{"sys": {"updatedBy": {"sys": {"id": 1}}}}',
                b"[" * 100_000,
            )
        ),
    ],
)
def test_the_editor_is_the_one_whom_the_body_names(body, author):
    assert author_of(body) == author
