"""The lines of a raw log that an erasure takes, and those that it leaves."""

import threading
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.raw.erased import Erased, remove_from_log
from infra.raw.folder import RawLogWriter, file_of
from infra.raw.follower import Follower
from infra.raw.line import Landed, from_line, to_line
from infra.raw.reader import messages_about
from shared.contracts.inbound.envelope import Delivery
from shared.domain.instants import from_micros
from shared.record.user_record import UserRecord, tombstone

AT = datetime(2026, 3, 1, tzinfo=UTC)
ERASED = Erased.whole("ada", AT)


def landed(id_, **body):
    return Landed("s", id_, AT, {}, orjson.dumps(body))


def event(id_, user="ada", occurred_at="2026-02-01T00:00:00Z", **more):
    return landed(id_, user_id=user, occurred_at=occurred_at, **more)


def message(id_, decided_at="2026-03-01T00:00:00.001Z", user="ada"):
    return landed(id_, user_id=user, decided_at=decided_at)


def write(folder, topic, *messages):
    with RawLogWriter(folder, [topic]) as log:
        log.append(topic, messages)


def ids(folder, topic):
    return [from_line(line).message_id for line in file_of(folder, topic).read_bytes().splitlines()]


def test_lines_of_other_users_stay_even_if_they_mention_the_user(tmp_path):
    others = [
        event("ada2", "ada2"),
        event("ad", "ad"),
        event("mention", "eve", note="ada", friend={"user_id": "ada"}),
        event("list", "eve", friends=["ada"]),
    ]
    write(tmp_path, "payment", event("gone"), *others, event("gone too"))
    write(tmp_path, "catalog-published", landed("catalog", user_id="ada"))
    assert remove_from_log(tmp_path, ERASED, dry=True) == 2
    assert remove_from_log(tmp_path, ERASED) == 2
    assert ids(tmp_path, "payment") == ["ada2", "ad", "mention", "list"]
    assert ids(tmp_path, "catalog-published") == ["catalog"]
    assert {each.name for each in tmp_path.iterdir()} == {"catalog-published.jsonl", "payment.jsonl"}


def test_what_comes_after_the_erasure_stays(tmp_path):
    write(tmp_path, "payment", event("old"), event("at", occurred_at="2026-03-01T00:00:00Z"))
    write(tmp_path, "payment", event("new", occurred_at="2026-03-01T00:00:00.001Z"))
    write(tmp_path, "decision", message("before", "2026-03-01T00:00:00Z"), message("after"))
    remove_from_log(tmp_path, ERASED)
    assert ids(tmp_path, "payment") == ["new"]
    assert ids(tmp_path, "decision") == ["after"]


def test_what_was_decided_until_the_erasure_was_processed_goes_where_nothing_lives(tmp_path):
    decided = ("2026-02-01T00:00:00Z", "2026-03-01T00:00:05Z", "2026-03-01T00:00:09Z")
    write(tmp_path, "decision", *(message(at, at) for at in decided))
    now = AT + timedelta(seconds=5)
    assert Erased.of(tombstone("ada", AT), AT, now) == Erased("ada", AT, now)
    lives = Erased.of(UserRecord("ada", sequence=7, erased_at=AT), AT, now)
    assert lives == Erased("ada", AT, AT, lives=True)
    assert remove_from_log(tmp_path, lives) == 1
    assert remove_from_log(tmp_path, Erased.of(tombstone("ada", AT), AT, now)) == 1
    assert ids(tmp_path, "decision") == ["2026-03-01T00:00:09Z"]


def test_lines_that_cannot_be_read_go_if_what_is_legible_names_the_user(tmp_path):
    write(tmp_path, "payment", event("kept", "eve"))
    whole = to_line(event("torn", note="long enough to be torn" * 9))
    with file_of(tmp_path, "payment").open("ab") as file:
        file.write(b'garbage about "eve"\n' + b'garbage about "ada"\n' + whole[: whole.index(b'"data"') + 99])
    assert remove_from_log(tmp_path, ERASED) == 2
    assert file_of(tmp_path, "payment").read_bytes().endswith(b'garbage about "eve"\n')
    assert b64encode(b'{"user_id":"ada') not in file_of(tmp_path, "payment").read_bytes()


