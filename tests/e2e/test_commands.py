"""Tests of the command line against running emulators, with a probe in place of the real functions."""

import json
import os
import signal
import subprocess
import sys
from urllib.request import urlopen

import pytest
from typer.testing import CliRunner

from infra.__main__ import app
from infra.emulator.runtime import EmulatorRuntime
from infra.remote import running
from infra.topology import ROOT
from tests.support.watching import PATIENCE_SECONDS, alive, descendants, eventually

pytestmark = pytest.mark.emulator


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(running.FOLDER_VARIABLE, str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def emulators_up(emulators, project, probe, probe_table, folder):
    settings = {"topology": probe_table, "root": probe.root, "env": probe.env, "emulators": emulators}
    with EmulatorRuntime(project, **settings, state_folder=folder) as up:
        yield up


def run(*words, **more):
    done = CliRunner().invoke(app, words, **more)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.usefixtures("emulators_up")
def test_publish_finds_what_is_running_and_sends_the_bytes_as_they_were_given(probe):
    (published,) = run("publish", "payment", '{"n":  1}', "-a", "source=shop=1", "--json")
    assert eventually(probe.seen)
    assert probe.data() == [b'{"n":  1}']
    (push,) = probe.seen()
    assert push["body"]["message"]["messageId"] == published["message_id"]
    assert push["body"]["message"]["attributes"] == {"source": "shop=1"}


@pytest.mark.usefixtures("emulators_up")
def test_publish_reads_standard_input(probe):
    run("publish", "payment", "-", "--json", input='{"from": "stdin"}')
    assert eventually(probe.seen)
    assert probe.data() == [b'{"from": "stdin"}']


def test_listen_prints_each_message_once(emulators_up):
    for number in (1, 2):
        emulators_up.bus.publish("decision", json.dumps({"n": number}).encode(), {"outcome": "won"})
    heard = run("listen", "decision", "--count", "2", "--json")
    assert sorted(message["data"]["n"] for message in heard) == [1, 2]
    assert heard[0]["attributes"] == {"outcome": "won"}
    assert run("listen", "decision", "--seconds", "1.5", "--json") == []


def test_listen_shows_what_is_not_json_as_text(emulators_up):
    emulators_up.bus.publish("decision", b"\xff words")
    (heard,) = run("listen", "decision", "--count", "1", "--json")
    assert heard["data"] == "\ufffd words"


def test_redrive_says_first_and_sends_only_when_told_to_go(emulators_up, probe):
    body = {"reason": "invalid", "detail": "", "topic": "payment", "data_base64": "e30=", "attributes": {}}
    emulators_up.bus.publish("dead-letter", json.dumps(body).encode())
    letters = [{"reason": "invalid", "topic": "payment", "count": 1}]

    assert run("listen", "dead-letter", "--count", "1", "--json")
    assert run("redrive", "--json") == [{"dry_run": True, "letters": letters, "kept": 0, "unreadable": 0}]
    assert probe.seen() == []

    assert run("redrive", "--go", "--json") == [{"dry_run": False, "letters": letters, "kept": 0, "unreadable": 0}]
    assert eventually(probe.seen)
    assert probe.data() == [b"{}"]
    assert CliRunner().invoke(app, ["redrive"]).stdout == "would send nothing\n"


@pytest.mark.usefixtures("emulators_up")
def test_a_second_up_is_refused():
    done = CliRunner().invoke(app, ["up"])
    assert done.exit_code == 1
    assert f"error: already up, as process {os.getpid()}; stop it first" in done.stderr


def page_at(address):
    """The page at an address; empty while nobody answers."""
    try:
        with urlopen(address) as page:  # noqa: S310 - always http on this machine
            return page.read().decode()
    except OSError:
        return ""


@pytest.mark.usefixtures("_emulator_sdk")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_up_runs_every_function_until_it_is_told_to_stop_and_leaves_nothing(folder, ending):
    command = [sys.executable, "-m", "infra", "up", "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as up:  # noqa: S603 - ours
        try:
            told = json.loads(up.stdout.readline())
            console = told.pop("console")
            assert eventually(lambda: "on the emulators" in page_at(console))
            assert json.loads((folder / running.STATE_FILE).read_text()) == told
            running_programs = 3 + 2 * len(told["functions"]) + len(told["grpc_services"])
            assert eventually(lambda: len(descendants(up.pid)) == running_programs)
            children = descendants(up.pid)
        finally:  # a failure above must not wait for ever for what was never told to stop
            up.send_signal(ending)
            assert up.wait(PATIENCE_SECONDS) == 0
    assert not any(alive(child) for child in children)
    assert not (folder / running.STATE_FILE).exists()
