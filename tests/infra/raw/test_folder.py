from base64 import b64encode
from datetime import UTC, datetime, timedelta

import orjson

from infra.raw.folder import BEFORE, RAW, RawLogWriter, file_of, set_aside
from infra.raw.line import Landed
from infra.raw.reader import messages_about

AT = datetime(2026, 3, 1, tzinfo=UTC)


def landed(id_, user_id="u", hours=0, **more):
    data = orjson.dumps({"user_id": user_id} | more)
    return Landed("projects/p/subscriptions/s", id_, AT + timedelta(hours=hours), {}, data)


def write(folder, topic, *messages):
    with RawLogWriter(folder, [topic]) as writer:
        writer.append(topic, messages)


def ids(folder, user_id="u"):
    return [each.delivery.message_id for each in messages_about(folder, user_id).messages]


def test_messages_about_a_user_come_by_publish_time_and_then_by_id(tmp_path):
    write(tmp_path, "payment", landed("10"), landed("9"), landed("1", hours=2), landed("5", "other"))
    write(tmp_path, "decision", landed("7", hours=1))
    assert ids(tmp_path) == ["9", "10", "7", "1"]
    assert [each.topic for each in messages_about(tmp_path, "u").messages][2] == "decision"
    assert ids(tmp_path, "nobody") == []


def test_a_message_that_landed_twice_is_read_once(tmp_path):
    write(tmp_path, "payment", landed("1"))
    write(tmp_path, "payment", landed("1"), landed("1", hours=1))
    assert ids(tmp_path) == ["1", "1"]


def test_a_name_may_be_written_with_escapes(tmp_path):
    message = landed("1")._replace(data=b'{"user_id": "\\u0075"}')
    in_base64 = landed("3")._replace(data=b'{"specversion": "1.0", "data_base64": "eyJ1c2VyX2lkIjogInUifQ=="}')
    write(tmp_path, "payment", message, in_base64)
    write(tmp_path, "decision", landed("2", 'a"b'))
    assert ids(tmp_path) == ["1", "3"]
    assert ids(tmp_path, 'a"b') == ["1", "2", "3"]  # such an event may be about anybody


def test_a_dead_letter_is_about_the_user_of_the_message_that_it_holds(tmp_path):
    def letter(id_, held):
        data = orjson.dumps({"reason": "invalid", "data_base64": b64encode(held).decode()})
        return landed(id_)._replace(data=data)

    held = (b'{"user_id": "u"', b'{"user_id": "other"}', b'{"user_id": "\\u0075"}')
    write(tmp_path, "dead-letter", *(letter(str(number), each) for number, each in enumerate(held)))
    write(tmp_path, "dead-letter", landed("4"), landed("5")._replace(data=b'{"data_base64": "!"}'))
    assert ids(tmp_path) == ["0", "2", "4"]


def test_a_torn_last_line_and_garbage_are_skipped_and_told(tmp_path):
    write(tmp_path, "payment", landed("1"))
    with file_of(tmp_path, "payment").open("ab") as file:
        file.write(b'garbage\n{"data": "' + b"\xff" * 9)
    found = messages_about(tmp_path, "u")
    assert [each.delivery.message_id for each in found.messages] == ["1"]
    name = file_of(tmp_path, "payment")
    assert found.unreadable == [
        f"{name}: line 2: expected a JSON object, found something else",
        f"{name}: line 3, not finished: expected a JSON object, found something else",
    ]


def test_what_was_appended_can_be_read_before_the_file_is_closed(tmp_path):
    with RawLogWriter(tmp_path, ["payment"]) as writer:
        writer.append("payment", [landed("1")])
        assert ids(tmp_path) == ["1"]


def test_the_log_of_the_run_before_is_kept_and_no_older_one(tmp_path):
    for run in ("1", "2", "3"):
        set_aside(tmp_path)
        write(tmp_path / RAW, "payment", landed(run))
    assert (ids(tmp_path / RAW), ids(tmp_path / BEFORE)) == (["3"], ["2"])


def test_setting_aside_leaves_what_is_no_log(tmp_path):
    (tmp_path / RAW).mkdir()
    (tmp_path / RAW / "notes.txt").write_text("mine")
    set_aside(tmp_path)
    write(tmp_path / RAW, "payment", landed("1"))
    set_aside(tmp_path)
    assert (tmp_path / RAW / "notes.txt").read_text() == "mine"
    assert ids(tmp_path / BEFORE) == ["1"]
