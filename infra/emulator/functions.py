"""The commands that run a function and a gRPC service as the cloud does: each in its packaged folder."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from sysconfig import get_path

from infra.deploy.package import PROCFILE
from infra.emulator.processes import Program
from infra.errors import InfraError
from infra.remote.endpoints import LOCALHOST
from infra.topology import GrpcServiceRow

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


def service_program(service: GrpcServiceRow, port: int, folder: Path, env: Mapping[str, str]) -> Program:
    """The program that runs a gRPC service in the packaged folder of its image, as the Procfile there says.

    `-S` is as for a function. Python puts the folder of the program on the path, as in the cloud.
    """
    _, _, command = (folder / PROCFILE).read_text().strip().partition(": ")
    program, *argv = command.split()
    if program != "python":
        raise InfraError(f"{folder / PROCFILE}: expected a command of python, found {program}")
    only_reads = {} if service.publishes else {"UPBEAT_API_ONLY_READS": "true"}
    given = {"HOST": LOCALHOST, "PORT": str(port)} | only_reads | dict(env)
    return Program(service.name, (sys.executable, "-S", *argv), _environment(given), folder)


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    libraries = os.pathsep.join(dict.fromkeys((get_path("purelib"), get_path("platlib"))))
    return {**os.environ, "PYTHONPATH": libraries, **UNBUFFERED, **env}
