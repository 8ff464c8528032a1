"""Terraform on an applied stub: a check is held before its last plan, so that tests can plan their own changes."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.topology import ROOT
from tests.infra.terraform.resources import Document

Change = Callable[[Path], None]
"""Changes a copy of the folder infra/."""
IMAGE = "europe-west1-docker.pkg.dev/upbeat-dev/upbeat-functions/warehouse:some-tag"
GRPC_IMAGE = "europe-west1-docker.pkg.dev/upbeat-dev/upbeat-functions/decisions-grpc:some-tag"
VARIABLES = {"TF_VAR_warehouse_image": IMAGE, "TF_VAR_decisions_grpc_image": GRPC_IMAGE, "TF_VAR_dataflow": "true"}
"""Variables without which a part of the module would not be made."""

# The check's last call of Terraform is the second plan, on what it has applied. This command stands before the
# real one on the path: it tells the place of the state, and waits until the tests are done.
HOLD = """#!/bin/sh
case "$*" in *-detailed-exitcode*)
  printf '%s\\n%s\\n' "$PWD" "$TF_CLI_CONFIG_FILE" > "$UPBEAT_HELD/place.part"
  mv "$UPBEAT_HELD/place.part" "$UPBEAT_HELD/place"
  read _ < "$UPBEAT_HELD/release" ;;
esac
exec "$UPBEAT_TERRAFORM" "$@"
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a plan: its errors as one line of text, or the plan."""

    errors: str
    plan: Document | None


@dataclass(frozen=True, slots=True)
class Applied:
    """A copy of infra/ whose development environment is applied to the stub."""

    module: Path
    config: str

    def plan(self, change: Change, folder: Path, var_file: Path = Path("env/dev.tfvars")) -> Outcome:
        """Plan a change of the copy, in an empty folder."""
        tree = folder / "infra"
        shutil.copytree(self.module.parent, tree, symlinks=True)
        change(tree)
        arguments = ["plan", "-input=false", "-no-color", f"-var-file={var_file}", "-out=change.bin"]
        planned = self._terraform(tree / "terraform", *arguments)
        if planned.returncode:
            errors = planned.stdout[planned.stdout.find("Error: ") :]
            return Outcome(" ".join(errors.split()), None)
        shown = self._terraform(tree / "terraform", "show", "-json", "change.bin")
        return Outcome("", json.loads(shown.stdout))

    def _terraform(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **VARIABLES, "TF_CLI_CONFIG_FILE": self.config, "TF_IN_AUTOMATION": "1"}
        return subprocess.run(  # noqa: S603 - the arguments are ours
            ["terraform", *arguments],  # noqa: S607 - the one on the path
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )


@contextmanager
def applied_stub(check: str, folder: Path) -> Iterator[Applied]:
    """Run a check of infra/terraform up to its second plan. Raises `AssertionError` with its output if it ends."""
    binary = folder / "terraform"
    binary.write_text(HOLD)
    binary.chmod(0o755)
    os.mkfifo(folder / "release")
    environment = {
        **os.environ,
        **VARIABLES,
        "PATH": f"{folder}:{os.environ['PATH']}",
        "UPBEAT_HELD": str(folder),
        "UPBEAT_TERRAFORM": shutil.which("terraform") or "",
    }
    command = [check, str(ROOT / "infra" / "terraform"), "--var-file", "env/dev.tfvars"]
    with (folder / "output").open("w") as output:
        process = subprocess.Popen(  # noqa: S603 - the command of the person who runs the tests
            command, env=environment, stdout=output, stderr=output, start_new_session=True, cwd=ROOT
        )
        try:
            yield _applied(process, folder)
        finally:
            _end(process, folder)


def _applied(process: subprocess.Popen[bytes], folder: Path) -> Applied:
    place = folder / "place"
    while not place.exists() and process.poll() is None:
        time.sleep(0.1)
    assert place.exists(), (folder / "output").read_text()
    module, config = place.read_text().splitlines()
    return Applied(Path(module), config)


def _end(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Let a check that is held run to its end, in which it removes what it has made; stop any other."""
    if process.poll() is None:
        if (folder / "place").exists():
            (folder / "release").write_text("go\n")
        else:
            os.killpg(process.pid, signal.SIGTERM)
    process.wait()
