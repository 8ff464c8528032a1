import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from infra.emulator.processes import Process, Program, stop_all
from tests.support.watching import PATIENCE_SECONDS, alive, eventually


class Log:
    """A sink that collects lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, _name: str, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def run(log: Log) -> Iterator[Callable[..., Process]]:
    processes: list[Process] = []

    def start(code: str, **settings: object) -> Process:
        process = Process(Program("it", (sys.executable, "-u", "-c", code), **settings), log)
        processes.append(process)
        process.start()
        return process

    yield start
    stop_all(processes)


FOREVER = "import signal; print('ready'); signal.pause()"
STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready')\nwhile True: signal.pause()"
)
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, '-u', '-c', {FOREVER!r}])
print(child.pid)
child.wait()
"""


def test_output_is_passed_on_line_by_line(run, log):
    process = run("print('one'); import sys; print('two', file=sys.stderr)", restarts=False)
    assert process.ended.wait(PATIENCE_SECONDS)
    assert sorted(log.lines) == ["one", "two"]
    assert sorted(process.last_lines.split("\n")) == ["one", "two"]


def test_what_crashes_is_started_again(run, log):
    process = run("print('here'); raise SystemExit(3)")
    assert eventually(lambda: log.lines.count("here") >= 2)
    assert process.crashes >= 1
    assert "ended with exit code 3; restarting in 0.5 s" in log.lines


def test_what_keeps_crashing_is_started_ever_more_slowly(run, log):
    run("raise SystemExit(1)")
    assert eventually(lambda: "ended with exit code 1; restarting in 1 s" in log.lines)


def test_what_is_killed_is_started_again(run, log):
    process = run(FOREVER)
    assert eventually(lambda: log.lines == ["ready"])
    first = process.pid
    process.kill()
    assert not alive(first)
    assert eventually(lambda: log.lines.count("ready") == 2)
    assert process.pid != first


def test_what_shall_not_restart_ends_for_good(run, log):
    process = run("print('once')", restarts=False)
    assert process.ended.wait(PATIENCE_SECONDS)
    assert process.pid is None
    assert log.lines == ["once"]


def test_stopping_is_final(run, log):
    process = run(FOREVER)
    assert eventually(lambda: log.lines == ["ready"])
    pid = process.pid
    process.stop()
    assert process.ended.is_set()
    assert not alive(pid)
    assert process.crashes == 0


def test_what_ignores_the_polite_signal_is_killed(run, log):
    process = run(STUBBORN, stop_seconds=0.2)
    assert eventually(lambda: log.lines == ["ready"])
    pid = process.pid
    process.stop()
    assert not alive(pid)


def test_children_of_a_process_stop_with_it(run, log):
    process = run(PARENT)
    assert eventually(lambda: len(log.lines) == 2)
    child = next(int(line) for line in log.lines if line.isdigit())
    process.stop()
    assert eventually(lambda: not alive(child))


def test_children_of_a_process_that_dies_die_with_it(run, log):
    process = run(PARENT, restarts=False)
    assert eventually(lambda: len(log.lines) == 2)
    child = next(int(line) for line in log.lines if line.isdigit())
    os.kill(process.pid, signal.SIGKILL)
    assert process.ended.wait(PATIENCE_SECONDS)
    assert eventually(lambda: not alive(child))


def test_a_program_that_does_not_exist_says_so(log):
    process = Process(Program("it", ("/no/such/program",), restarts=False), log)
    process.start()
    assert process.ended.wait(PATIENCE_SECONDS)
    assert "cannot start: " in process.last_lines


def test_stopping_what_never_started_does_nothing(log):
    Process(Program("it", ("true",)), log).stop()
    assert log.lines == []


def test_stopping_in_the_pause_after_a_crash_starts_nothing_more(run, log):
    process = run("raise SystemExit(1)")
    assert eventually(lambda: log.lines)
    process.stop()
    seen = len(log.lines)
    assert process.ended.is_set()
    assert len(log.lines) == seen


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that their parent died")
def test_nothing_outlives_a_parent_that_is_killed():
    supervisor = f"""
import sys, time
from infra.emulator.processes import Process, Program
program = Program("it", (sys.executable, "-u", "-c", {FOREVER!r}))
process = Process(program, lambda name, line: print(process.pid, flush=True))
process.start()
time.sleep(600)
"""
    command = [sys.executable, "-c", supervisor]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:  # noqa: S603 - ours
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.kill()
    assert eventually(lambda: not alive(child))
