"""The state file, by which other commands find the running runtime, and the lock that prevents a second one."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from infra.errors import InfraError
from infra.remote.endpoints import Endpoints
from infra.terminal.invocation import again
from infra.topology import ROOT
from infra.whole_file import replace_text

FOLDER_VARIABLE = "UPBEAT_STATE_DIR"
"""Environment variable that names the state folder."""
STATE_FILE, LOCK_FILE = "up.json", "up.lock"
ENVIRONMENT_FILE = "emulators.env"
"""The file with the variables by which any client of Google finds the emulators: `. .upbeat/emulators.env`."""


@dataclass(frozen=True, slots=True)
class RuntimeState:
    """The content of the state file: a running runtime's process id and addresses."""

    pid: int
    endpoints: Endpoints
    functions: Mapping[str, str]
    """The base URL of each function."""
    grpc_services: Mapping[str, str] = field(default_factory=dict)
    """The address of each gRPC service, `host:port`."""


def state_folder() -> Path:
    """The folder of the state file: the one named in `UPBEAT_STATE_DIR`, else `.upbeat` in the repository."""
    return Path(os.environ.get(FOLDER_VARIABLE, ROOT / ".upbeat"))


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which allows one runtime at a time; the system releases it when the process ends.

    The state file is deleted on exit. Raises `InfraError` if another process holds the lock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK_FILE).open("a+") as lock:
        _lock(lock)
        try:
            yield
        finally:
            (folder / STATE_FILE).unlink(missing_ok=True)
            (folder / ENVIRONMENT_FILE).unlink(missing_ok=True)


def write(folder: Path, running: RuntimeState) -> None:
    """Write the state file atomically, so that a reader never sees a partial file; and the environment file."""
    replace_text(folder / STATE_FILE, json.dumps(asdict(running), indent=2) + "\n")
    variables = "".join(f"export {name}={value}\n" for name, value in running.endpoints.env.items())
    (folder / ENVIRONMENT_FILE).write_text(variables)


def find(folder: Path | None = None) -> RuntimeState:
    """The state of the running runtime. Raises `InfraError` with the command to start one if none is running."""
    try:
        state = json.loads(((folder or state_folder()) / STATE_FILE).read_text())
        endpoints = Endpoints(**state["endpoints"])
        running = RuntimeState(state["pid"], endpoints, state["functions"], state["grpc_services"])
    except (OSError, ValueError, KeyError, TypeError):
        running = None
    if running is None or not _alive(running.pid):
        raise InfraError(f"the emulators are not running; start them in another terminal with: {again()} up")
    return running


def _lock(lock: IO[str]) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        raise InfraError(
            f"already up, as process {owner}; stop it first (Ctrl-C there, or kill {owner})"
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
