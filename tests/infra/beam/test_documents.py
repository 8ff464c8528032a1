"""Documents by a pipeline are those of a rebuild on one machine, whatever the order and the number of files."""

from random import Random

import pytest

from tests.support import beam

beam.required()

from infra.beam import text_blocks
from infra.beam.__main__ import main
from infra.beam.catalogs import catalog_alone
from infra.beam.documents import newest_catalog
from infra.catalog.load import DEFAULT_CATALOG
from infra.raw.by_user import Wanted, files_of, find_users, read_users
from infra.raw.folder import RAW
from infra.rebuild.made_file import read_made
from infra.rebuild.work import Deployment, made_of
from infra.replay.replay import replay
from shared.contracts.inbound.fields import utc
from shared.domain.terms import Terms
from tests.infra.beam.histories import history
from tests.support.replays import write

IN_PROCESS = ("--", "--runner=FnApiRunner")


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """A raw log with doubles, lines that are torn or no JSON, and files in a random order."""
    folder = tmp_path_factory.mktemp("replay")
    replay(write(folder / "events.jsonl", history()), folder / "out", DEFAULT_CATALOG, keep_store=True)
    shuffled = Random(1)  # noqa: S311
    for file in (folder / "out" / RAW).glob("*.jsonl"):
        lines = file.read_bytes().splitlines(keepends=True)
        lines += lines[::3]
        shuffled.shuffle(lines)
        file.write_bytes(b"".join(lines) + b'no JSON\n{"message_id": "torn')
    return folder / "out" / RAW


@pytest.fixture(scope="module")
def catalog():
    return catalog_alone(DEFAULT_CATALOG)


def made_here(raw, catalog, wanted):
    files = files_of(raw)
    (bucket,) = find_users(files, wanted, 1).buckets
    deployment = Deployment(catalog, 3, Terms())
    return [made_of(user_id, logged, deployment) for user_id, logged in read_users(files, bucket)]


def make(raw, out, *words):
    options = ("--catalog", str(DEFAULT_CATALOG), "--number", "3", "--out", str(out))
    return main(["rebuild", str(raw), *options, *words, *IN_PROCESS])


def test_the_documents_are_those_of_one_machine(raw, catalog, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(text_blocks, "BYTES", 5000)
    assert make(raw, tmp_path / "made.jsonl") == 0
    read = [*read_made(tmp_path / "made.jsonl", Terms())]
    here = made_here(raw, catalog, Wanted())
    assert [line.made for line in read] == here
    assert sum(one.document is not None for one in here) >= 8
    assert "unreadable lines" in capsys.readouterr().err


def test_users_and_a_time_may_be_asked_for_and_files_divide_the_users(raw, catalog, tmp_path):
    (tmp_path / "users").write_text("u1\nu2\nu3\nnobody\n")
    until = "2026-03-01T00:00:00Z"
    asked = ("--users", str(tmp_path / "users"), "--until", until, "--shards", "2")
    assert make(raw, tmp_path / "made.jsonl", *asked) == 0
    files = sorted(tmp_path.glob("made-*.jsonl"))
    assert [file.name for file in files] == ["made-00000-of-00002.jsonl", "made-00001-of-00002.jsonl"]
    read = [line.made for file in files for line in read_made(file, Terms())]
    here = made_here(raw, catalog, Wanted(frozenset({"u1", "u2", "u3"}), utc(until)))
    assert sorted(one.user_id for one in read) == ["u1", "u2", "u3"]
    assert sorted(read, key=lambda one: one.user_id) == here


def test_without_a_catalog_it_is_the_newest_of_the_log(raw, catalog, tmp_path, capsys):
    assert main(["rebuild", str(raw), "--out", str(tmp_path / "made.jsonl"), *IN_PROCESS]) == 0
    here = made_here(raw, catalog, Wanted())
    read = [line.made for line in read_made(tmp_path / "made.jsonl", Terms())]
    assert [one.user_id for one in read] == [one.user_id for one in here]
    assert newest_catalog(str(raw)) == (catalog, 0)
    (tmp_path / "payment.jsonl").write_bytes(b"")
    assert main(["rebuild", str(tmp_path), "--out", str(tmp_path / "again.jsonl"), *IN_PROCESS]) == 2
    assert "--catalog: expected a catalog" in capsys.readouterr().err


def test_a_folder_without_a_log_is_refused(tmp_path, capsys):
    assert make(tmp_path, tmp_path / "made.jsonl") == 2
    assert "expected a raw log (payment.jsonl and so on), found no message in it" in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == []
