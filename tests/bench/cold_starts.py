"""Benchmark of cold starts: from the start of a function's process to its first acknowledged push."""

import json
import os
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Mapping
from http.client import HTTPException
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import HTTPError
from urllib.request import urlopen
from uuid import uuid4

from infra.deploy.package import compose
from infra.emulator import sdk, topics
from infra.emulator.emulators import Emulators
from infra.emulator.functions import CLOUD_ENVIRONMENT
from infra.remote.pubsub import Bus
from infra.topology import ROOT, load
from tests.support.booted import Booted, make_interpreter
from tests.support.watching import descendants

FUNCTION = "payment"
EXAMPLE = ROOT / "docs" / "contracts" / "examples" / "payment" / "succeeded.json"
ROUNDS = 7
BASELINE = """
import functions_framework.aio
from google.cloud import firestore, pubsub_v1
from starlette.responses import Response

@functions_framework.aio.http
async def payment(request):
    return Response(status_code=204)
"""
"""A function that imports the framework and the clients as their documentation does, and takes every push."""
COMPILE = (sys.executable, "-m", "compileall", "-f", "-q", ".")
"""The command with which the buildpack compiles a function's own code.

It makes .pyc files that are valid for a source of the same time, or with SOURCE_DATE_EPOCH of the same content.
https://github.com/GoogleCloudPlatform/buildpacks/blob/main/cmd/python/functions_framework/lib/lib.go
"""
IMAGE_TIME = 315_532_801
"""The time in seconds that every file of a built image gets: https://buildpacks.io/docs/for-app-developers/concepts/reproducibility/."""


class Case:
    """A folder with a function, the environment of its process, and its best times so far."""

    def __init__(self, name: str, folder: Path, env: Mapping[str, str]) -> None:
        self.name, self.folder, self.env = name, folder, env
        self.seconds = self.cpu_seconds = float("inf")

    def start(self, python: Path, emulators: Emulators) -> None:
        """Start the function once, in a project without documents, and keep the better times."""
        endpoints = emulators.endpoints(f"bench-{uuid4().hex[:12]}")
        bus = Bus.of_emulator(endpoints)
        topics.create_topics(bus, load())
        bus.close()
        env = {**CLOUD_ENVIRONMENT, **endpoints.env, "PYTHONDONTWRITEBYTECODE": "1", **self.env}
        began = time.perf_counter()
        with Booted(FUNCTION, self.folder, python, env) as booted:
            while not _acknowledges(booted.url):
                if booted.process.ended.is_set():
                    raise RuntimeError(f"{self.name}: expected a running function, found: {booted.errors}")
                time.sleep(0.002)
            self.seconds = min(self.seconds, time.perf_counter() - began)
            self.cpu_seconds = min(self.cpu_seconds, _cpu_seconds(booted.process.pid or 0))


def cold_starts() -> None:
    """Print the best times of a cold start for each state of the .pyc files, against the baseline."""
    if problem := sdk.missing():
        sys.stdout.write(f"cold starts are not measured: {problem}\n")
        return
    with TemporaryDirectory() as folder, Emulators() as emulators:
        python = make_interpreter(Path(folder) / "interpreter")
        baseline, *ours = _cases(Path(folder))
        for _ in range(ROUNDS):
            for case in (baseline, *ours):
                case.start(python, emulators)
    sys.stdout.write("a cold start to the first acknowledged push : a function that only imports the clients\n")
    for case in ours:
        wall, cpu = (case.seconds, baseline.seconds), (case.cpu_seconds, baseline.cpu_seconds)
        sys.stdout.write(f"  {case.name}: {_ratio(*wall)}; of CPU {_ratio(*cpu)}\n")


def _ratio(ours: float, baseline: float) -> str:
    return f"{ours:.2f} s : {baseline:.2f} s, {ours / (baseline or inf):.2f}"


def _cases(folder: Path) -> list[Case]:
    """The baseline, and one function with .pyc files in each state in which a cold start may find them."""
    (folder / "baseline").mkdir()
    (folder / "baseline" / "main.py").write_text(BASELINE)
    for name in ("valid", "stale", "none"):
        compose(FUNCTION, folder / name)
    for name in ("baseline", "valid"):
        _compile(folder / name, {"SOURCE_DATE_EPOCH": str(IMAGE_TIME)})
    _compile(folder / "stale", {})
    for source in folder.rglob("*.py"):
        os.utime(source, (IMAGE_TIME, IMAGE_TIME))
    nowhere = {"PYTHONPYCACHEPREFIX": str(folder / "empty")}
    return [
        Case("baseline", folder / "baseline", {}),
        Case("with valid .pyc files", folder / "valid", {}),
        Case("with .pyc files of another time, as the buildpack leaves them", folder / "stale", {}),
        Case("with no .pyc files, also of the packages", folder / "none", nowhere),
    ]


def _compile(folder: Path, env: Mapping[str, str]) -> None:
    subprocess.run(COMPILE, cwd=folder, env={"PATH": os.environ["PATH"], **env}, check=True)  # noqa: S603 - ours


def _cpu_seconds(pid: int) -> float:
    """The CPU time of a process and its descendants so far, read from Linux; 0 on other systems."""
    if sys.platform != "linux":
        return 0.0
    stats = (Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split() for one in (pid, *descendants(pid)))
    return sum(int(user) + int(system) for *_, user, system in (stat[:13] for stat in stats)) / os.sysconf(
        "SC_CLK_TCK"
    )


def _acknowledges(url: str) -> bool:
    """Push a payment; False while nothing listens yet. Raises `HTTPError` if the push is not acknowledged."""
    data = b64encode(EXAMPLE.read_bytes()).decode()
    push = json.dumps({"message": {"data": data, "messageId": "1"}, "subscription": FUNCTION}).encode()
    try:
        with urlopen(f"{url}/{FUNCTION}", push) as response:  # noqa: S310 - always http on this machine
            return bool(response.status == 204)
    except HTTPError:
        raise
    except (OSError, HTTPException):
        return False


if __name__ == "__main__":
    cold_starts()
