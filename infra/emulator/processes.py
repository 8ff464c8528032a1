"""Supervised child processes: a crashed program is restarted, and no child outlives its parent."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

FIRST_BACKOFF_SECONDS = 0.5
MAX_BACKOFF_SECONDS = 30.0
STEADY_SECONDS = 10.0
"""A program that ran longer than this is healthy: the back-off after its next crash starts from the beginning."""
KEPT_LINES = 30
"""Lines of output kept for error messages."""
DRAIN_SECONDS = 5.0
"""Time limit for reading the rest of a dead program's output.

A descendant that left the process group can keep the pipe open for ever.
"""
LAUNCHER = Path(__file__).with_name("launch.py")

Sink = Callable[[str, str], None]
"""Receives a program's name and one line of its output."""


@dataclass(frozen=True, slots=True)
class Program:
    """A command to run; `restarts` says if it is run again when it ends by itself."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    folder: Path | None = None
    restarts: bool = True
    stop_seconds: float = 5.0
    """Time between SIGTERM and SIGKILL."""


class Process:
    """One program, kept running by a supervising thread until it is stopped.

    The thread that starts the child also waits for it, because Linux sends the parent-death signal when the thread
    that created the child ends.
    """

    def __init__(self, program: Program, sink: Sink | None = None) -> None:
        self.program = program
        self.crashes = 0
        self.ended = threading.Event()
        """Set once the program has ended and will not be restarted."""
        self._sink = sink or (lambda _name, _line: None)
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._stopping = threading.Event()
        self._crash_counted = threading.Event()
        """Set while the program is down: from the counted end of a run until the next run starts."""
        self._lock = threading.Lock()
        self._child: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._supervise, name=program.name, daemon=True)

    def start(self) -> None:
        """Start the program, and restart it after every crash."""
        self._thread.start()

    def request_stop(self) -> None:
        """Send SIGTERM to the program and its children, and do not restart it."""
        with self._lock:
            self._stopping.set()
            self._signal(signal.SIGTERM)

    def stop(self) -> None:
        """Stop the program and its children; kill them if they run longer than `stop_seconds`."""
        self.request_stop()
        if self._thread.ident is None:
            return
        self._thread.join(self.program.stop_seconds)
        if self._thread.is_alive():
            self.kill()
            self._thread.join()

    def kill(self) -> None:
        """Kill the program and its children, as a crash would. Returns once the crash is counted in `crashes`."""
        with self._lock:
            child = self._child
            self._signal(signal.SIGKILL)
        if child:
            self._crash_counted.wait()

    @property
    def last_lines(self) -> str:
        """The last lines of the output, for an error message."""
        return "\n".join(self._lines)

    @property
    def pid(self) -> int | None:
        """The process id of the current run, which is also its process group; None between two runs."""
        child = self._child
        return child.pid if child else None

    def _supervise(self) -> None:
        backoff = FIRST_BACKOFF_SECONDS
        while not self._stopping.is_set():
            began = time.monotonic()
            code = self._run_once()
            if self._stopping.is_set() or not self.program.restarts:
                break
            self.crashes += 1
            self._crash_counted.set()
            backoff = FIRST_BACKOFF_SECONDS if time.monotonic() - began > STEADY_SECONDS else backoff
            self._emit(f"ended with exit code {code}; restarting in {backoff:g} s")
            self._stopping.wait(backoff)
            backoff = min(backoff * 2, MAX_BACKOFF_SECONDS)
            self._crash_counted.clear()
        self.ended.set()
        self._crash_counted.set()

    def _run_once(self) -> int:
        """Run the program once and return its exit code."""
        with self._lock:
            if self._stopping.is_set():
                return 0
            try:
                child = self._child = _spawn(self.program)
            except OSError as error:
                self._emit(f"cannot start: {error}")
                return 127
        reader = threading.Thread(target=self._read, args=(child.stdout,), daemon=True)
        reader.start()
        code = child.wait()
        with self._lock:
            self._signal(signal.SIGKILL)  # a surviving child would keep the port open
            self._child = None
        reader.join(DRAIN_SECONDS)
        return code

    def _read(self, output: IO[str]) -> None:
        with output:
            for line in output:
                self._emit(line.rstrip())

    def _emit(self, line: str) -> None:
        self._lines.append(line)
        self._sink(self.program.name, line)

    def _signal(self, number: int) -> None:
        try:
            if self._child:
                os.killpg(self._child.pid, number)
        except ProcessLookupError:
            pass


def stop_all(processes: Iterable[Process]) -> None:
    """Stop all processes at the same time, so that the total takes no longer than the slowest one."""
    processes = list(processes)
    for process in processes:
        process.request_stop()
    for process in processes:
        process.stop()


def _spawn(program: Program) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - the programs are our own
        (*_death_signal_launcher(), *program.argv),
        cwd=program.folder,
        env=program.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,  # Ctrl-C reaches only the parent, which then stops the children in order
    )


def _death_signal_launcher() -> tuple[str, ...]:
    """The command prefix that makes a child stop when this process dies; empty where the system is not Linux."""
    if sys.platform != "linux":
        return ()
    return (sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()))
