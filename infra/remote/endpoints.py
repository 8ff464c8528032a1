"""Where a local runtime is: its project and the addresses of its emulators."""

import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

LOCALHOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What a client needs to reach the emulators; each host is `address:port`."""

    project: str
    pubsub_host: str
    firestore_host: str

    @property
    def env(self) -> Mapping[str, str]:
        """The same as the environment variables that Google's clients read."""
        return {
            "GOOGLE_CLOUD_PROJECT": self.project,
            "PUBSUB_EMULATOR_HOST": self.pubsub_host,
            "FIRESTORE_EMULATOR_HOST": self.firestore_host,
        }


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on. They are held until all are found, so no two are the same."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOCALHOST, 0))
        return [each.getsockname()[1] for each in sockets]
