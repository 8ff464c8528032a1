"""`upbeat rebuild`: from the raw log of a replay back to the documents that the replay left."""

import json
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from infra.replay.stores import STORE
from shared.adapters.packed_records import document_of
from shared.adapters.sqlite import SqliteStore
from shared.record.codec import Packing, unpack
from tests.support import replays
from tests.support.replays import GARBAGE, at, payment, signal, trial

USERS = [f"user-{number}" for number in range(12)]
ANNE = "user-3"


def lines() -> Iterator[dict]:
    """A history with doubles, late, rejected and sandbox events."""
    for number, user in enumerate(USERS):
        yield trial(user, number * 0.1, event_id="trial")
        yield payment(user, 14 + number * 0.1, event_id="first")
        yield payment(user, 20 + number, "failed", event_id="failed")
        yield signal(user, 30, "inactivity", "away")
        yield payment(user, 44, event_id="second", **({"environment": "sandbox"} if number == 5 else {}))
        yield signal(user, 45, "auto_renew_off", "off")


@pytest.fixture(scope="module")
def history(tmp_path_factory) -> Path:
    """The folder of a replay of that history, shuffled, with feedback, kept with its store."""
    folder, rnd = tmp_path_factory.mktemp("history"), random.Random(7)  # noqa: S311 - the same in every run
    told = [*lines(), *rnd.sample([*lines()], 20), *GARBAGE]
    rnd.shuffle(told)
    told = [{"publish_time": at(50 + number / 100), **line} for number, line in enumerate(told)]
    offered = replays.run(folder / "before", *told, now=replays.START + 90 * replays.timedelta(days=1))
    told += replays.feedback(offered.rows("triggers"))
    return replays.run(folder, *told, now=replays.START + 90 * replays.timedelta(days=1), keep_store=True).folder


def stored(store: Path) -> dict[str, bytes]:
    with closing(SqliteStore(store)) as opened:
        return {user: unpack(blob)._replace(pending=(), as_of=None) for user, blob in opened.blobs()}


def test_the_documents_are_those_of_the_live_run(run, history, tmp_path):
    new = tmp_path / "new.sqlite"
    done = run("rebuild", str(history), "--store", str(new))
    assert done.exit_code == 0
    assert done.stdout.startswith("12 users: 12 created\nrestored: ")
    assert stored(new) == stored(history / STORE)
    again = run("rebuild", str(history / "raw"), "--store", str(new), "--json")
    facts = json.loads(again.stdout)
    assert {name: count for name, count in facts["users"].items() if count} == {"kept": 12}
    assert facts["restored"]["events_sandbox"]
    assert facts["restored"]["events_duplicate"]
    assert facts["incomplete"] == facts["lines_unreadable"] == 0


def test_a_check_finds_that_all_are_equal(run, history):
    done = run("rebuild", str(history), "--store", str(history), "--check")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0] == "12 users: 12 equal"


@pytest.fixture
def damaged(history, tmp_path) -> Path:
    """A copy of the store in which documents differ, are missing, unreadable, or about somebody unknown."""
    file = shutil.copy(history / STORE, tmp_path / STORE)
    with closing(SqliteStore(file)) as store:
        records = {user: unpack(blob) for user, blob in store.blobs()}
        anne = records[ANNE]
        for record in (
            anne._replace(triggers=()),
            records["user-4"]._replace(next_due_at=None),
            anne._replace(user_id="nobody"),
        ):
            store.put(document_of(Packing(record)), 9)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("update subscriptions set blob = x'00' where user_id = 'user-6'")
        connection.execute("delete from subscriptions where user_id = 'user-7'")
        connection.commit()
    return Path(file)


def test_a_check_finds_each_kind_of_difference(run, history, damaged):
    done = run("rebuild", str(history), "--store", str(damaged), "--check")
    assert done.exit_code == 1
    first, *others = done.stdout.splitlines()
    assert first == "13 users: 2 differing, 8 equal, 1 no document, 1 no events, 1 unreadable"
    page = "\n".join(others)
    for user, verdict in {"user-4": "differing", "user-6": "unreadable", "user-7": "no_document"}.items():
        assert user in page.split(f"{verdict}:\n")[1].split(":\n")[0]
    assert "next_due_at: null in the document" in page
    facts = json.loads(run("rebuild", str(history), "--store", str(damaged), "--check", "--json").stdout)
    (differs,) = (one for one in facts["examples"]["differing"] if one["user_id"] == ANNE)
    assert all(path.startswith("triggers.") for path in differs["fields"])
    assert [one["user_id"] for one in facts["examples"]["no_events"]] == ["nobody"]
    assert facts["not_compared"]


