"""`--runner beam`: the command starts the Python of Beam's environment, or says how to get it."""

import json

import pytest

from infra.catalog.load import DEFAULT_CATALOG
from infra.commands.beam_runner import DEFAULT, SETTING
from infra.topology import ROOT
from tests.support.replays import payment, trial, write
from tests.support.replays import run as replayed

CATALOG = str(DEFAULT_CATALOG)
INSTALLED = (ROOT / DEFAULT / "bin" / "python").exists()
needs_beam = pytest.mark.skipif(
    not INSTALLED, reason="needs Apache Beam: `make test-beam` installs it and runs these"
)


@pytest.fixture
def events(tmp_path):
    return write(tmp_path / "events.jsonl", [trial(), payment(), payment("u", 44, event_id="second")])


@pytest.fixture
def beam(tmp_path, monkeypatch):
    """Puts a script in the place of the Python of Beam's environment; its words are then in the file `words`."""
    monkeypatch.setenv(SETTING, str(tmp_path / "environment"))

    def place(script):
        python = tmp_path / "environment" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/words\n{script}\n')
        python.chmod(0o755)

    return place


def whatif(run, events, *words):
    return run("whatif", str(events), "--from", CATALOG, "--to", CATALOG, *words)


@pytest.mark.usefixtures("beam")
def test_without_the_environment_it_says_how_to_make_it_before_it_does_anything(run, tmp_path):
    for words in (("whatif", "missing", "--from", "a", "--to", "b"), ("rebuild", "missing", "--store", "a")):
        done = run(*words, "--runner", "beam")
        assert done.exit_code == 2
        assert f"expected the environment of Beam in {tmp_path}/environment, found none" in done.stderr
        assert "make .venv/.beam" in done.stderr


def test_another_runner_is_refused(run, events):
    done = whatif(run, events, "--runner", "spark")
    assert (done.exit_code, done.stderr) == (2, "error: --runner: expected local or beam, found 'spark'\n")


def test_options_that_a_pipeline_lacks_are_refused(run, events, beam, tmp_path):
    beam("exit 1")
    done = whatif(run, events, "--runner", "beam", "--out", str(tmp_path / "out"))
    assert (done.exit_code, "--out: expected --runner local" in done.stderr) == (2, True)
    done = run("rebuild", str(events), "--store", str(tmp_path / "a.sqlite"), "--runner", "beam")
    assert (done.exit_code, "expected a raw log for --until and --runner, found a file" in done.stderr) == (
        2,
        True,
    )
    assert not (tmp_path / "words").exists()


@pytest.mark.parametrize("code", [1, 2])
def test_the_problem_of_the_pipeline_is_the_command_s(code, run, events, beam):
    beam(f"echo 'noise' >&2; echo 'error: the pipeline failed: no space left' >&2; exit {code}")
    done = whatif(run, events, "--runner", "beam")
    assert (done.exit_code, done.stderr) == (code, "error: the pipeline failed: no space left\n")


def test_a_pipeline_that_was_killed_is_a_failure(run, events, beam):
    beam("kill -9 $$")
    done = whatif(run, events, "--runner", "beam")
    assert (done.exit_code, done.stderr) == (1, "error: it ended with -9\n")


def test_the_pipeline_gets_the_options_of_the_command(run, events, beam, tmp_path):
    beam("exit 1")
    whatif(run, events, "--runner", "beam", "--now", "2026-06-01T00:00:00+02:00", "--examples", "3")
    module, command, *words = (tmp_path / "words").read_text().splitlines()[1:]
    assert (module, command, words[0]) == ("infra.beam", "whatif", str(events))
    given = dict(zip(words[1::2], words[2::2], strict=True))
    assert given.keys() == {"--from", "--to", "--out", "--examples", "--now"}
    assert (given["--examples"], given["--now"]) == ("3", "2026-05-31T22:00:00Z")


@needs_beam
@pytest.mark.slow
def test_a_what_if_says_the_same_by_both_runners(run, events):
    told = [whatif(run, events, "--runner", runner) for runner in ("local", "beam")]
    assert [done.exit_code for done in told] == [0, 0]
    assert told[0].stdout == told[1].stdout
    assert "3 messages, 1 users" in told[1].stderr


@needs_beam
@pytest.mark.slow
def test_documents_are_checked_and_written_from_what_a_pipeline_made(run, tmp_path):
    replayed(tmp_path, trial(), payment(), payment("u", 44, event_id="second"), payment("v", 1), keep_store=True)
    raw = str(tmp_path / "out" / "raw")
    checked = run("rebuild", raw, "--store", str(tmp_path / "out"), "--check", "--runner", "beam", "--json")
    assert (checked.exit_code, json.loads(checked.stdout)["users"]["equal"]) == (0, 2)
    (tmp_path / "users").write_text("v\n")
    one = ("--users", str(tmp_path / "users"), "--until", "2026-12-01T00:00:00Z", "--runner", "beam", "--json")
    written = run("rebuild", raw, "--store", str(tmp_path / "new.sqlite"), *one)
    assert written.exit_code == 0, written.stderr
    assert json.loads(written.stdout)["users"]["created"] == 1
