"""Runs blocks of the docs with bash, and a whole Upbeat for them, as a reader of the docs does."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.remote import running
from infra.topology import ROOT
from tests.support.watching import eventually

ACTIVATION = ". .venv/bin/activate\n"


def run_script(script: str, place: Path = ROOT, **environment: str) -> str:
    """The output of a block, run with this Python's commands; one that fails fails the test."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(  # noqa: S603 - the docs are ours
        ["/bin/bash", "-euo", "pipefail", "-c", script.replace(ACTIVATION, "")],
        cwd=place,
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def upbeat_up(state: Path, command: tuple[str, ...] = (sys.executable, "-m", "infra", "up")) -> Iterator[None]:
    """`upbeat up` with its state in a folder, until the block ends."""
    environment = os.environ | {running.FOLDER_VARIABLE: str(state)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as up:  # noqa: S603 - ours
        try:
            assert eventually(lambda: up.poll() is not None or (state / running.STATE_FILE).exists())
            yield
        finally:
            up.send_signal(signal.SIGINT)
            up.wait(60)
