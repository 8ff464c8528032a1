"""Schemathesis over the API and its OpenAPI document: `python -m tests.fuzz.api SECONDS`, as `make fuzz` does.

The whole function answers on a socket of this machine, over a store in memory with one user who has paid. Every
check of schemathesis is on but one: `positive_data_acceptance` takes a body that fits the schema for one
that must succeed, but a placement may be unknown and a key used. The document is tried without the tokens, which
Cloud Run checks before the service. https://schemathesis.readthedocs.io/
"""

import asyncio
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import uvicorn

from infra.remote.endpoints import LOCALHOST, free_ports
from shared.application import read_user
from shared.entrypoints.api.openapi import document
from tests.shared.entrypoints.api.test_http import Api
from tests.support.story import paid

COMMAND = Path(sys.executable).with_name("st")
WITHOUT = "positive_data_acceptance"
DOCUMENT = Path("out") / "fuzz" / "openapi.json"


def serve(port: int) -> uvicorn.Server:
    """Serve the API from a thread, and return once it answers."""
    read_user.WAIT_SECONDS = 0.01
    api = Api()
    asyncio.run(api.world.application.handle(paid(0)))
    server = uvicorn.Server(uvicorn.Config(api.app, LOCALHOST, port, log_level="warning"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.01)
    return server


def main(seconds: str) -> int:
    """Try requests for some seconds; the exit code is 0 if the document describes every answer."""
    DOCUMENT.parent.mkdir(parents=True, exist_ok=True)
    DOCUMENT.write_text(json.dumps({**document(), "security": []}))
    (port,) = free_ports(1)
    server = serve(port)
    options = ["--max-time", seconds, "--exclude-checks", WITHOUT, "--warnings", "off"]
    command = [COMMAND, "run", DOCUMENT, "--url", f"http://{LOCALHOST}:{port}", *options]
    try:
        return subprocess.run(command, check=False).returncode  # noqa: S603 - installed beside this Python
    finally:
        server.should_exit = True


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
