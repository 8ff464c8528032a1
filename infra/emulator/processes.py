"""Child processes under supervision: what crashes is started again, and nothing outlives its parent."""

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
"""A program that ran this long was well: its next crash is a first one again."""
KEPT_LINES = 30
LAST_WORDS_SECONDS = 5.0
"""How long the output of a dead program is waited for, lest one that left its group held us up by the pipe."""
LAUNCHER = Path(__file__).with_name("launch.py")

Sink = Callable[[str, str], None]
"""Takes a program's name and one line of its output."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, and whether to run it again when it ends by itself."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    folder: Path | None = None
    restarts: bool = True
    stop_seconds: float = 5.0
    """How long it may take to stop on SIGTERM before it is killed."""


class Process:
    """One program, kept running by one thread until it is stopped.

    The thread that forks also waits, because Linux ties a child's death signal to the thread that made the child.
    """

    def __init__(self, program: Program, sink: Sink | None = None) -> None:
        self.program = program
        self.crashes = 0
        self.ended = threading.Event()
        """Set once the program has ended and will not be started again."""
        self._sink = sink or (lambda _name, _line: None)
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._stopping = threading.Event()
        self._counted = threading.Event()
        """Set from when the end of a run was noticed until the next begins."""
        self._lock = threading.Lock()
        self._child: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._supervise, name=program.name, daemon=True)

    def start(self) -> None:
        """Start the program, and start it again whenever it crashes."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the program and its children, and restart it no more."""
        with self._lock:
            self._stopping.set()
            self._signal(signal.SIGTERM)

    def stop(self) -> None:
        """Stop the program and its children; kill what has not stopped within `stop_seconds`."""
        self.ask_to_stop()
        if self._thread.ident is None:
            return
        self._thread.join(self.program.stop_seconds)
        if self._thread.is_alive():
            self.kill()
            self._thread.join()

    def kill(self) -> None:
        """Kill the program and its children, as a crash would; returns when that was counted as one."""
        with self._lock:
            child = self._child
            self._signal(signal.SIGKILL)
        if child:
            self._counted.wait()

    @property
    def last_lines(self) -> str:
        """The end of its output, for an error message."""
        return "\n".join(self._lines)

    @property
    def pid(self) -> int | None:
        """The process id of the present run, which is also its process group; None between two runs."""
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
            self._counted.set()
            backoff = FIRST_BACKOFF_SECONDS if time.monotonic() - began > STEADY_SECONDS else backoff
            self._say(f"ended with exit code {code}; starting it again in {backoff:g} s")
            self._stopping.wait(backoff)
            backoff = min(backoff * 2, MAX_BACKOFF_SECONDS)
            self._counted.clear()
        self.ended.set()
        self._counted.set()

    def _run_once(self) -> int:
        """Run until it ends; its exit code."""
        with self._lock:
            if self._stopping.is_set():
                return 0
            try:
                child = self._child = _spawn(self.program)
            except OSError as error:
                self._say(f"cannot start: {error}")
                return 127
        reader = threading.Thread(target=self._read, args=(child.stdout,), daemon=True)
        reader.start()
        code = child.wait()
        with self._lock:
            self._signal(signal.SIGKILL)  # what it leaves behind would keep its port
            self._child = None
        reader.join(LAST_WORDS_SECONDS)
        return code

    def _read(self, output: IO[str]) -> None:
        with output:
            for line in output:
                self._say(line.rstrip())

    def _say(self, line: str) -> None:
        self._lines.append(line)
        self._sink(self.program.name, line)

    def _signal(self, number: int) -> None:
        try:
            if self._child:
                os.killpg(self._child.pid, number)
        except ProcessLookupError:
            pass


def stop_all(processes: Iterable[Process]) -> None:
    """Stop them at the same time, so that together they take as long as the slowest."""
    processes = list(processes)
    for process in processes:
        process.ask_to_stop()
    for process in processes:
        process.stop()


def _spawn(program: Program) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - the programs are our own
        (*_dying_with_us(), *program.argv),
        cwd=program.folder,
        env=program.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,  # Ctrl-C is for the parent, which then stops the children in order
    )


def _dying_with_us() -> tuple[str, ...]:
    """What to put before a command so that it stops when this process dies; only Linux has such a thing."""
    if sys.platform != "linux":
        return ()
    return (sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()))
