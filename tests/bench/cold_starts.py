"""Cold starts: from the start of a process to its first acknowledged push, or to the API's first answer.

The baseline only imports the modules that ours imports until then from the standard library and from packages.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import urlopen
from uuid import uuid4

import grpc

from infra.deploy.package import compose
from infra.emulator import topics
from infra.emulator.emulators import Emulators
from infra.emulator.functions import CLOUD_ENVIRONMENT
from infra.remote.endpoints import LOCALHOST
from infra.remote.pubsub import Bus
from infra.topology import ROOT, load
from shared.contracts.api.upbeat.v1.decisions_pb2 import GetEntitlementRequest
from tests.bench.cpu import cpu_seconds
from tests.bench.report import Result, progress
from tests.bench.timing import TURNS
from tests.support.booted import FRAMEWORK, PROVE_IMPORTS, SERVICE, Booted, make_interpreter

EXAMPLE = ROOT / "docs" / "contracts" / "examples" / "payment" / "succeeded.json"
AS_DEPLOYED = "cold start"
"""The case of a deployed function: the build sets SOURCE_DATE_EPOCH, so that its .pyc files are valid."""
BASELINE = """
import importlib
from contextlib import suppress

import functions_framework.aio
from starlette.responses import Response

for name in NAMES:
    with suppress(ImportError):
        importlib.import_module(name)


@functions_framework.aio.http
async def NAME(request):
    return Response(status_code=204)
"""
GRPC_BASELINE = """
import asyncio
import importlib
import os
from contextlib import suppress

import grpc
import uvloop

for name in NAMES:
    with suppress(ImportError):
        importlib.import_module(name)


async def answer(request, context):
    return b""


async def serve():
    server = grpc.aio.server()
    methods = {"GetEntitlement": grpc.unary_unary_rpc_method_handler(answer)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("upbeat.v1.DecisionsService", methods),))
    server.add_insecure_port(f"{os.environ['HOST']}:{os.environ['PORT']}")
    await server.start()
    await server.wait_for_termination()


uvloop.run(serve())
"""
COMPILE = (sys.executable, "-m", "compileall", "-f", "-q", ".")
"""The command with which the buildpack compiles a function's own code.

It makes .pyc files that are valid for a source of the same time, or with SOURCE_DATE_EPOCH of the same content.
https://github.com/GoogleCloudPlatform/buildpacks/blob/main/cmd/python/functions_framework/lib/lib.go
"""
FIRST_ANSWER_SECONDS = 30.0
IMAGE_TIME = 315_532_801
"""The time in seconds that every file of a built image gets: https://buildpacks.io/docs/for-app-developers/concepts/reproducibility/."""

_imported_in = re.compile(r"^import '([\w.]+)' #", re.MULTILINE).findall


class Subject(NamedTuple):
    """A function, the request that it answers first, and the goal of the ratio."""

    function: str
    path: str
    body: bytes | None
    goal: float
    over_grpc: bool = False
    """True for a service, whose path is that of a method of gRPC."""


def _push() -> bytes:
    data = b64encode(EXAMPLE.read_bytes()).decode()
    return json.dumps({"message": {"data": data, "messageId": "1"}, "subscription": "payment"}).encode()


PAYMENT = Subject("payment", "/payment", _push(), 1.15)
ENTITLEMENT = Subject("decisions", "/v1/users/ada/entitlement", None, 1.3)


ENTITLEMENT_OVER_GRPC = Subject(
    "decisions_grpc",
    "/upbeat.v1.DecisionsService/GetEntitlement",
    GetEntitlementRequest(user_id="ada").SerializeToString(),
    1.3,
    over_grpc=True,
)


SUBJECTS = (PAYMENT, ENTITLEMENT, ENTITLEMENT_OVER_GRPC)


class Case(NamedTuple):
    """A folder with a function, and the environment of its process."""

    subject: Subject
    name: str
    folder: Path
    env: Mapping[str, str]


class Start(NamedTuple):
    """One cold start, in milliseconds."""

    wall: float
    cpu: float


