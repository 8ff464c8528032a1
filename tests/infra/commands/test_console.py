"""`console`: starts, says where it is, and stops; and what it cannot show."""

import json
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from urllib.request import urlopen

import pytest

from infra.topology import ROOT
from tests.support import replays
from tests.support.watching import PATIENCE_SECONDS, eventually


@pytest.fixture
def replayed(tmp_path):
    """The folder of a replay with a store."""
    return replays.run(tmp_path, replays.trial(), keep_store=True).folder


def fetched(url):
    return urlopen(url)  # noqa: S310 - always http on this machine


@contextmanager
def started(*words):
    argv = [sys.executable, "-m", "infra", "console", "--port", "0", *words]
    process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603 - ours
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_shows_a_replay_until_it_is_stopped_even_while_a_page_follows(replayed, number):
    with started("--store", str(replayed), "--json") as console:
        told = json.loads(console.stdout.readline())
        assert told["shows"] == f"the replay in {replayed}"
        with fetched(told["url"]) as page:
            assert b"trial started: premium" in page.read()
        with fetched(f"{told['url']}live/stream?user=u") as stream:
            assert eventually(lambda: stream.readline() == b"event: anew\n")
            console.send_signal(number)
            assert b"trial started: premium" in stream.read(), "the stream comes to an end"
        assert console.communicate(timeout=PATIENCE_SECONDS) == ("", "")
    assert console.returncode == 0


@pytest.mark.slow
def test_it_listens_on_this_machine_alone(replayed):
    with started("--store", str(replayed), "--json") as console:
        port = int(json.loads(console.stdout.readline())["url"].rstrip("/").rpartition(":")[2])
        others = [address for address in _addresses() if not address.startswith("127.")]
        for address in others:
            with pytest.raises(OSError, match=r".*"), socket.create_connection((address, port), 2):
                pass


def _addresses():
    return {found[4][0] for found in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}


def test_a_port_in_use_is_told(run, replayed):
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = run("console", "--store", str(replayed), "--port", str(other.getsockname()[1]))
    assert done.exit_code == 1
    assert "cannot be used (Address already in use); choose another with --port" in done.stderr


def test_a_folder_that_is_no_replay_is_told(run, tmp_path):
    done = run("console", "--store", str(tmp_path))
    assert done.exit_code == 2
    assert "expected the store of a replay (made with --keep-store), found none" in done.stderr


def test_emulators_that_do_not_run_are_told(run):
    done = run("console")
    assert (done.exit_code, "the emulators are not running" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--store", "x", "--project", "p"), "expected --store or --project, found both"),
        (("--now", "2026-03-01T09:00:00Z"), "--catalog and --now are for --store alone"),
        (("--port", "70000"), "--port"),
    ],
)
def test_options_that_contradict_each_other_are_told(run, words, expected):
    done = run("console", *words)
    assert (done.exit_code, expected in done.stderr) == (2, True)


@pytest.mark.slow
def test_a_store_that_is_being_written_is_shown(replayed):
    [store] = replayed.glob("*.sqlite")
    writer = sqlite3.connect(store)
    writer.execute("BEGIN IMMEDIATE")
    with started("--store", str(replayed), "--json") as console:
        told = json.loads(console.stdout.readline())
        with (replayed / "raw" / "payment.jsonl").open("ab") as log:
            log.write(b'{"torn')
        for path in ("", "dead-letters", "try?kind=payment.refunded&user=u"):
            with fetched(told["url"] + path) as page:
                assert page.status == 200
    writer.rollback()
