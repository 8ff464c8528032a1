from datetime import UTC, datetime, timedelta

import orjson
import pytest

from infra.raw.by_user import ALL, Wanted, files_of, find_users, read_users
from infra.raw.folder import RawLogWriter
from infra.raw.line import Landed
from infra.raw.reader import messages_about
from shared.contracts.inbound.envelope import Delivery
from shared.contracts.outbound.dead_letter import dead_letter
from shared.domain.errors import Rejected

AT = datetime(2026, 3, 1, tzinfo=UTC)
USERS = [f"user-{number}" for number in range(9)]


def landed(id_: str, data: object, hours: float = 0) -> Landed:
    text = data if isinstance(data, bytes) else orjson.dumps(data)
    return Landed("projects/p/subscriptions/s", id_, AT + timedelta(hours=hours), {}, text)


@pytest.fixture
def folder(tmp_path):
    with RawLogWriter(tmp_path, ["payment", "decision", "dead-letter"]) as writer:
        for number, user in enumerate(USERS):
            writer.append("payment", [landed(f"{number}", {"user_id": user}, number)])
            writer.append("decision", [landed(f"d{number}", {"user_id": user}, number)] * 2)
    return tmp_path


def users_in(folder, buckets: int = 1, wanted: Wanted = ALL) -> dict[str, list[str]]:
    files = files_of(folder)
    places = find_users(files, wanted, buckets)
    found = [pair for bucket in places.buckets for pair in read_users(files, bucket)]
    assert len({user for user, _ in found}) == len(found)
    return {user: [f"{one.topic} {one.delivery.message_id}" for one in logged] for user, logged in found}


@pytest.mark.parametrize("buckets", [1, 2, 7, 100])
def test_every_message_of_a_user_is_in_one_bucket_and_comes_once(folder, buckets) -> None:
    expected = {
        user: [f"{one.topic} {one.delivery.message_id}" for one in messages_about(folder, user).messages]
        for user in USERS
    }
    assert users_in(folder, buckets) == expected


def test_only_the_users_and_times_that_are_wanted_are_read(folder) -> None:
    some = Wanted(frozenset(USERS[2:5]), AT + timedelta(hours=4))
    assert {*users_in(folder, 3, some)} == {"user-2", "user-3"}


def test_a_rejected_event_is_its_users_and_a_line_about_nobody_is_nobodys(folder) -> None:
    held = Delivery(orjson.dumps({"user_id": "user-0"}), {}, "x")
    letter = dead_letter("payment", held, Rejected("invalid", "why"))
    with RawLogWriter(folder, ["dead-letter", "payment", "lifecycle-clock"]) as writer:
        writer.append("dead-letter", [landed("letter", letter.data)])
        writer.append("lifecycle-clock", [landed("tick", {})])
        nobody = ({"user_id": "a b"}, {"user_id": 7}, [], b"\xff", b"")
        writer.append("payment", [landed(f"n{number}", data) for number, data in enumerate(nobody)])
    found = users_in(folder)
    assert {*found} == {*USERS}
    assert "dead-letter letter" in found["user-0"]


def test_lines_that_are_no_messages_are_counted_and_the_first_ones_described(folder) -> None:
    with (folder / "payment.jsonl").open("ab") as file:
        file.write(b"garbage\n" * 20 + b'{"torn')
    places = find_users(files_of(folder), ALL, 1)
    assert (places.lines, places.unreadable) == (len(USERS) * 3 + 21, 21)
    assert len(places.examples) == 10
    assert places.examples[0].endswith("payment.jsonl: line 10: expected a JSON object, found something else")
    assert {*users_in(folder)} == {*USERS}


def test_an_export_in_several_files_is_one_topic_and_other_files_are_none(folder) -> None:
    (folder / "decision.jsonl").rename(folder / "decision-000000000007.jsonl")
    (folder / "notes.jsonl").write_text("something else\n")
    assert [file.topic for file in files_of(folder)] == ["dead-letter", "decision", "payment"]
    assert users_in(folder)["user-1"] == ["payment 1", "decision d1"]
