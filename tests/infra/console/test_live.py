"""Live: the page, its filters, and its stream."""

import asyncio
import re

import pytest

from infra.console import feed as feeds
from infra.console.context import Console
from infra.console.feed import SHOWN, Feed, Wanted
from infra.console.pages.live import _pieces
from infra.console.rendering import Renderer
from infra.console.security import FormGuard
from infra.raw.follower import RECENT, Follower
from tests.support import consoles
from tests.support.consoles import land, text_of

MARKUP = "<img src=x onerror=alert(1)>\"'&"
PAYMENT = {"event_id": "e", "user_id": "ada", "occurred_at": "2026-03-01T09:00:00Z", "outcome": "failed"}


def payment(user="ada", **more):
    return PAYMENT | {"user_id": user} | more


def letter(**more):
    return {"topic": "payment", "reason": "invalid", "detail": "amount: expected more", "data_base64": ""} | more


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "raw"


@pytest.fixture
def page(folder):
    client = consoles.client(consoles.sources(folder))
    return lambda **query: client.get("/", params=query).text


@pytest.fixture
def feed(folder):
    return Feed(Follower(folder))


def texts(html):
    return [text_of(line) for line in re.findall(r'<li class="line.*?</li>', html, re.DOTALL)]


def test_the_newest_message_comes_first_with_its_sentence_and_its_user(page, folder):
    land(folder, "payment", payment(), payment("eve", plan="gold"))
    first, second = texts(page())
    assert "payment" in first
    assert "eve payment failed: gold" in first
    assert "ada payment failed" in second
    assert 'href="/users/eve"' in page()


def test_the_whole_message_is_at_hand(page, folder):
    land(folder, "payment", payment(shop="corner"), b"\xff no JSON")
    whole, odd = re.findall(r"<pre.*?>(.*?)</pre>", page(), re.DOTALL)[::-1]
    assert "&#34;shop&#34;: &#34;corner&#34;" in whole
    assert odd == "\\xff no JSON"


def test_dead_letters_and_revocations_stand_out(page, folder):
    revoked = {"kind": "revoked", "campaign_id": "c", "offer_id": "o", "placement": "p", "moment": "m"}
    land(folder, "upsell-trigger", revoked | {"revoke_reason": "replaced"})
    land(folder, "dead-letter", letter())
    assert 'class="line dead-letter"' in page()
    assert 'class="line revoked"' in page()
    assert "payment: invalid: amount: expected more" in page()


def test_filters_hold_by_topic_user_and_outcome(page, folder):
    land(folder, "payment", payment(), payment("eve"))
    land(folder, "dead-letter", letter())
    assert len(texts(page())) == 3
    assert len(texts(page(topic="payment"))) == 2
    assert ["eve" in one for one in texts(page(user=" eve "))] == [True]
    assert len(texts(page(outcome="dead letter"))) == 1
    assert len(texts(page(topic="payment", outcome="dead letter"))) == 0
    assert "/live/stream?topic=payment&amp;user=eve&amp;outcome=" in page(topic="payment", user="eve")


def test_the_clock_is_told_only_to_who_asks_for_it(page, folder):
    land(folder, "lifecycle-clock", {})
    assert texts(page()) == []
    assert "Nothing yet." in page()
    assert len(texts(page(topic="lifecycle-clock"))) == 1


def test_a_user_is_found_among_all_messages_not_only_the_newest(page, folder):
    land(folder, "payment", payment("old"), *[payment("eve")] * (RECENT + 5))
    assert len(texts(page(user="old"))) == 1
    assert len(texts(page())) == SHOWN


@pytest.mark.parametrize("field", ["event_id", "user_id", "plan", "occurred_at", "outcome", "extra"])
def test_markup_in_any_field_is_text(page, folder, field):
    land(folder, "payment", payment(**{field: MARKUP}))
    land(folder, "dead-letter", letter(detail=MARKUP, reason=MARKUP, topic=MARKUP))
    html = page(user=MARKUP)
    assert "<img" not in html
    assert "<img" not in page()
    assert "&lt;img" in page()


def test_torn_and_garbage_lines_are_counted(page, folder):
    land(folder, "payment", payment())
    with (folder / "payment.jsonl").open("ab") as file:
        file.write(b"garbage\n\xff\n{}\n" + b'{"torn')
    assert "3 lines of the log hold no message" in page()


