"""Waits until a server is ready: until `GET /` returns 200, or until the health check of gRPC says so."""

import time
from collections.abc import Callable
from http.client import HTTPException
from urllib.request import urlopen

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from infra.emulator.processes import Process
from infra.errors import InfraError

POLL_SECONDS = 0.05
CHECK_SECONDS = 1.0
"""The time for one health check, after which the process is looked at again."""
START_SECONDS = 60.0
"""Start-up timeout. It is long because a laptop starts all processes at the same time."""


def wait_until_ready(process: Process, url: str, within: float = START_SECONDS) -> None:
    """Wait until the server responds.

    Raises `InfraError` with the end of its output if the process crashes or exceeds `within` seconds.
    """
    _wait(process, lambda: answers(url), f"answer {url} with 200", within)


def wait_until_serving(process: Process, address: str, within: float = START_SECONDS) -> None:
    """Wait until the gRPC server at `host:port` says that it serves. Raises `InfraError` as above."""
    with grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        _wait(process, lambda: _serves(stub), f"say on gRPC at {address} that it serves", within)


def _wait(process: Process, is_ready: Callable[[], bool], what: str, within: float) -> None:
    crashes, deadline = process.crashes, time.monotonic() + within
    while not is_ready():
        if process.ended.is_set() or process.crashes > crashes:
            raise InfraError(_failure(process, "ended before it was ready"))
        if time.monotonic() > deadline:
            raise InfraError(_failure(process, f"did not {what} within {within:g} s"))
        time.sleep(POLL_SECONDS)


def _serves(stub: health_pb2_grpc.HealthStub) -> bool:
    try:
        answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=CHECK_SECONDS, wait_for_ready=True)
    except grpc.RpcError:
        return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def answers(url: str) -> bool:
    """True if `GET url` returns 200 now."""
    try:
        with urlopen(url, timeout=5) as response:  # noqa: S310 - always http on this machine
            return bool(response.status == 200)
    except (OSError, HTTPException):
        return False


def _failure(process: Process, problem: str) -> str:
    return f"{process.program.name} {problem}; the end of its output:\n{process.last_lines or '(none)'}"
