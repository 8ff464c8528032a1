"""Tests of the emulator runtime, with a probe in place of the real functions."""

import json
import os
import subprocess
import sys

import pytest

from infra.emulator import topics
from infra.emulator.runtime import EmulatorRuntime
from infra.errors import InfraError
from infra.remote.dead_letters import redrive
from tests.e2e.probe import PROBE
from tests.support.watching import PATIENCE_SECONDS, alive, descendants, eventually

pytestmark = pytest.mark.emulator


def test_a_message_reaches_the_function_at_the_path_of_its_topic(probe_up, probe):
    probe_up.bus.publish("payment", b'{"n": 1}', {"k": "v"})
    assert eventually(probe.seen)
    (push,) = probe.seen()
    assert push["path"] == "/payment"
    assert push["body"]["message"]["attributes"] == {"k": "v"}
    assert probe.data() == [b'{"n": 1}']


def test_a_message_that_fails_comes_again_until_it_is_taken(probe_up, probe):
    probe.answer(500)
    probe_up.bus.publish("payment", b"{}")
    assert eventually(lambda: len(probe.seen()) >= 2)
    probe.answer(200)
    again = len(probe.seen()) + 1
    assert eventually(lambda: len(probe.seen()) >= again)
    assert probe_up.bus.pull(probe_up.topology.dead_letter.subscription) == []
    ids = {push["body"]["message"]["messageId"] for push in probe.seen()}
    assert len(ids) == 1


def test_a_message_that_keeps_failing_becomes_a_dead_letter_and_can_be_redriven(probe_up, probe):
    probe.answer(500)
    probe_up.bus.publish("payment", b"\xff broken", {"k": "v"})
    (letter,) = probe_up.bus.receive("dead-letter", within=PATIENCE_SECONDS)
    assert letter.data == b"\xff broken"
    assert len(probe.seen()) == 5

    probe.answer(200)
    dry = redrive(probe_up.bus, probe_up.topology)
    assert dry.counts() == {("undelivered", "payment"): 1}
    assert len(probe.seen()) == 5

    assert redrive(probe_up.bus, probe_up.topology, dry=False).counts() == dry.counts()
    assert eventually(lambda: len(probe.seen()) == 6)
    assert probe.data()[-1] == b"\xff broken"
    assert probe.seen()[-1]["body"]["message"]["attributes"] == {"k": "v"}
    assert redrive(probe_up.bus, probe_up.topology).letters == ()


def test_a_dead_letter_of_another_reason_stays_through_a_redrive(probe_up):
    body = {"reason": "invalid", "detail": "", "topic": "payment", "data_base64": "e30=", "attributes": {}}
    probe_up.bus.publish("dead-letter", json.dumps(body).encode())
    assert redrive(probe_up.bus, probe_up.topology, reason="future_dated", dry=False).kept == 1
    done = redrive(probe_up.bus, probe_up.topology, reason="invalid", dry=False)
    assert done.counts() == {("invalid", "payment"): 1}
    assert redrive(probe_up.bus, probe_up.topology).letters == ()


def test_a_function_that_is_killed_is_started_again_and_misses_nothing(probe_up, probe):
    probe_up.bus.publish("payment", b"before")
    assert eventually(lambda: probe.data() == [b"before"])
    probe_up.kill("payment")
    probe_up.bus.publish("payment", b"meanwhile")
    probe_up.wait_until_ready("payment")
    assert eventually(lambda: probe.data()[-1] == b"meanwhile")
    assert probe.seen()[0]["pid"] != probe.seen()[-1]["pid"]


def test_what_does_not_exist_is_named(probe_up):
    with pytest.raises(InfraError, match=r"cannot publish to refund in project .*: it does not exist there"):
        probe_up.bus.publish("refund", b"{}")
    with pytest.raises(InfraError, match=r"cannot pull from refund-hold in project .*: it does not exist there"):
        probe_up.bus.pull("refund-hold")


def test_wiring_again_changes_nothing(probe_up, probe):
    topics.create_topics(probe_up.bus, probe_up.topology)
    topics.connect_functions(probe_up.bus, probe_up.topology, probe_up.function_urls)
    probe_up.bus.publish("payment", b"once")
    assert eventually(probe.seen)
    assert probe.data() == [b"once"]


