"""`erase` on what a replay kept: only the tombstone's name holds the id, and others lose nothing."""

import json
import shutil
import sqlite3
from base64 import b64encode

import pytest

from infra.embedded.sweeps import put_in_force
from infra.raw.folder import RAW, file_of
from infra.replay.stores import STORE, read_document
from shared.domain.instants import from_micros
from tests.support.replays import OUTPUTS, START, event, payment, signal, trial
from tests.support.replays import run as replayed
from tests.support.traces import files_with, rows_with, traces

ADA = "ada-b9f4"
NEIGHBOURS = (f"{ADA}2", ADA[:-1])
"""Users whose ids have the same beginning."""
NUMBERED = {"line": 0, "pubsub_message_id": None}
"""The fields of a dead letter that follow from the number of its line."""


def life(user):
    cloud = {"specversion": "1.0", "id": f"c-{user}", "data": signal(user, 16, "inactivity", f"c-{user}")["data"]}
    torn = json.dumps(payment(user)["data"]).encode()[:-1]
    return [
        trial(user, event_id=f"t-{user}"),
        payment(user, event_id=f"p-{user}"),
        payment(user, 44, "failed", f"f-{user}"),
        {"topic": "churn-signal", "data": cloud, "publish_time": "2026-01-17T00:00:00Z"},
        event("payment", user, 17, f"bad-{user}", outcome="succeeded"),
        {"topic": "payment", "data_base64": b64encode(torn).decode(), "publish_time": "2026-01-18T00:00:00Z"},
    ]


def kept(folder, *users, mentioned=ADA):
    """The folder of a replay of these users' lives, and of one who mentions somebody."""
    mention = signal("eve", 18, "inactivity", "mention")
    mention["data"] |= {"note": f"told by {mentioned}", "referrer": {"user_id": mentioned}}
    lines = [line for user in users for line in life(user)] + [mention]
    lines.sort(key=lambda line: line.get("publish_time") or line["data"]["occurred_at"])
    return replayed(folder, *lines, keep_store=True)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return kept(tmp_path_factory.mktemp("kept"), ADA, "eve", *NEIGHBOURS)


@pytest.fixture
def folder(original, tmp_path):
    return shutil.copytree(original.folder, tmp_path / "out")


def erased(run, folder, *more, user=ADA, code=0):
    done = run("erase", user, "--store", str(folder), "--yes", *more)
    assert done.exit_code == code, done.output
    return done


def test_only_the_tombstone_holds_the_id_afterwards(run, tmp_path):
    folder = kept(tmp_path, ADA, "eve", mentioned="bob").folder
    files = {f"{name}.jsonl" for name in OUTPUTS if name != "exposures"} | {
        f"{RAW}/{name}.jsonl" for name in ("payment", "decision")
    }
    assert files_with(folder, ADA) >= {*files, STORE}
    told = json.loads(erased(run, folder, "--json").stdout)
    assert all(count > 10 for place, count in told["removed"].items() if "lines" in place)
    assert files_with(folder, ADA) == {STORE}
    ((table, row),) = rows_with(folder / STORE, ADA)
    assert table == "subscriptions"
    assert {name for name, value in row.items() if value is not None} == {"user_id", "version", "erased_at"}
    assert (folder / STORE).read_bytes().count(ADA.encode()) == 2, "the row's key, and its index"
    assert from_micros(row["erased_at"]).isoformat() == told["erased_at"]


def test_others_are_as_if_the_user_had_never_been_there(run, original, folder, tmp_path):
    erased(run, folder)
    without = kept(tmp_path / "without", "eve", *NEIGHBOURS)
    for name in OUTPUTS:
        found = original._replace(folder=folder).rows(name)
        assert [each | NUMBERED for each in found] == [each | NUMBERED for each in without.rows(name)], name
    for file in (without.folder / RAW).glob("*.jsonl"):
        lines = (folder / RAW / file.name).read_bytes().splitlines()
        assert len(lines) == len(file.read_bytes().splitlines()), file.name
    assert traces(file_of(folder / RAW, "churn-signal").read_bytes(), f"told by {ADA}")
    for user in ("eve", *NEIGHBOURS):
        assert read_document(folder / STORE, user).blob == read_document(without.folder / STORE, user).blob


def test_a_dry_run_says_how_much_would_go_and_changes_nothing(run, folder):
    before = {file: file.read_bytes() for file in folder.rglob("*.jsonl")}
    told = json.loads(run("erase", ADA, "--store", str(folder), "--dry-run", "--json").stdout)
    assert {file: file.read_bytes() for file in folder.rglob("*.jsonl")} == before
    assert read_document(folder / STORE, ADA).blob
    assert (told["dry_run"], told["erased_before"]) == (True, False)
    assert json.loads(erased(run, folder, "--json").stdout)["removed"] == told["removed"]


def test_the_id_must_be_typed_once_more(run, folder):
    refused = run("erase", ADA, "--store", str(folder), input=f"{ADA}2\n")
    assert refused.exit_code == 1
    assert "nothing was erased" in refused.output
    assert run("erase", ADA, "--store", str(folder), input="").exit_code == 1
    assert read_document(folder / STORE, ADA).blob
    assert run("erase", ADA, "--store", str(folder), input=f"{ADA}\n").exit_code == 0
    assert read_document(folder / STORE, ADA).erased_at


def test_erasing_twice_changes_nothing_and_says_when_it_was(run, folder):
    first = json.loads(erased(run, folder, "--json").stdout)
    again = json.loads(erased(run, folder, "--json").stdout)
    assert (again["erased_before"], again["erased_at"]) == (True, first["erased_at"])
    assert not any(again["removed"].values())
    assert json.loads(erased(run, folder, "--again", "--json").stdout) == again


