"""The raw log of `up`, on the emulators: it survives whatever happens to `up`, and tells the past."""

import json
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from infra.__main__ import app
from infra.raw.folder import BEFORE, RAW, file_of
from infra.raw.reader import messages_about
from infra.remote import running
from infra.topology import ROOT, load
from tests.support.replays import at, payment, trial
from tests.support.replays import signal as churn_signal
from tests.support.watching import PATIENCE_SECONDS, alive, descendants, eventually

pytestmark = [pytest.mark.emulator, pytest.mark.slow]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(running.FOLDER_VARIABLE, str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def up(_emulator_sdk, folder):
    command = [sys.executable, "-m", "infra", "up", "--json", "--tick-seconds", "1"]
    assert not folder.exists()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        try:
            process.stdout.readline()
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE_SECONDS)


def run(*words):
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    return done.stdout


def publish(*lines):
    for line in lines:
        run("publish", line["topic"], json.dumps(line["data"]))


def topics(folder):
    return [each.topic for each in messages_about(folder, "u").messages]


def _past(instant):
    return json.loads(run("show", "u", "--now", instant, "--json"))


def test_every_message_lands_and_a_kill_leaves_what_has_landed(up, folder):
    raw = folder / RAW
    publish(trial(), payment(days=13), churn_signal("u", 20, "auto_renew_off"))
    assert eventually(lambda: {"trial-start", "payment", "churn-signal"} <= {*topics(raw)})
    assert eventually(lambda: "subscription-change" in topics(raw))
    assert eventually(lambda: file_of(raw, "lifecycle-clock").read_bytes())
    assert {path.stem for path in raw.iterdir()} == set(load().topics)
    assert topics(raw).count("payment") == 1

    # An event may land before it is processed, and the document change before its messages land.
    assert eventually(lambda: _past(at(5))["past"]["source"] == "raw log")
    assert _past(at(5))["status"] == "none"  # nothing was known then: all of it was published just now

    children = descendants(up.pid)
    for number in range(20):
        run("publish", "payment", json.dumps(payment(days=14, event_id=f"p-{number}")["data"]))
    up.kill()
    up.wait(PATIENCE_SECONDS)
    assert eventually(lambda: not any(map(alive, children)))
    found = messages_about(raw, "u")
    assert all("not finished" in line for line in found.unreadable)
    there = {one.topic for one in found.messages}
    assert {"trial-start", "payment", "churn-signal", "subscription-change"} <= there
    assert not (folder / BEFORE).exists()