def test_what_was_published_while_nobody_listened_is_heard_in_full_and_once(probe_up):
    for number in range(3):
        probe_up.bus.publish("decision", str(number).encode())
    heard = probe_up.bus.receive("decision", 3)
    assert sorted(message.data for message in heard) == [b"0", b"1", b"2"]
    assert probe_up.bus.receive("decision", within=1.5) == []


def test_a_scheduled_topic_is_ticked(emulators, project, probe, probe_table):
    ticked = probe_table.model_copy(update={"schedules": {"payment": "* * * * *"}})
    with EmulatorRuntime(
        project, topology=ticked, root=probe.root, emulators=emulators, env=probe.env, tick_seconds=0.2
    ):
        assert eventually(lambda: len(probe.data()) >= 2)
    assert set(probe.data()) == {b"{}"}


def test_the_catalog_is_published_before_any_function_starts(emulators, project, probe, probe_table):
    found = []
    up = EmulatorRuntime(
        project,
        topology=probe_table,
        root=probe.root,
        emulators=emulators,
        env=probe.env,
        publish_catalog=lambda endpoints: found.append((endpoints.project, dict(up.function_urls))),
    )
    with up:
        assert found == [(project, {})]


def test_a_function_that_cannot_start_is_reported_with_its_last_words(emulators, project, probe, probe_table):
    probe.write("functions/payment/main.py", "raise RuntimeError('no such thing as a free trial')")
    with (
        pytest.raises(InfraError, match=r"payment ended before it was ready(?s:.*)no such thing as a free trial"),
        EmulatorRuntime(project, topology=probe_table, root=probe.root, emulators=emulators),
    ):
        pass


def test_a_function_sees_only_what_is_deployed_with_it(emulators, project, probe, probe_table):
    probe.write("functions/payment/main.py", "import infra\n" + PROBE)
    with (
        pytest.raises(InfraError, match="No module named 'infra'"),
        EmulatorRuntime(project, topology=probe_table, root=probe.root, emulators=emulators),
    ):
        pass


@pytest.mark.usefixtures("_emulator_sdk")
def test_stopping_leaves_no_process_behind(project, probe, probe_table):
    others = descendants(os.getpid())
    with EmulatorRuntime(project, topology=probe_table, root=probe.root, env=probe.env):
        ours = descendants(os.getpid()) - others
        assert len(ours) == 4  # two emulators, a gunicorn and its worker
    assert eventually(lambda: not any(alive(pid) for pid in ours))


RUN_UNTIL_KILLED = """
import sys, time
from pathlib import Path
from infra.emulator.runtime import EmulatorRuntime
from infra.topology import load
table = load()
table = table.model_copy(update={"services": {}, "functions": {"payment": table.functions["payment"]}})
with EmulatorRuntime(topology=table, root=Path(sys.argv[1]), env={"PROBE_FOLDER": sys.argv[2]}):
    print("up", flush=True)
    time.sleep(600)
"""


@pytest.mark.usefixtures("_emulator_sdk")
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that their parent died")
def test_nothing_is_left_behind_even_when_the_runtime_is_killed(probe):
    command = [sys.executable, "-c", RUN_UNTIL_KILLED, str(probe.root), str(probe.folder)]
    env = {**os.environ, "TMPDIR": str(probe.folder)}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as runtime:  # noqa: S603 - ours
        assert runtime.stdout.readline() == "up\n"
        left = descendants(runtime.pid)
        assert len(left) == 4
        runtime.kill()
    assert eventually(lambda: not any(alive(pid) for pid in left))


@pytest.mark.usefixtures("_emulator_sdk")
def test_an_emulator_that_dies_ends_the_runtime_and_says_that_its_data_is_lost(project, probe, probe_table):
    with EmulatorRuntime(project, topology=probe_table, root=probe.root, env=probe.env) as running:
        running.kill("pubsub")
        with pytest.raises(InfraError, match="the pubsub emulator ended, and its data is lost"):
            running.wait()