def test_only_what_is_missing_is_made_unless_a_time_says_otherwise(run, history, damaged):
    before = stored_blobs(damaged)
    dry = run("rebuild", str(history), "--store", str(damaged), "--dry-run")
    assert dry.stdout.startswith("12 users: 1 created, 11 kept (dry run: nothing was written)")
    assert stored_blobs(damaged) == before
    run("rebuild", str(history), "--store", str(damaged))
    after = stored_blobs(damaged)
    assert {user for user in after if after[user] != before.get(user)} == {"user-7"}
    replaced = run("rebuild", str(history), "--store", str(damaged), "--replace-before", at(500))
    assert replaced.exit_code == 1
    assert "this version cannot read the document of user-6" in replaced.stdout
    checked = run("rebuild", str(history), "--store", str(damaged), "--check")
    assert checked.stdout.splitlines()[0] == "13 users: 11 equal, 1 no events, 1 unreadable"


def stored_blobs(store: Path) -> dict[str, bytes]:
    with closing(SqliteStore(store)) as opened:
        return dict(opened.blobs())


def test_a_few_users_alone(run, history, tmp_path):
    users = tmp_path / "users"
    users.write_text(f"{ANNE}\n\n  user-9 \nstranger\n")
    new = tmp_path / "new.sqlite"
    assert run("rebuild", str(history), "--store", str(new), "--users", str(users)).exit_code == 0
    assert {*stored(new)} == {ANNE, "user-9"}
    checked = run("rebuild", str(history), "--store", str(history), "--users", str(users), "--check")
    assert checked.stdout.splitlines()[0] == "2 users: 2 equal"


def test_what_was_published_later_is_left_to_the_functions(run, history, tmp_path):
    new = tmp_path / "new.sqlite"
    assert run("rebuild", str(history), "--store", str(new), "--until", at(50)).exit_code == 0
    assert stored(new) == {}


def test_a_log_with_gaps_and_lines_that_are_none_is_read_and_told(run, history, tmp_path):
    raw = shutil.copytree(history / "raw", tmp_path / "raw")
    (raw / "upsell-trigger.jsonl").unlink()
    with (raw / "payment.jsonl").open("ab") as file:
        file.write(b'garbage\n{"message_id": "7"}\n{"torn')
    done = run("rebuild", str(raw), "--store", str(tmp_path / "new.sqlite"))
    assert done.exit_code == 0
    assert "lines read, 3 of them unreadable" in done.stdout
    assert ", not finished: expected a JSON object, found something else" in done.stdout
    assert "the log lacks something, so that nothing of then is offered again:" in done.stdout
    assert f"  {ANNE}: the message about an offer that was decided at" in done.stdout


def test_a_rebuild_that_was_killed_goes_on(run, history, tmp_path):
    """Half of the users are there when it begins again, as after a kill between two batches."""
    new, users = tmp_path / "new.sqlite", tmp_path / "users"
    users.write_text("\n".join(USERS[:5]))
    run("rebuild", str(history), "--store", str(new), "--users", str(users))
    done = run("rebuild", str(history), "--store", str(new))
    assert done.stdout.startswith("12 users: 7 created, 5 kept")
    assert stored(new) == stored(history / STORE)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["RAW", "--store", "new", "--project", "p"], "expected --store or --project, found both"),
        (["RAW", "--store", "new", "--check", "--dry-run"], "--check: expected no --dry-run"),
        (["nowhere", "--store", "new"], "nowhere: expected the folder of a raw log (TOPIC.jsonl)"),
        (["nowhere.duckdb", "--store", "new"], "nowhere.duckdb: expected a warehouse"),
        (["RAW", "--store", "new", "--check"], "new: expected the store of a replay"),
        (["RAW", "--store", "no/such/file"], "expected a file in a folder that exists"),
        (["RAW", "--store", "new", "--until", "then"], "--until: expected an RFC 3339 time"),
        (["RAW", "--store", "new", "--users", "USERS"], "expected users' ids"),
        (["RAW", "--store", "new", "--catalog", "nothing.yaml"], "nothing.yaml: expected a catalog"),
        (["RAW", "--store", "RAW/payment.jsonl", "--check"], "expected the SQLite file of a store"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(run, history, tmp_path, monkeypatch, arguments, problem):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "USERS").write_text("a b\n")
    done = run("rebuild", *(word.replace("RAW", str(history / "raw")) for word in arguments))
    assert done.exit_code in {1, 2}
    assert problem in done.stderr.replace("\n", " ")


def test_without_a_store_or_emulators_it_says_how_to_start_them(run, history):
    done = run("rebuild", str(history))
    assert done.exit_code == 1
    assert "the emulators are not running" in done.stderr


@pytest.mark.slow
def test_several_processes_make_the_same(run, history, tmp_path, monkeypatch):
    monkeypatch.setattr("infra.rebuild.making.BUCKET_BYTES", 20_000)
    done = run("rebuild", str(history), "--store", str(tmp_path / "new.sqlite"), "--processes", "2")
    assert done.exit_code == 0, done.output
    assert stored(tmp_path / "new.sqlite") == stored(history / STORE)
