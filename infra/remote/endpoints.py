"""Endpoints of a local runtime: its project and the addresses of its emulators."""

import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from infra.errors import InfraError

LOCALHOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The project and the emulator addresses that a client needs; each host is `address:port`."""

    project: str
    pubsub_host: str
    firestore_host: str

    @property
    def env(self) -> Mapping[str, str]:
        """The environment variables from which Google's client libraries read these endpoints."""
        return {
            "GOOGLE_CLOUD_PROJECT": self.project,
            "PUBSUB_EMULATOR_HOST": self.pubsub_host,
            "FIRESTORE_EMULATOR_HOST": self.firestore_host,
        }


def free_ports(count: int) -> list[int]:
    """Free ports. All sockets stay open until the last port is found, so that no port occurs twice."""
    with ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket()) for _ in range(count)]
        for listener in sockets:
            listener.bind((LOCALHOST, 0))
        return [listener.getsockname()[1] for listener in sockets]


def check_free(port: int) -> None:
    """Raise `InfraError` if another program uses the port."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what has just ended does not count
        try:
            listener.bind((LOCALHOST, port))
        except OSError as error:
            raise InfraError(
                f"port {port}: expected a free port, found one that cannot be used ({error.strerror})"
            ) from None
