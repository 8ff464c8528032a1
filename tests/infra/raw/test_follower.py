"""The follower of a raw log: however the log grows, it tells the same as reading all of it at once."""

import os
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.raw.follower import RECENT, Follower
from infra.raw.line import Landed, subscription_name, to_line
from infra.raw.reader import messages_about
from shared.contracts.inbound.envelope import Delivery
from shared.contracts.outbound.dead_letter import SOURCE_SUBSCRIPTION
from shared.contracts.topics import Topic

START = datetime(2026, 3, 1, tzinfo=UTC)
USERS = ("ada", "eve", 'a"b')
TOPICS = (Topic.PAYMENT, Topic.DECISION, Topic.DEAD_LETTER)
GARBAGE = (b"\n", b"{}\n", b"\xff\xfe\n", b'{"message_id": 1}\n', b"[" * 500 + b"\n")


class Written(NamedTuple):
    """A line of a topic's file."""

    topic: Topic
    line: bytes


def data_of(topic, user, number):
    event = {"user_id": user, "event_id": f"e{number}"}
    if topic == Topic.DEAD_LETTER:
        held = b64encode(orjson.dumps(event)).decode()
        return orjson.dumps({"topic": "payment", "reason": "invalid", "data_base64": held, "attributes": {}})
    return orjson.dumps(event)


def user_in(topic, data):
    content = orjson.loads(data)
    return orjson.loads(b64decode(content["data_base64"]) if topic == Topic.DEAD_LETTER else data)["user_id"]


@st.composite
def logs(draw):
    """Lines in the order in which they are written: messages, some of them twice, and garbage."""
    written = []
    for number in range(draw(st.integers(0, 25))):
        topic = draw(st.sampled_from(TOPICS))
        if draw(st.integers(0, 9)) == 0:
            written.append(Written(topic, draw(st.sampled_from(GARBAGE))))
            continue
        at = START + timedelta(seconds=draw(st.integers(0, 5)))
        id_ = str(draw(st.integers(1, 30)))
        data = data_of(topic, draw(st.sampled_from(USERS)), number)
        written.append(Written(topic, to_line(Landed(subscription_name("p", topic), id_, at, {}, data))))
    return written


def path(folder, topic):
    return folder / f"{topic}.jsonl"


def append(folder, topic, data):
    with path(folder, topic).open("ab") as file:
        file.write(data)


def told(follower):
    about = {user: [(one.topic, one.landed) for one in follower.about(user)] for user in follower.users("", 100)}
    return follower.count, follower.unreadable, about, sorted(str(one.landed) for one in follower.recent())


@given(logs(), st.data())
def test_any_split_of_the_appends_tells_the_same_as_reading_at_once(tmp_path_factory, written, data):
    folder = tmp_path_factory.mktemp("raw")
    observed = []
    split = Follower(folder, lambda: observed.append)
    for topic, line in written:
        middle = data.draw(st.integers(0, len(line)))
        append(folder, topic, line[:middle])
        if data.draw(st.booleans()):
            split.refresh()
        append(folder, topic, line[middle:])
    split.refresh()
    at_once = Follower(folder)
    at_once.refresh()
    assert told(split) == told(at_once)
    assert len(observed) == split.count, "an observer is told each message once"
    numbers = [one.number for one in split.recent()]
    assert numbers == list(range(1, split.count + 1))
    assert split.generation == 0


@given(logs(), st.sampled_from(USERS))
def test_about_tells_what_the_reader_of_the_log_tells(tmp_path_factory, written, user):
    folder = tmp_path_factory.mktemp("raw")
    for topic, line in written:
        append(folder, topic, line)
    follower = Follower(folder)
    follower.refresh()
    read = [
        (one.topic, one.published_at, one.delivery.message_id, one.delivery.data)
        for one in messages_about(folder, user).messages  # with some that are not, because of their escapes
        if user_in(one.topic, one.delivery.data) == user
    ]
    found = [
        (one.topic, one.landed.publish_time, one.landed.message_id, one.landed.data)
        for one in follower.about(user)
    ]
    assert found == read


