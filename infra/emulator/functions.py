"""The command that runs a function as Cloud Functions does: its packaged folder, under the functions framework."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from sysconfig import get_path

from infra.emulator.processes import Program
from infra.remote.endpoints import LOCALHOST

CLOUD_ENVIRONMENT = {"FUNCTION_USE_ASGI": "true", "LOG_EXECUTION_ID": "false"}
"""The framework's variables that Terraform sets for every function."""
UNBUFFERED = {"PYTHONUNBUFFERED": "1"}
"""Makes a function's log lines appear at once."""


def program(function: str, port: int, folder: Path, env: Mapping[str, str]) -> Program:
    """The program that runs a function in its packaged folder, started without flags as the buildpack starts it.

    As in the cloud, only the packaged folder and the installed libraries can be imported. `-P` leaves out the
    current folder. `-S` with the libraries as PYTHONPATH leaves out what .pth files add: the editable
    installation of the project itself, which would supply any module that the package lacks.
    """
    argv = (sys.executable, "-S", "-P", "-m", "functions_framework")
    framework = {"FUNCTION_TARGET": function, "HOST": LOCALHOST, "PORT": str(port)}
    return Program(function, argv, _environment(CLOUD_ENVIRONMENT | framework | dict(env)), folder)


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    libraries = os.pathsep.join(dict.fromkeys((get_path("purelib"), get_path("platlib"))))
    return {**os.environ, "PYTHONPATH": libraries, **UNBUFFERED, **env}