def test_what_occurs_later_than_the_erasure_stays(run, folder):
    erased(run, folder, "--now", "2026-01-20T00:00:00Z")
    assert read_document(folder / STORE, ADA).erased_at is None
    decisions = [
        line for line in (folder / "decisions.jsonl").read_bytes().splitlines() if f'"{ADA}"'.encode() in line
    ]
    assert decisions
    assert all(json.loads(line)["decided_at"] > "2026-01-20" for line in decisions)
    events = file_of(folder / RAW, "payment").read_bytes()
    assert traces(events, f'f-{ADA}"')
    assert not traces(events, f'p-{ADA}"')
    shown = json.loads(run("show", ADA, "--store", str(folder), "--json").stdout)
    assert [one["event_id"] for one in shown["events"]] == [f"f-{ADA}"]


def test_an_unknown_user_gets_a_tombstone_all_the_same(run, folder):
    before = {file: file.read_bytes() for file in folder.rglob("*.jsonl")}
    assert not any(json.loads(erased(run, folder, "--json", user="bob").stdout)["removed"].values())
    assert read_document(folder / STORE, "bob").erased_at
    assert {file: file.read_bytes() for file in folder.rglob("*.jsonl")} == before
    nobody = erased(run, folder, "--again", user="nobody", code=1)
    assert "--again: expected a user who was erased, found none of the name 'nobody'" in nobody.output


def test_positions_of_sweeps_and_of_the_clock_name_the_user_no_longer(run, folder):
    put_in_force(folder / STORE, "v", START)
    with sqlite3.connect(folder / STORE) as connection:
        state = {"id": "s", "number": 1, "began_at": START.isoformat(), "after": ADA, "published": 3}
        connection.execute("insert into sweeps values ('sweep', ?)", (json.dumps(state).encode(),))
        connection.execute("insert into clock values (0, 1, 0, ?, 0, '{}', null, null)", (ADA,))
    assert json.loads(erased(run, folder, "--json").stdout)["removed"]["positions"] == 2
    with sqlite3.connect(folder / STORE) as connection:
        ((state,),) = connection.execute("select state from sweeps").fetchall()
        assert connection.execute("select user_id from clock").fetchall() == [(ADA[:-1],)]
    assert json.loads(state)["after"] == ADA[:-1]


def test_the_tombstone_goes_only_when_no_late_event_can_come(run, folder):
    told = json.loads(erased(run, folder, "--json").stdout)
    early = erased(run, folder, "--remove-tombstone", code=1)
    day = told["tombstone_may_go_at"][:16].replace("T", " ")
    assert f"expected a time from {day} on, found" in early.output
    at = ("--now", told["tombstone_may_go_at"])
    done = json.loads(erased(run, folder, "--remove-tombstone", "--json", *at).stdout)
    assert done["tombstone_removed"] is True
    assert rows_with(folder / STORE, f"{ADA}") == [
        (table, row) for table, row in rows_with(folder / STORE, ADA) if row["user_id"] in NEIGHBOURS
    ]
    assert read_document(folder / STORE, ADA) is None
    gone = erased(run, folder, "--remove-tombstone", code=1)
    assert f"expected the tombstone of '{ADA}' in {folder}, found none" in gone.output


def test_a_user_who_lives_has_no_tombstone_to_remove(run, folder):
    assert "found a user who lives" in erased(run, folder, "--remove-tombstone", user="eve", code=1).output


def test_an_id_that_no_user_can_have_is_refused(run, folder):
    for user in ("", "a/b", "a\nb", "\N{PILE OF POO}"):
        refused = erased(run, folder, user=user, code=2)
        assert "expected a user's id (1 to 256 printable ASCII characters" in refused.output
    for user in ("[red]<b>it's\"%s{0}", "-x"):
        assert (
            json.loads(run("erase", "--store", str(folder), "--yes", "--json", "--", user).stdout)["user_id"]
            == user
        )


def test_a_folder_that_is_no_replay_is_refused(run, tmp_path):
    refused = erased(run, tmp_path, code=2)
    assert "expected the store of a replay (made with --keep-store)" in refused.output
    (tmp_path / STORE).write_text("no database, but a text that is long enough" * 9)
    assert "expected the SQLite file of a store, found something else" in erased(run, tmp_path, code=1).output


def test_a_store_that_is_being_written_is_left_alone(run, folder, monkeypatch):
    monkeypatch.setattr("shared.adapters.sqlite.BUSY_SECONDS", 0.1)
    monkeypatch.setattr("infra.replay.stores.WAIT_SECONDS", 0.1)
    other = sqlite3.connect(folder / STORE, isolation_level=None)
    other.execute("begin exclusive")
    assert "is being written by another process" in erased(run, folder, code=1).output
    other.close()
    (folder / ".replay-1-x").mkdir()
    assert "expected a replay that has ended, found .replay-1-x" in erased(run, folder, code=1).output


def test_options_that_exclude_each_other_are_refused(run, folder):
    assert "found several" in erased(run, folder, "--again", "--remove-tombstone", code=2).output
    assert "expected --store or --project, found both" in erased(run, folder, "--project", "p", code=2).output
    assert "--now: expected it with --store" in run("erase", ADA, "--now", "2026-03-01T00:00:00Z").output
    assert "--print-sql: expected --project" in erased(run, folder, "--print-sql", code=2).output


def test_without_a_store_or_a_project_something_must_be_up(run):
    nobody = run("erase", ADA, "--yes")
    assert nobody.exit_code == 1
    assert "the emulators are not running" in nobody.output