def message(topic, id_, user="ada"):
    return to_line(Landed(subscription_name("p", topic), id_, START, {}, data_of(topic, user, id_)))


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture
def follower(folder):
    return Follower(folder)


def ids(messages):
    return [one.landed.message_id for one in messages]


def test_a_line_that_is_not_finished_waits(folder, follower):
    line = message("payment", "1")
    append(folder, "payment", line[:-1])
    follower.refresh()
    assert (follower.count, follower.unreadable, follower.users("", 9)) == (0, 0, [])
    append(folder, "payment", b"\n")
    follower.refresh()
    assert (follower.count, follower.users("", 9)) == (1, ["ada"])


def test_a_torn_line_with_another_one_behind_it_is_counted_and_costs_no_other(folder, follower):
    append(folder, "payment", message("payment", "1")[:40] + message("payment", "2") + message("payment", "3"))
    follower.refresh()
    assert (ids(follower.about("ada")), follower.unreadable) == (["3"], 1)


def test_a_log_that_is_set_aside_begins_anew(folder, follower):
    append(folder, "payment", message("payment", "1") + message("payment", "2"))
    follower.refresh()
    path(folder, "payment").rename(folder / "before")
    follower.refresh()
    assert (follower.generation, follower.count, follower.about("ada")) == (1, 0, [])
    append(folder, "payment", message("payment", "3"))
    follower.refresh()
    assert (follower.generation, ids(follower.about("ada"))) == (1, ["3"])


def test_a_file_that_is_written_anew_in_place_begins_anew(folder, follower):
    append(folder, "payment", message("payment", "1") + message("payment", "2", "eve"))
    follower.refresh()
    path(folder, "payment").write_bytes(message("payment", "7"))
    follower.refresh()
    assert (follower.generation, ids(follower.about("ada")), follower.users("", 9)) == (1, ["7"], ["ada"])


def test_an_observer_is_made_anew_with_the_log(folder):
    made = []

    def observer():
        made.append([])
        return made[-1].append

    follower = Follower(folder, observer)
    append(folder, "payment", message("payment", "1"))
    follower.refresh()
    path(folder, "payment").unlink()
    append(folder, "payment", message("payment", "2"))
    follower.refresh()
    assert [ids(each) for each in made] == [["1"], ["2"]]


def test_a_folder_that_is_not_there_yet_has_no_messages(folder):
    follower = Follower(folder / "later")
    follower.refresh()
    assert follower.recent() == []
    (folder / "later").mkdir()
    append(folder / "later", "payment", message("payment", "1"))
    follower.refresh()
    assert ids(follower.recent()) == ["1"]


def test_only_the_newest_messages_are_kept_and_every_place_is_found_again(folder, follower):
    many = RECENT + 50
    append(folder, "payment", b"".join(message("payment", str(number)) for number in range(many)))
    follower.refresh()
    recent = follower.recent()
    assert (len(recent), recent[0].number, recent[-1].number) == (RECENT, 51, many)
    assert len(follower.about("ada")) == many
    assert [one.number for one in follower.recent(many - 2)] == [many - 1, many]


def test_in_one_instant_causes_come_before_their_effects(folder, follower):
    for topic in ("decision", "upsell-trigger", "payment", "subscription-change", "lifecycle-due"):
        append(folder, topic, message(topic, topic))
    follower.refresh()
    assert ids(follower.recent()) == [
        "payment",
        "lifecycle-due",
        "subscription-change",
        "decision",
        "upsell-trigger",
    ]


def test_a_letter_that_pubsub_forwarded_is_about_the_user_of_its_event(folder, follower):
    event = data_of(Topic.PAYMENT, "ada", 1)
    marks = {SOURCE_SUBSCRIPTION: "payment"}
    landed = Landed(subscription_name("p", "dead-letter"), "1", START, marks, event)
    append(folder, "dead-letter", to_line(landed))
    follower.refresh()
    assert ids(follower.about("ada")) == ["1"]
    [message] = follower.recent()
    assert message.logged == ("dead-letter", START, Delivery(event, marks, "1"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_told(folder, follower):
    append(folder, "payment", b"")
    path(folder, "payment").chmod(0)
    with pytest.raises(PermissionError):
        follower.refresh()
