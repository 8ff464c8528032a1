"""`export` writes everything that is known of a user, and says what it read."""

import json

import orjson
import pytest

from infra.raw.folder import RAW, file_of
from infra.replay.stores import STORE
from tests.support.replays import GARBAGE, event, feedback, payment, signal, trial
from tests.support.replays import run as replayed

LISTS = {"events", "due", "feedback", "rejected_events", "changes", "decisions", "triggers", "exposures"}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """A life with everything in it, beside another's; and feedback on what the first replay issued."""
    lines = [
        trial(),
        signal("u", 3, "inactivity"),
        payment(),
        event("payment", "u", 20, "bad", outcome="succeeded"),
        payment("u", 44, "failed", "failed"),
        payment("other"),
        *GARBAGE,
    ]
    first = replayed(tmp_path_factory.mktemp("first"), *lines)
    lines += feedback(body for body in first.rows("triggers") if body["user_id"] == "u")
    return replayed(tmp_path_factory.mktemp("kept"), *lines, keep_store=True)


def test_every_message_about_the_user_is_there_and_nobody_elses(run, outcome):
    told = json.loads(run("export", "u", "--store", str(outcome.folder)).stdout)
    for name, output in (("decisions", "decisions"), ("triggers", "triggers"), ("changes", "changes")):
        expected = [body for body in outcome.rows(output) if body["user_id"] == "u"]
        found = [entry["message"] for entry in told[name]]
        assert sorted(found, key=_id) == sorted(expected, key=_id), name
    assert all(told[name] for name in LISTS), {name: len(told[name]) for name in LISTS}
    assert [each["message"]["event"]["event_id"] for each in told["rejected_events"]] == ["bad"]
    text = json.dumps({name: told[name] for name in LISTS})
    assert '"other"' not in text
    assert told["missing"] == []
    assert told["sources"]["read"] == {
        "messages": str(outcome.folder / RAW),
        "document": str(outcome.folder),
    }
    assert set(told["sources"]["not_read"]) == {"features", "dead_letters_waiting", "email"}


def test_the_document_is_readable_and_says_all_that_show_says(run, outcome):
    told = json.loads(run("export", "u", "--store", str(outcome.folder)).stdout)
    shown = json.loads(run("show", "u", "--store", str(outcome.folder), "--json").stdout)
    for name in ("scores", "life"):
        shown.pop(name)
    assert {name: told["document"][name] for name in shown} == shown
    assert told["document"]["requests"] == []
    assert told["document"]["erased_at"] is None


def test_without_the_raw_log_it_says_so_and_what_is_missing(run, outcome):
    told = json.loads(run("export", "u", "--store", str(outcome.folder), "--raw", "none").stdout)
    assert told["sources"]["not_read"]["messages"] == "no raw log"
    assert "messages" not in told["sources"]["read"]
    assert any("there is no raw log" in sentence for sentence in told["missing"])
    assert told["events"]


def test_a_user_whose_document_is_gone_is_told_from_the_raw_log(run, outcome, tmp_path):
    other = replayed(tmp_path, payment("other"), keep_store=True).folder
    for topic in ("payment", "decision", "subscription-change"):
        lines = file_of(outcome.folder / RAW, topic).read_bytes()
        file_of(other / RAW, topic).write_bytes(lines)
    told = json.loads(run("export", "u", "--store", str(other)).stdout)
    assert told["document"] is None
    assert "document" not in told["sources"]["read"]
    assert told["events"]


def test_it_is_written_into_a_file_or_as_one_line(run, outcome, tmp_path):
    where = ("--store", str(outcome.folder / STORE))
    file = tmp_path / "u.json"
    done = run("export", "u", *where, "--out", str(file))
    assert (done.exit_code, done.stdout) == (0, "")
    line = run("export", "u", *where, "--json").stdout
    assert line.count("\n") == 1
    assert orjson.loads(file.read_bytes()) == orjson.loads(line)
    assert run("export", "u", *where, "--out", str(tmp_path / "no" / "u.json")).exit_code == 1


def test_an_unknown_user_and_one_who_was_erased_are_told_apart(run, outcome, tmp_path):
    unknown = run("export", "nobody", "--store", str(outcome.folder))
    assert unknown.exit_code == 1
    assert "no user 'nobody' in" in unknown.output
    erasure = event("user-erasure", "u", 50, "e")
    folder = replayed(tmp_path, trial(), erasure, keep_store=True).folder
    erased = run("export", "u", "--store", str(folder))
    assert erased.exit_code == 1
    assert "erased at 2026-02-20" in erased.output
    assert run("export", "a b", "--store", str(folder)).exit_code == 2


def _id(body):
    return body["message_id"]
