"""What the emulators hold is saved when `up` ends, and is there again when it starts with it."""

import socket
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from infra.__main__ import app
from infra.emulator.emulators import Emulators
from infra.emulator.runtime import EmulatorRuntime
from infra.emulator.saved import find_saved
from infra.errors import InfraError, UsageError
from infra.remote import running
from infra.remote.endpoints import free_ports
from infra.remote.firestore import emulator_client
from infra.topology import ROOT

pytestmark = [pytest.mark.emulator, pytest.mark.slow]
AT = "2026-03-01T09:00:00Z"


@pytest.fixture
def runtime(tmp_path, probe, probe_table, monkeypatch, _emulator_sdk):
    """A runtime with emulators of its own and a probe as its only function."""
    monkeypatch.setenv(running.FOLDER_VARIABLE, str(tmp_path / "state"))

    def made(**more):
        settings = {
            "topology": probe_table,
            "root": probe.root,
            "env": probe.env,
            "state_folder": tmp_path / "state",
        }
        return EmulatorRuntime("saved", **settings, **more)

    return made


def test_documents_raw_log_and_time_are_there_again(runtime, tmp_path):
    from_shop = b'{"from": "shop"}'
    with runtime(save_into=tmp_path / "saved") as up:
        emulator_client(up.endpoints).document("subscriptions/ada").set({"blob": b"\x00\xff", "n": 3})
        up.bus.publish("payment", from_shop)
        assert CliRunner().invoke(app, ["clock", "+30d"]).exit_code == 0
    saved = find_saved(tmp_path / "saved")
    with runtime(saved=saved) as up:
        assert emulator_client(up.endpoints).document("subscriptions/ada").get().to_dict() == {
            "blob": b"\x00\xff",
            "n": 3,
        }
        told = CliRunner().invoke(app, ["clock", "show"]).output
        assert "30 days ahead" in told or "29 days ahead" in told
    assert (tmp_path / "state/raw/payment.jsonl").read_bytes().count(b"\n") == 1


def test_saving_twice_replaces_what_was_saved(runtime, tmp_path):
    for number in (1, 2):
        with runtime(save_into=tmp_path / "saved") as up:
            emulator_client(up.endpoints).document(f"subscriptions/user-{number}").set({"n": number})
    with runtime(saved=find_saved(tmp_path / "saved")) as up:
        found = [each.id for each in emulator_client(up.endpoints).collection("subscriptions").stream()]
    assert found == ["user-2"]
    assert [each.name for each in tmp_path.glob("saved*")] == ["saved"]


def test_a_folder_without_anything_saved_is_refused(tmp_path):
    with pytest.raises(UsageError, match="--import: expected a folder of --export-on-exit"):
        find_saved(tmp_path)


@pytest.mark.usefixtures("_emulator_sdk")
def test_a_port_in_use_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InfraError, match=f"port {port}: expected a free port"):
            Emulators(ports=(port, 0)).start()


def test_fixed_ports_are_those_of_the_environment_file(runtime, tmp_path):
    ports = tuple(free_ports(2))
    with runtime(ports=ports):
        variables = (tmp_path / "state/emulators.env").read_text()
        script = (
            ". state/emulators.env && echo $PUBSUB_EMULATOR_HOST $FIRESTORE_EMULATOR_HOST $GOOGLE_CLOUD_PROJECT"
        )
        told = subprocess.run(["/bin/sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)  # noqa: S603
    assert told.stdout.split() == [f"127.0.0.1:{ports[0]}", f"127.0.0.1:{ports[1]}", "saved"]
    assert variables.count("export ") == 3
    assert not (tmp_path / "state/emulators.env").exists()


@pytest.mark.parametrize("ports", ["8085", "8085,x", "8085,70000", ",", "-1,2"])
def test_ports_that_are_none_are_refused(ports):
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "infra", "up", f"--ports={ports}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "--ports: expected three port numbers" in done.stderr