def test_without_a_log_the_page_says_so_and_the_stream_is_not_there():
    client = consoles.client(consoles.sources())
    assert "There is no raw log to follow here" in client.get("/").text
    assert client.get("/live/stream").status_code == 404


def test_a_log_that_cannot_be_read_is_told(folder):
    folder.mkdir()
    (folder / "payment.jsonl").mkdir()
    answer = consoles.client(consoles.sources(folder)).get("/")
    assert (answer.status_code, "payment.jsonl cannot be read" in answer.text) == (502, True)


def test_news_go_on_from_a_place_and_come_once(feed, folder):
    land(folder, "payment", payment("first"))
    place = feed.page(Wanted()).place
    land(folder, "payment", payment("second"), payment("third"))
    feed.log.refresh()
    news = feed.news(Wanted(), place)
    assert ([one.message.user_id for one in news.lines], news.skipped, news.anew) == (
        ["third", "second"],
        0,
        False,
    )
    assert feed.news(Wanted(), news.place).lines == []
    assert [one.message.user_id for one in feed.news(Wanted(user="second"), place).lines] == ["second"]


def test_a_flood_is_cut_and_what_was_skipped_is_counted(feed, folder):
    place = feed.page(Wanted()).place
    land(folder, "payment", *[payment()] * (RECENT + SHOWN))
    feed.log.refresh()
    news = feed.news(Wanted(), place)
    assert (len(news.lines), news.skipped) == (SHOWN, RECENT)


@pytest.mark.parametrize("place", ["", "x", "other.0.5", "..", "a.b.c", "1.2.\N{SUPERSCRIPT TWO}"])
def test_the_place_of_another_log_gives_the_newest_lines(feed, folder, place):
    land(folder, "payment", payment())
    feed.log.refresh()
    news = feed.news(Wanted(), place)
    assert (len(news.lines), news.anew) == (1, True)


def test_a_log_that_began_anew_is_told(feed, folder):
    land(folder, "payment", payment())
    place = feed.page(Wanted()).place
    (folder / "payment.jsonl").unlink()
    land(folder, "payment", payment("eve"))
    feed.log.refresh()
    news = feed.news(Wanted(), place)
    assert ([one.message.user_id for one in news.lines], news.anew) == (["eve"], True)


async def test_all_listeners_share_one_reading(feed, monkeypatch):
    readings = []
    monkeypatch.setattr(feeds, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(feed.log, "refresh", lambda: readings.append(1))
    await asyncio.gather(*(feed.next_reading() for _ in range(20)))
    assert readings == [1]
    await feed.next_reading()
    assert readings == [1, 1], "and nobody reads while nobody listens"


async def test_a_listener_who_leaves_takes_the_reading_from_nobody(feed, monkeypatch):
    monkeypatch.setattr(feeds, "POLL_SECONDS", 0.01)
    leaving, staying = (asyncio.create_task(feed.next_reading()) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    await staying
    assert leaving.cancelled()


async def test_the_stream_is_made_of_events_with_a_place_each(folder, monkeypatch):
    monkeypatch.setattr(feeds, "POLL_SECONDS", 0.01)
    land(folder, "payment", payment(MARKUP))
    shown = consoles.sources(folder)
    feed = Feed(shown.log)
    console = Console(shown, feed, FormGuard(may_write=False), Renderer({}))
    pieces = _pieces(console, feed, Wanted(), feed.page(Wanted()).place)
    assert (await anext(pieces)).startswith("retry: ")
    land(folder, "payment", payment("eve", plan=MARKUP + "\n\nid: forged"))
    piece = await asyncio.wait_for(anext(pieces), 10)
    assert piece.startswith(f"id: {feed.page(Wanted()).place}\nevent: lines\ndata: ")
    assert all(line.startswith("data: ") for line in piece.strip().splitlines()[2:])
    assert "<img" not in piece
    await pieces.aclose()


async def test_the_stream_ends_when_the_log_can_no_longer_be_read(folder, monkeypatch):
    monkeypatch.setattr(feeds, "POLL_SECONDS", 0.01)
    folder.mkdir()
    shown = consoles.sources(folder)
    feed = Feed(shown.log)
    console = Console(shown, feed, FormGuard(may_write=False), Renderer({}))
    (folder / "payment.jsonl").mkdir()
    assert [piece async for piece in _pieces(console, feed, Wanted(), f"{feed._name}.0")] == ["retry: 2000\n\n"]
