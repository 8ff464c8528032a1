"""A function started from its unpacked zip as the cloud starts it, with nothing else of the project to import."""

import json
import os
import re
import sys
import sysconfig
import venv
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from infra.emulator.processes import Process, Program
from infra.remote.endpoints import LOCALHOST, free_ports

FRAMEWORK = Path(sys.executable).with_name("functions-framework")
"""The command of the buildpack's web process. It gets no flags, only environment variables.

https://github.com/GoogleCloudPlatform/buildpacks/blob/main/cmd/python/functions_framework/lib/lib.go
"""
SERVICE = ("main.py",)
"""The arguments of Python for a service, as its Procfile says."""
PROVE_IMPORTS = {"PYTHONVERBOSE": "1", "PYTHONDONTWRITEBYTECODE": "1"}
"""Makes Python name each module that it imports, and the file of its source, on standard error."""

_modules_in = re.compile(r"^import '(shared(?:\.\w+)*)' #", re.MULTILINE).findall
_sources_in = re.compile(r"^# code object from '?(.+?\.py)'?$", re.MULTILINE).findall


def make_interpreter(folder: Path) -> Path:
    """An interpreter with the installed packages of this one, except for the project itself.

    The project is installed as editable, and its finder would supply from the repository any module that a zip
    lacks. The folder that a .pth file names is searched, but the .pth files in it, which install such finders, are
    not read. https://docs.python.org/3/library/site.html
    """
    venv.create(folder, symlinks=True)
    base = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", base)) / "packages.pth"
    packages.write_text(sysconfig.get_path("purelib"))
    return Path(sysconfig.get_path("scripts", "venv", base)) / "python"


class Booted:
    """A running function; a context manager. `python` comes from `make_interpreter`.

    Nothing of this process's environment reaches the function, except for the path of its commands.
    """

    def __init__(
        self,
        function: str,
        source: Path,
        python: Path,
        env: Mapping[str, str],
        argv: tuple[str, ...] = (str(FRAMEWORK),),
    ) -> None:
        (self.port,) = free_ports(1)
        self.url = f"http://{LOCALHOST}:{self.port}"
        self.source = source
        self.printed: list[str] = []
        """The lines on standard output so far."""
        self._errors = source.with_name(f"{source.name}.stderr")
        cloud = {"FUNCTION_TARGET": function, "HOST": LOCALHOST, "PORT": str(self.port), "PYTHONUNBUFFERED": "1"}
        command = ("sh", "-c", f'exec "$@" 2> "{self._errors}"', "sh", str(python), *argv)
        environment = {"PATH": os.environ["PATH"], **cloud, **env}
        program = Program(function, command, environment, source, restarts=False)
        self.process = Process(program, lambda _name, line: self.printed.append(line))

    def __enter__(self) -> Self:
        self.process.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.stop()

    @property
    def log(self) -> list[dict[str, Any]]:
        """The entries on standard output so far. Raises `ValueError` for a line that is no JSON."""
        return [json.loads(line) for line in self.printed]

    @property
    def errors(self) -> str:
        """The text on standard error so far."""
        return self._errors.read_text()

    @property
    def loaded_modules(self) -> list[str]:
        """The names of the modules of `shared` that were imported. Needs `PROVE_IMPORTS`."""
        return _modules_in(self.errors)

    @property
    def loaded_files(self) -> set[Path]:
        """The source files that were imported from the unpacked zip, as paths in it. Needs `PROVE_IMPORTS`."""
        files = map(Path, _sources_in(self.errors))
        return {file.relative_to(self.source) for file in files if file.is_relative_to(self.source)}
