"""The command that runs a function as Cloud Functions does: its packaged folder, under the functions framework."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.emulator.processes import Program
from infra.remote.endpoints import LOCALHOST

UNBUFFERED = {"PYTHONUNBUFFERED": "1"}
"""Makes a function's log lines appear at once."""


def program(function: str, port: int, folder: Path, env: Mapping[str, str]) -> Program:
    """The program that runs a function in its packaged folder.

    `-P` and no PYTHONPATH: a module outside the packaged folder cannot be imported, as in the cloud.
    """
    framework = (sys.executable, "-P", "-m", "functions_framework", "--asgi", "--target", function)
    argv = (*framework, "--source", "main.py", "--host", LOCALHOST, "--port", str(port))
    return Program(function, argv, _environment(env), folder)


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**inherited, **UNBUFFERED, **env}
