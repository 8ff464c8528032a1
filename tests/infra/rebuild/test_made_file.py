"""Documents that a pipeline made: what is read from the file is what went into it; else it is refused."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from infra.errors import UsageError
from infra.raw.by_user import Wanted, files_of, find_users, read_users
from infra.rebuild.made_file import read_made, to_line
from infra.rebuild.making import Source
from infra.rebuild.run import rebuild
from infra.rebuild.target import sqlite_target
from infra.rebuild.work import Deployment, Made, made_of
from infra.replay.stores import read_document
from shared.domain.terms import Terms
from tests.support.replays import START, event, payment, run, trial

TERMS = Terms()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Made]:
    """The documents of two users, of one whose only event was rejected, and of one who was erased."""
    folder = tmp_path_factory.mktemp("replay")
    erasure = event("user-erasure", "x", 5, "erasure")
    lines = [trial(), payment(), payment("v", 1), payment("w", 2, currency="?"), payment("x", 3), erasure]
    run(folder, *lines, keep_store=True)
    files = files_of(folder / "out" / "raw")
    (bucket,) = find_users(files, Wanted(), 1).buckets
    deployment = Deployment('{"placements": {}, "offers": {}, "campaigns": {}}', 0, TERMS)
    return [made_of(user_id, logged, deployment) for user_id, logged in read_users(files, bucket)]


def test_what_is_written_is_read(made: list[Made], tmp_path: Path) -> None:
    file = tmp_path / "made.jsonl"
    file.write_bytes(b"".join(to_line(one, 7) for one in made))
    read = [*read_made(file, TERMS)]
    assert [line.made for line in read] == made
    assert [(one.user_id, one.document is not None) for one in made] == [
        ("u", True),
        ("v", True),
        ("w", False),
        ("x", True),
    ]
    assert made[3].document
    assert (made[3].document.blob, made[3].document.erased_at) == (None, START + timedelta(days=5))
    assert {line.messages for line in read} == {7}
    assert read[-1].end == file.stat().st_size


def test_a_store_is_written_from_a_file_and_users_are_chosen(made: list[Made], tmp_path: Path) -> None:
    file, store = tmp_path / "made.jsonl", tmp_path / "new.sqlite"
    file.write_bytes(b"".join(to_line(one, 7) for one in made))
    source = Source(file, Deployment("", 0, TERMS), Wanted(frozenset({"v", "w", "x", "y"})))
    done = rebuild(source, sqlite_target(store))
    assert (done.outcomes, done.read.lines, done.read.users) == ({"created": 2, "nothing": 1}, 21, 3)
    assert done.read.seconds > 0
    assert done.read.events_per_second is None, "how long it took to make them is not known"
    assert made[1].document
    written, erased = read_document(store, "v"), read_document(store, "x")
    assert written
    assert erased
    assert (written.blob, erased.erased_at) == (made[1].document.blob, START + timedelta(days=5))
    assert read_document(store, "u") is None
    assert rebuild(source, sqlite_target(store)).outcomes == {"kept": 2, "nothing": 1}


@pytest.mark.parametrize(
    "changed",
    [
        {"blob": "no base64"},
        {"blob": "bm8gZG9jdW1lbnQ="},
        {"blob": 3},
        {"erased_at": "yesterday"},
        {"user_id": "another"},
        {"counts": [1, 2]},
        {"gaps": None},
        {"messages": "many"},
    ],
)
def test_another_line_is_refused_with_its_number(changed: dict, made: list[Made], tmp_path: Path) -> None:
    file = tmp_path / "made.jsonl"
    file.write_bytes(to_line(made[0], 7) + json.dumps(json.loads(to_line(made[0], 7)) | changed).encode())
    with pytest.raises(UsageError, match=r"line 2: expected a document that .* made, found something else"):
        [*read_made(file, TERMS)]


@pytest.mark.parametrize("line", [b"no JSON", b"[]", b"{}", b"null"])
def test_what_is_no_such_object_is_refused(line: bytes, tmp_path: Path) -> None:
    (tmp_path / "made.jsonl").write_bytes(line)
    with pytest.raises(UsageError, match="line 1: expected a document"):
        [*read_made(tmp_path / "made.jsonl", TERMS)]
