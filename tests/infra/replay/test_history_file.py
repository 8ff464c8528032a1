import json
from base64 import b64encode
from datetime import UTC, datetime

import pytest

from infra.replay.history_file import CLOCK_START, read
from infra.replay.history_line import UnpublishableLine
from tests.support.samples import PAYMENT

OCCURRED = datetime(2026, 3, 15, 9, 30, tzinfo=UTC)
LATER = datetime(2026, 3, 16, tzinfo=UTC)


@pytest.fixture
def lines(tmp_path):
    def written(*raw):
        path = tmp_path / "events.jsonl"
        path.write_bytes(
            b"\n".join(each if isinstance(each, bytes) else json.dumps(each).encode() for each in raw)
        )
        return list(read(path))

    return written


def payment(**beside):
    return {"topic": "payment", "data": PAYMENT} | beside


def refusal(line):
    with pytest.raises(UnpublishableLine) as caught:
        line.push()
    return caught.value


def test_a_line_is_a_message_published_when_its_event_happened(lines):
    (line,) = lines(payment())
    push = line.push()
    assert (push.topic, json.loads(push.data), push.attributes) == ("payment", PAYMENT, {})
    assert push.published_at == line.delivered_at == OCCURRED
    assert line.user_id == "secret-user"


def test_a_publish_time_is_when_a_line_has_its_turn(lines):
    (line,) = lines(payment(publish_time="2026-03-16T01:00:00+01:00"))
    assert line.delivered_at == line.push().published_at == LATER


def test_turns_never_go_back(lines):
    first, second = lines(payment(publish_time="2026-03-16T00:00:00Z"), payment())
    assert (first.delivered_at, second.delivered_at) == (LATER, LATER)
    assert second.push().published_at == LATER


def test_an_event_without_a_time_has_its_turn_at_once(lines):
    first, second = lines({"topic": "payment", "data": {}}, {"topic": "payment"})
    assert first.delivered_at == second.delivered_at == CLOCK_START
    assert (first.push().data, second.push().data) == (b"{}", b"")


def test_blank_lines_count_as_lines_but_say_nothing(lines):
    (line,) = lines(b"", b"  \r", payment(), b"")
    assert line.number == 3


@pytest.mark.parametrize(
    "data",
    [
        '{"user_id": "u",  "amount": 1.0}',
        '{"user_id":"u","user_id":"u"}',
        '{"user_id":"u","amount":NaN}',
        '{"user_id":"u","plan":"\\ud800"}',
        '{"user_id":"u","plan":"caf\\u00e9 é"}',
        '{"user_id":"u","amount":12345678901234567890123}',
        "null",
        '"text"',
        "[1 , 2]",
    ],
)
def test_the_producers_own_bytes_are_kept(lines, data):
    (line,) = lines(f'{{"topic":"payment","data": {data} ,"attributes":{{}}}}'.encode())
    assert line.push().data == data.encode()


def test_raw_bytes_are_kept_and_their_event_is_read(lines):
    data = json.dumps(PAYMENT).encode()
    line, garbage = lines(
        *({"topic": "payment", "data_base64": b64encode(it).decode()} for it in (data, b"\xff\0"))
    )
    assert (line.push().data, line.user_id, line.delivered_at) == (data, "secret-user", OCCURRED)
    assert (garbage.push().data, garbage.user_id, garbage.delivered_at) == (b"\xff\0", "", OCCURRED)


def test_a_wrapped_event_is_found_in_its_wrapping(lines):
    wrapped = {"specversion": "1.0", "id": "e", "source": "s", "type": "t", "user_id": "another", "data": PAYMENT}
    beside = {"ce-id": "e", "ce-time": "2026-03-16T00:00:00Z", "ce-source": "s"}
    bare = {name: value for name, value in PAYMENT.items() if name != "occurred_at"}
    structured, binary = lines(
        {"topic": "payment", "data": wrapped}, {"topic": "payment", "data": bare, "attributes": beside}
    )
    assert (structured.user_id, structured.delivered_at) == ("secret-user", OCCURRED)
    assert (binary.user_id, binary.delivered_at) == ("secret-user", LATER)


@pytest.mark.parametrize(
    ("raw", "reason", "expected"),
    [
        (b"payment", "not_json", "a JSON object"),
        (b"\xff\xfe", "not_json", "a JSON object"),
        (b'{"topic": "payment"', "not_json", "a JSON object"),
        (b"[]", "invalid", "a JSON object"),
        (b'{"a":' + b"[" * 100_000, "invalid", "less nesting"),
        (b'{"a":' + b"9" * 5000 + b"}", "invalid", "shorter numbers"),
        (payment(publish_time="2026-03-16T00:00:00"), "invalid", "RFC 3339 with an offset"),
        (payment(publish_time=5), "invalid", "RFC 3339 with an offset"),
        (payment(attributes=[]), "invalid", "an object of strings"),
        (payment(attributes={"a": 1}), "invalid", "an object of strings"),
        (payment(attributes={"a": "\ud800"}), "invalid", "an object of strings"),
        (payment(data_base64="e30="), "invalid", "data or data_base64"),
        ({"topic": "payment", "data_base64": "e30"}, "invalid", "base64"),
        ({"topic": "payment", "data_base64": 7}, "invalid", "base64"),
    ],
)
def test_what_is_no_message_says_what_was_expected_and_keeps_its_bytes(lines, raw, reason, expected):
    before, line = lines(payment(), raw)
    refused = refusal(line)
    assert refused.reason == reason
    assert expected in refused.detail
    arriving = line.arriving()
    assert arriving.refused == (refused.reason, refused.detail)
    assert (
        refused.delivery.data
        == arriving.push.data
        == (raw if isinstance(raw, bytes) else json.dumps(raw).encode())
    )
    assert line.delivered_at == before.delivered_at


@pytest.mark.parametrize(
    ("topic", "named"),
    [("paymnet", "paymnet"), ("lifecycle-due", "lifecycle-due"), (None, ""), ([], ""), ("\ud800", "")],
)
def test_a_message_of_an_unknown_topic_is_kept_whole(lines, topic, named):
    (line,) = lines({"topic": topic, "data": {"a": 1}, "attributes": {"b": "c"}})
    refused = refusal(line)
    assert (refused.reason, refused.topic) == ("unknown_topic", named)
    assert (refused.delivery.data, refused.delivery.attributes) == (b'{"a": 1}', {"b": "c"})


def test_null_says_nothing(lines):
    (line,) = lines(payment(publish_time=None, attributes=None, data_base64=None))
    assert line.delivered_at == OCCURRED
