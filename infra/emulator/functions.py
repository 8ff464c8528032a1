"""The command that runs a function as Cloud Functions does: its packaged folder, under the functions framework."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.emulator.processes import Program
from infra.remote.endpoints import LOCALHOST

CLOUD_ENVIRONMENT = {"FUNCTION_USE_ASGI": "true", "LOG_EXECUTION_ID": "false"}
"""The framework's variables that Terraform sets for every function."""
UNBUFFERED = {"PYTHONUNBUFFERED": "1"}
"""Makes a function's log lines appear at once."""


def program(function: str, port: int, folder: Path, env: Mapping[str, str]) -> Program:
    """The program that runs a function in its packaged folder, started without flags as the buildpack starts it.

    `-P` and no PYTHONPATH: a module outside the packaged folder cannot be imported, as in the cloud.
    """
    argv = (sys.executable, "-P", "-m", "functions_framework")
    framework = {"FUNCTION_TARGET": function, "HOST": LOCALHOST, "PORT": str(port)}
    return Program(function, argv, _environment(CLOUD_ENVIRONMENT | framework | dict(env)), folder)


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**inherited, **UNBUFFERED, **env}