def cold_starts(
    turns: int = TURNS, emulators: Emulators | None = None, subject: Subject = PAYMENT
) -> list[Result]:
    """A start of each case in each turn, against the baseline's in the same turn."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="upbeat-bench-")))
        running = emulators or stack.enter_context(Emulators())
        python = make_interpreter(folder / "interpreter")
        cases = prepared(folder, imported_modules(folder, python, running, subject), subject)
        starts: dict[str, list[Start]] = {case.name: [] for case in cases}
        for turn in range(1, turns + 1):
            progress(f"cold-start: {subject.function}, turn {turn} of {turns}")
            for case in cases:
                starts[case.name].append(start(case, python, running))
    baseline, *ours = (case.name for case in cases)
    compared = (_compared(subject, name, starts[name], baseline, starts[baseline]) for name in ours)
    return [result for results in compared for result in results]


def _compared(
    subject: Subject, name: str, ours: list[Start], baseline: str, others: list[Start]
) -> Iterator[Result]:
    goal = subject.goal if name == AS_DEPLOYED else None
    for what in Start._fields:
        mine, base = ([getattr(one, what) for one in starts] for starts in (ours, others))
        yield Result("cold-start", f"{subject.function}, {name}, {what}", "ms", mine, baseline, base, goal)


def prepared(folder: Path, modules: list[str], subject: Subject = PAYMENT) -> list[Case]:
    """The baseline, and our function with .pyc files in each state in which a cold start may find them."""
    (folder / "baseline").mkdir()
    program = GRPC_BASELINE if subject.over_grpc else BASELINE.replace("NAME(", f"{subject.function}(")
    (folder / "baseline" / "main.py").write_text(f"NAMES = {modules!r}\n{program}")
    for name in ("valid", "stale", "none"):
        compose(subject.function, folder / name)
    for name in ("baseline", "valid"):
        _compile(folder / name, {"SOURCE_DATE_EPOCH": str(IMAGE_TIME)})
    _compile(folder / "stale", {})
    for source in folder.glob("*/**/*.py"):
        if not source.is_relative_to(folder / "interpreter"):
            os.utime(source, (IMAGE_TIME, IMAGE_TIME))
    return [
        Case(subject, "imports alone", folder / "baseline", {}),
        Case(subject, AS_DEPLOYED, folder / "valid", {}),
        Case(subject, "cold start, stale .pyc files", folder / "stale", {}),
        Case(
            subject,
            "cold start, no .pyc files at all",
            folder / "none",
            {"PYTHONPYCACHEPREFIX": str(folder / "empty")},
        ),
    ]


def imported_modules(folder: Path, python: Path, emulators: Emulators, subject: Subject = PAYMENT) -> list[str]:
    """All modules that our function imports until its first answer, but its own, in that order."""
    case = Case(subject, "imports", compose(subject.function, folder / "imports"), PROVE_IMPORTS)
    with _acknowledged(case, python, _empty_project(emulators)) as booted:
        names = dict.fromkeys(_imported_in(booted.errors))
    return [name for name in names if name.partition(".")[0] not in {"shared", "main", "__main__"}]


def start(case: Case, python: Path, emulators: Emulators) -> Start:
    """Start a function once, in a project without documents."""
    env = _empty_project(emulators)
    began = time.perf_counter()
    with _acknowledged(case, python, env) as booted:
        return Start((time.perf_counter() - began) * 1e3, cpu_seconds(booted.process.pid or 0) * 1e3)


def _compile(folder: Path, env: Mapping[str, str]) -> None:
    subprocess.run(COMPILE, cwd=folder, env={"PATH": os.environ["PATH"], **env}, check=True)  # noqa: S603 - ours


def _empty_project(emulators: Emulators) -> dict[str, str]:
    """The environment of a function in a new project that has all topics."""
    endpoints = emulators.endpoints(f"bench-{uuid4().hex[:12]}")
    with closing(Bus.of_emulator(endpoints)) as bus:
        topics.create_topics(bus, load())
    return {**CLOUD_ENVIRONMENT, **endpoints.env, "PYTHONDONTWRITEBYTECODE": "1"}


@contextmanager
def _acknowledged(case: Case, python: Path, env: Mapping[str, str]) -> Iterator[Booted]:
    """The function, once it has answered its first request. Raises `RuntimeError` if it ends before."""
    argv = SERVICE if case.subject.over_grpc else (str(FRAMEWORK),)
    acknowledges = _acknowledges_over_grpc if case.subject.over_grpc else _acknowledges
    with Booted(case.subject.function, case.folder, python, {**env, **case.env}, argv) as booted:
        while not acknowledges(booted, case.subject):
            if booted.process.ended.is_set():
                raise RuntimeError(f"{case.name}: expected a running function, found: {booted.errors}")
            time.sleep(0.002)
        yield booted


def _acknowledges_over_grpc(booted: Booted, subject: Subject) -> bool:
    """Send the request; False while nothing listens yet. Raises `RpcError` if it is not answered."""
    try:
        with socket.create_connection((LOCALHOST, booted.port)):
            pass
    except OSError:
        return False
    with grpc.insecure_channel(f"{LOCALHOST}:{booted.port}") as channel:
        channel.unary_unary(subject.path)(subject.body, wait_for_ready=True, timeout=FIRST_ANSWER_SECONDS)
    return True


def _acknowledges(booted: Booted, subject: Subject) -> bool:
    """Send the request; False while nothing listens yet. Raises `HTTPError` if it is not answered with success."""
    try:
        with urlopen(f"{booted.url}{subject.path}", subject.body) as response:  # noqa: S310 - always http on this machine
            return bool(response.status in {200, 204})
    except HTTPError:
        raise
    except (OSError, HTTPException):
        return False
