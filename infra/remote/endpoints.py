"""Endpoints of a local runtime: its project and the addresses of its emulators."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle, filterfalse, islice
from random import randrange

from infra.errors import InfraError

LOCALHOST = "127.0.0.1"
PORTS = range(20_000, 32_000)
"""The ports for local servers. They lie below those that Linux (from 32768), macOS and Windows (from 49152) give
to connections, and to servers that ask for any port: the emulators ask for some, which they use inside."""


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
    """Free ports of `PORTS`, each given only once by this process until it has given all.

    Every process begins elsewhere, because a port that was given stays free until its server listens. Raises
    `InfraError` if not enough are free.
    """
    ports = [*islice(filterfalse(_problem, islice(_ports, len(PORTS))), count)]
    if len(ports) < count:
        raise InfraError(f"expected {count} free ports from {PORTS[0]} to {PORTS[-1]}, found {len(ports)}")
    return ports


_begin = randrange(len(PORTS))  # noqa: S311 - no secret
_ports = cycle([*PORTS[_begin:], *PORTS[:_begin]])


def check_free(port: int) -> None:
    """Raise `InfraError` if another program uses the port."""
    if problem := _problem(port):
        raise InfraError(f"port {port}: expected a free port, found one that cannot be used ({problem})")


def _problem(port: int) -> str:
    """The reason why nothing can listen at a port of this machine; empty if something can."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what has just ended does not count
        try:
            listener.bind((LOCALHOST, port))
        except OSError as error:
            return error.strerror or str(error)
    return ""