def test_a_removal_that_is_killed_leaves_the_file_and_the_next_one_finishes(tmp_path, monkeypatch):
    write(tmp_path, "payment", event("gone"), event("kept", "eve"))
    before = file_of(tmp_path, "payment").read_bytes()

    def killed(_descriptor):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("infra.whole_file.os.fsync", killed)
        with pytest.raises(KeyboardInterrupt):
            remove_from_log(tmp_path, ERASED)
    assert file_of(tmp_path, "payment").read_bytes() == before
    assert remove_from_log(tmp_path, ERASED) == 1
    assert ids(tmp_path, "payment") == ["kept"]
    assert [each.name for each in tmp_path.iterdir()] == ["payment.jsonl"]


def test_a_log_that_is_being_written_loses_no_line(tmp_path):
    """One thread appends lines of both users, while another removes one user's again and again."""
    count = 300

    def append():
        with RawLogWriter(tmp_path, ["payment"]) as log:
            for number in range(count):
                log.append("payment", [event(f"eve-{number}", "eve"), event(f"ada-{number}")])

    writer = threading.Thread(target=append)
    file_of(tmp_path, "payment").touch()
    writer.start()
    removed = 0
    while writer.is_alive():
        removed += remove_from_log(tmp_path, ERASED)
    writer.join()
    removed += remove_from_log(tmp_path, ERASED)
    assert removed == count
    assert ids(tmp_path, "payment") == [f"eve-{number}" for number in range(count)]


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["ada", "ada2", 'a"da', "2026-02-01T00:00:00Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["user_id", "data", "x"]), inner),
    max_leaves=6,
)
FIELDS = ["user_id", "occurred_at", "data", "data_base64", "specversion", "sequence", "attributes", "time"]


@given(
    st.sampled_from(["payment", "decision", "dead-letter", "lifecycle-clock", "catalog-published"]),
    st.dictionaries(st.sampled_from(FIELDS), values).map(orjson.dumps) | st.binary(max_size=40),
    st.dictionaries(
        st.sampled_from(["content-type", "ce-id", "x"]), st.sampled_from(["ada", "application/cloudevents"])
    ),
)
def test_any_message_is_told_apart_and_one_that_names_another_user_never_goes(topic, data, attributes):
    covered = ERASED.covers(topic, Delivery(data, attributes), from_micros(0))
    if covered:
        assert b"ada" in data or b"\\u" in data or b"data_base64" in data


def test_whoever_follows_the_log_forgets_the_user_and_goes_on(tmp_path):
    write(tmp_path, "payment", event("1"), event("2", "eve"), event("3"))
    follower = Follower(tmp_path)
    follower.refresh()
    assert follower.users("", 9) == ["ada", "eve"]
    remove_from_log(tmp_path, ERASED)
    write(tmp_path, "payment", event("4", "eve"))
    follower.refresh()
    assert follower.users("", 9) == ["eve"]
    assert [one.landed.message_id for one in follower.recent()] == ["2", "4"]


def test_what_the_reader_tells_of_a_user_is_gone(tmp_path):
    letter = orjson.dumps(
        {"topic": "payment", "data_base64": b64encode(event("x").data).decode(), "attributes": {}}
    )
    write(tmp_path, "payment", event("1"), landed("2", specversion="1.0", data={"user_id": "ada"}))
    write(
        tmp_path, "dead-letter", Landed("s", "3", AT, {}, letter), Landed("s", "4", AT, {}, b'{"user_id": "ada"')
    )
    assert len(messages_about(tmp_path, "ada").messages) == 4
    remove_from_log(tmp_path, Erased.whole("ada", AT + timedelta(days=1)))
    assert messages_about(tmp_path, "ada").messages == []
