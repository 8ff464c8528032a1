"""Running a function as the cloud would: its composed folder, under the functions framework."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.emulator.processes import Program
from infra.remote.endpoints import LOCALHOST

UNBUFFERED = {"PYTHONUNBUFFERED": "1"}


def program(function: str, port: int, folder: Path, env: Mapping[str, str]) -> Program:
    """How to run a function in its composed folder.

    `-P` and no PYTHONPATH: what is not in the composed folder cannot be imported here, as it could not be there.
    """
    framework = (sys.executable, "-P", "-m", "functions_framework", "--asgi", "--target", function)
    argv = (*framework, "--source", "main.py", "--host", LOCALHOST, "--port", str(port))
    return Program(function, argv, _environment(env), folder)


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**inherited, **UNBUFFERED, **env}
