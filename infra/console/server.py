"""Serves the console on this machine alone."""

import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from infra.errors import InfraError
from infra.remote.endpoints import LOCALHOST

DEFAULT_PORT = 8070
GRACE_SECONDS = 5
"""The time for which it waits, when it stops, for what is being sent; streams end within a second."""


class Server(uvicorn.Server):
    """Tells the application when it is about to stop, since it waits for all that is being sent.

    The signal that stops it is not raised again afterwards: to stop is what was asked for, and no failure.
    """

    def __init__(self, config: uvicorn.Config, ending: threading.Event) -> None:
        super().__init__(config)
        self._ending = ending

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Begin to stop; do not wait for anything at a second Ctrl-C.

        Signals may come while the first one is handled, and `set` would wait for itself.
        """
        if self.should_exit:
            self.force_exit = sig == signal.SIGINT
            return
        self.should_exit = True
        self._ending.set()


def serve(app: ASGIApp, port: int, started: Callable[[str], object], ending: threading.Event) -> None:
    """Serve until Ctrl-C or SIGTERM; `started` is told the address. Port 0 is any free one.

    Raises `InfraError` if the port is in use.
    """
    with _listening(port) as listener:
        started(f"http://{LOCALHOST}:{listener.getsockname()[1]}/")
        Server(config_of(app), ending).run(sockets=[listener])


def config_of(app: ASGIApp) -> uvicorn.Config:
    """The settings of the server."""
    return uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE_SECONDS)


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
