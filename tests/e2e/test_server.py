"""The server that the functions framework starts: uvloop is its event loop, and httptools reads its requests."""

import json
from pathlib import Path
from urllib.request import urlopen

import pytest

from infra.emulator.functions import CLOUD_ENVIRONMENT
from tests.support.booted import Booted, make_interpreter
from tests.support.watching import eventually

MAIN = """
import asyncio
import sys

import functions_framework.aio
from starlette.responses import JSONResponse


@functions_framework.aio.http
async def payment(request):
    parsers = [name for name in ("httptools", "h11") if f"uvicorn.protocols.http.{name}_impl" in sys.modules]
    return JSONResponse({"loop": type(asyncio.get_running_loop()).__module__, "parsers": parsers})
"""


@pytest.mark.slow
@pytest.mark.parametrize("log_execution_id", ["true", "false"])
def test_the_framework_without_flags_uses_the_fast_loop_and_parser(tmp_path: Path, log_execution_id: str) -> None:
    source = tmp_path / "function"
    source.mkdir()
    (source / "main.py").write_text(MAIN)
    env = CLOUD_ENVIRONMENT | {"LOG_EXECUTION_ID": log_execution_id}
    found: list[object] = []

    def answers() -> bool:
        try:
            with urlopen(booted.url) as response:  # noqa: S310 - always http on this machine
                found.append(json.load(response))
        except OSError:
            return False
        return True

    with Booted("payment", source, make_interpreter(tmp_path / "interpreter"), env) as booted:
        assert eventually(answers), booted.errors
    assert found == [{"loop": "uvloop", "parsers": ["httptools"]}]
