"""GetEntitlement over HTTP against a bare function that does one get, both on one document."""

import asyncio
import shutil
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit
from uuid import uuid4

from infra.deploy.package import compose
from infra.emulator.emulators import Emulators
from infra.emulator.functions import CLOUD_ENVIRONMENT
from infra.emulator.readiness import wait_until_ready
from tests.bench.api.comparison import AT_ONCE, BARE, OURS, USER, Turn, compared, store
from tests.bench.cpu import cpu_seconds
from tests.bench.function.load import read_answer
from tests.bench.report import Result, progress
from tests.support.booted import Booted, make_interpreter

FUNCTION = "decisions"
FOLDER = Path(__file__).with_name("bare_http")
PATH = f"/v1/users/{USER}/entitlement"


def entitlements_over_http(turns: int, calls: int, emulators: Emulators | None = None) -> list[Result]:
    """Compare, by turns of so many calls each."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="upbeat-bench-")))
        running = emulators or stack.enter_context(Emulators())
        endpoints = running.endpoints(f"bench-{uuid4().hex[:12]}")
        document = store(endpoints)
        python = make_interpreter(folder / "interpreter")
        compose(FUNCTION, folder / "ours", precompile=True)
        shutil.copytree(FOLDER, folder / "bare")
        settings = {"UPBEAT_LOG_LEVEL": "INFO", "UPBEAT_USER_HASH_KEY": "bench"}
        started = [
            Booted(FUNCTION, folder / name, python, {**CLOUD_ENVIRONMENT, **endpoints.env, **env})
            for name, env in (("ours", settings), ("bare", {"BARE_DOCUMENT": document}))
        ]
        servers = dict(zip((OURS, BARE), map(stack.enter_context, started), strict=True))
        for booted in servers.values():
            wait_until_ready(booted.process, booted.url)
        measured = asyncio.run(_measure(servers, turns, calls))
    return list(compared("HTTP", measured))


async def _measure(servers: dict[str, Booted], turns: int, calls: int) -> dict[tuple[int, str], list[Turn]]:
    """Give both servers the same calls, in turns, the first of which only warms up."""
    measured: dict[tuple[int, str], list[Turn]] = defaultdict(list)
    for turn in range(turns + 1):
        progress(f"api: HTTP, turn {turn} of {turns}" if turn else "api: HTTP, warming up")
        for at_once in AT_ONCE:
            for name, booted in servers.items():
                done = await _turn(booted, calls, at_once)
                if turn:
                    measured[at_once, name].append(done)
    return measured


async def _turn(booted: Booted, calls: int, at_once: int) -> Turn:
    """Make the calls over so many connections. Raises `RuntimeError` if one is not answered with 200."""
    target = urlsplit(booted.url)
    request = f"GET {PATH} HTTP/1.1\r\nhost: {target.netloc}\r\n\r\n".encode()
    latencies: list[float] = []

    async def call_again() -> None:
        reader, writer = await asyncio.open_connection(target.hostname, target.port)
        while len(latencies) < calls:
            began = time.perf_counter()
            writer.write(request)
            status, _ = await read_answer(reader)
            latencies.append((time.perf_counter() - began) * 1e3)
            if status != "200":
                raise RuntimeError(f"{booted.url}: expected an answer of 200, found {status}")
        writer.close()

    before = cpu_seconds(booted.process.pid or 0)
    await asyncio.gather(*(call_again() for _ in range(at_once)))
    return Turn.of(latencies, cpu_seconds(booted.process.pid or 0) - before)
