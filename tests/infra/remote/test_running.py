import json
import os
import subprocess
import sys

import pytest

from infra.errors import InfraError
from infra.remote import running
from infra.remote.endpoints import Endpoints

ENDPOINTS = Endpoints("upbeat-local", "127.0.0.1:1", "127.0.0.1:2")


def up_as(pid: int) -> running.RuntimeState:
    return running.RuntimeState(pid, ENDPOINTS, {"payment": "http://127.0.0.1:3"})


def test_what_is_written_is_found(tmp_path):
    with running.claimed(tmp_path):
        running.write(tmp_path, up_as(os.getpid()))
        assert running.find(tmp_path) == up_as(os.getpid())


def test_nothing_is_found_after_the_claim_ends(tmp_path):
    with running.claimed(tmp_path):
        running.write(tmp_path, up_as(os.getpid()))
    with pytest.raises(InfraError, match="python -m infra up"):
        running.find(tmp_path)


def test_the_state_of_a_process_that_is_gone_is_not_found(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    running.write(tmp_path, up_as(gone.pid))
    with pytest.raises(InfraError, match="not running"):
        running.find(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"pid": 1})])
def test_a_state_file_that_cannot_be_read_counts_as_none(tmp_path, text):
    (tmp_path / running.STATE_FILE).write_text(text)
    with pytest.raises(InfraError, match="not running"):
        running.find(tmp_path)


def test_a_second_claim_is_refused_and_names_the_first(tmp_path):
    with running.claimed(tmp_path):
        with pytest.raises(InfraError, match=f"already up, as process {os.getpid()}"), running.claimed(tmp_path):
            pass
        running.write(tmp_path, up_as(os.getpid()))
        assert running.find(tmp_path).pid == os.getpid()


def test_a_claim_can_be_made_again_after_it_ended(tmp_path):
    for _ in range(2):
        with running.claimed(tmp_path):
            pass


def test_the_claim_of_a_process_that_was_killed_is_free(tmp_path):
    program = (
        "import sys, time; from pathlib import Path; from infra.remote import running\n"
        "with running.claimed(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:  # noqa: S603 - ours
        assert other.stdout.readline() == "held\n"
        with pytest.raises(InfraError, match=f"process {other.pid}"), running.claimed(tmp_path):
            pass
        other.kill()
    with running.claimed(tmp_path):
        pass


def test_the_folder_can_be_chosen(tmp_path, monkeypatch):
    monkeypatch.setenv(running.FOLDER_VARIABLE, str(tmp_path))
    assert running.state_folder() == tmp_path
