"""Dead letters of a replay's raw log: the list and the letter. What is written is tested on the emulators."""

from base64 import b64encode

import orjson
import pytest

from infra.console.pages.dead_letters import PAGE
from tests.support import consoles
from tests.support.consoles import land, text_of

MARKUP = "<img src=x onerror=alert(1)>\"'&"


def letter(data=b'{"user_id": "ada", "amount": 4.99}', **more):
    encoded = b64encode(data).decode()
    fixed = {"topic": "payment", "reason": "invalid", "detail": "amount: expected whole units, found a decimal"}
    return fixed | {"data_base64": encoded, "attributes": {"shop": "online"}} | more


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "raw"


@pytest.fixture
def client(folder):
    return consoles.client(consoles.sources(folder), may_write=True)


def only_letter(client):
    _, _, rest = client.get("/dead-letters").text.partition('href="/dead-letters/')
    return rest.partition('"')[0]


def test_letters_are_counted_by_reason_with_its_meaning(client, folder):
    land(folder, "dead-letter", letter(), letter(b"[]"), letter(b"x", reason="not_json", detail="the data: no"))
    text = text_of(client.get("/dead-letters").text)
    assert "invalid 2 A field is missing or breaks its rule" in text
    assert "not_json 1" in text
    assert "3 letters" in text
    of_one = text_of(client.get("/dead-letters", params={"reason": "not_json"}).text)
    assert "1 with the reason not_json" in of_one
    assert "amount" not in of_one


def test_a_letter_shows_its_data_with_each_reason_beside_its_field(client, folder):
    two = "amount: expected whole units, found a decimal; profile.country: expected a code, found null"
    two += "; x: expected y"
    data = b'{\n"user_id": "ada", "amount": 4.99, "profile": {"country": 1}}'
    land(folder, "dead-letter", letter(data, detail=two))
    html = client.get(f"/dead-letters/{only_letter(client)}").text
    body = html[html.index("<pre") : html.index("</pre>")]
    assert "4.99,  <mark>← amount: expected whole units, found a decimal</mark>\n" in body
    assert "{  <mark>← profile.country: expected a code, found null</mark>\n" in body
    assert body.rstrip().endswith("<mark>← x: expected y</mark>")
    text = text_of(html)
    assert "shop online" in text
    assert "It would be refused as invalid: " in text
    assert "Mend it" not in text, "a replay's letters are only looked at"


def test_a_letter_that_would_be_accepted_by_now_says_so(client, folder):
    event = {"event_id": "e", "user_id": "ada", "occurred_at": "2026-03-01T09:00:00Z", "outcome": "failed"}
    land(folder, "dead-letter", letter(orjson.dumps(event), reason="unknown_value"))
    text = text_of(client.get(f"/dead-letters/{only_letter(client)}").text)
    assert "It would be accepted: payment failed; the status " in text


def test_ten_thousand_letters_come_in_pages(client, folder):
    land(folder, "dead-letter", *(letter(b'{"number": %d}' % number) for number in range(10_000)))
    first = client.get("/dead-letters")
    assert first.text.count('<th scope="row">') == PAGE
    assert len(first.content) < 200_000
    assert "Page 1 of 100" in text_of(first.text)
    assert 'rel="prev"' not in first.text
    last = client.get("/dead-letters", params={"page": "100", "reason": "invalid"})
    assert last.text.count('<th scope="row">') == PAGE
    assert 'rel="next"' not in last.text
    assert "reason=invalid&amp;page=99" in last.text
    assert "There is no page 101" in client.get("/dead-letters", params={"page": "101"}).text


@pytest.mark.parametrize("page", ["0", "-1", "x", "", "1.5", "9" * 40])
def test_a_page_that_is_no_number_is_told(client, page):
    answer = client.get("/dead-letters", params={"page": page})
    assert (answer.status_code, "page: expected a number from 1" in answer.text) == (400, True)


def test_markup_anywhere_in_a_letter_is_text(client, folder):
    data = orjson.dumps({"user_id": MARKUP, MARKUP: MARKUP})
    land(
        folder,
        "dead-letter",
        letter(data, reason=MARKUP, detail=f"user_id: expected {MARKUP}", attributes={MARKUP: MARKUP}),
    )
    for path in ("/dead-letters", f"/dead-letters/{only_letter(client)}"):
        html = client.get(path).text
        assert "<img" not in html
        assert "&lt;img" in html


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\x00\xfe",
        b"[" * 5000,
        b"null",
        b'"text"',
        b'{"a": NaN}',
        b'{"user_id": "\\ud800", "\\udfff": 1}',
        "\ufeff{}".encode(),
    ],
)
def test_any_data_is_shown(client, folder, data):
    land(folder, "dead-letter", letter(data, detail="the data: expected JSON, found none"))
    answer = client.get(f"/dead-letters/{only_letter(client)}")
    assert (answer.status_code, "← the data: expected JSON" in answer.text) == (200, True)


def test_what_is_no_whole_letter_is_counted(client, folder):
    land(
        folder, "dead-letter", b"garbage", {"topic": "payment"}, letter(topic="nowhere"), letter(truncated_from=9)
    )
    text = text_of(client.get("/dead-letters").text)
    assert "None: everything was processed." in text
    assert "4 more are not complete" in text


@pytest.mark.parametrize("name", ["nope", "%3Cimg%3E", "a%20b", "%0d%0aX: y"])
def test_a_letter_that_is_not_there_is_told(client, name):
    answer = client.get(f"/dead-letters/{name}")
    assert (answer.status_code, "There is no such letter" in answer.text) == (404, True)


def test_nothing_waits_where_there_is_no_log():
    client = consoles.client(consoles.sources())
    assert "None: everything was processed." in text_of(client.get("/dead-letters").text)
