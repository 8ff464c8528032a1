"""Serves the console on this machine alone."""

import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from infra.errors import InfraError
from infra.remote.endpoints import LOCALHOST

DEFAULT_PORT = 8070


def serve(app: ASGIApp, port: int, started: Callable[[str], object]) -> None:
    """Serve until Ctrl-C or SIGTERM; `started` is told the address. Port 0 is any free one.

    Raises `InfraError` if the port is in use.
    """
    with _listening(port) as listener:
        started(f"http://{LOCALHOST}:{listener.getsockname()[1]}/")
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1)
        uvicorn.Server(config).run(sockets=[listener])


def _listening(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOCALHOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        problem = f"port {port} of {LOCALHOST} cannot be used ({error.strerror})"
        raise InfraError(f"{problem}; choose another with --port, or 0 for any free one") from error
    return listener
