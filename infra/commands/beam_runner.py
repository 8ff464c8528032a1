"""Starts `python -m infra.beam` by the Python of Beam's environment, which has packages of its own."""

import os
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from infra.errors import InfraError, UsageError

HERE, BEAM = "local", "beam"
RUNNERS = (HERE, BEAM)
SETTING = "UPBEAT_BEAM_VENV"
"""The variable with the folder of Beam's virtual environment."""
DEFAULT = Path(".venv/beam")
"""In the repository; `make .venv/.beam` makes it."""
Runner = Annotated[
    str,
    typer.Option("--runner", metavar="RUNNER", help="local, or beam: the same as an Apache Beam pipeline."),
]


def check_runner(runner: str) -> None:
    """Raise `UsageError` for an unknown runner, or if Beam is asked for and not installed."""
    if runner not in RUNNERS:
        raise UsageError(f"--runner: expected {' or '.join(RUNNERS)}, found {runner!r}")
    if runner == BEAM:
        _python()


def run_beam(command: str, *words: object) -> None:
    """Run a command of `infra.beam` on this machine's processors. Raises `InfraError` if it fails."""
    from infra.terminal.progress import spinner
    from infra.topology import ROOT

    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with spinner("running the pipeline"):
        done = subprocess.run(  # noqa: S603 - our own command
            [_python(), "-m", "infra.beam", command, *map(str, words)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            check=False,
        )
    typer.echo(done.stderr if done.returncode == 0 else "", err=True, nl=False)
    if done.returncode:
        problem = done.stderr.strip().rpartition("error: ")[2] or f"it ended with {done.returncode}"
        raise (UsageError if done.returncode == 2 else InfraError)(problem)


def _python() -> str:
    """The Python of Beam's environment. Raises `UsageError` if there is none."""
    from infra.topology import ROOT

    folder = ROOT / os.environ.get(SETTING, DEFAULT)
    python = folder / "bin" / "python"
    if not os.access(python, os.X_OK):
        raise UsageError(
            f"--runner beam: expected the environment of Beam in {folder}, found none: `make .venv/.beam` makes it"
            f" in {DEFAULT}, and {SETTING} names another folder"
        )
    return str(python)
