"""Bigtable's emulator, which needs no java."""

import socket
import time
from types import TracebackType
from typing import Self

from infra.emulator import sdk
from infra.emulator.processes import Process, Program, Sink
from infra.emulator.readiness import POLL_SECONDS, START_SECONDS
from infra.errors import InfraError
from infra.remote.endpoints import LOCALHOST, free_ports


class BigtableEmulator:
    """The emulator on a free port, with all data in memory; a context manager. It has no tables at first.

    Raises `InfraError` on entering if it is not installed, or does not start.
    """

    def __init__(self, sink: Sink | None = None) -> None:
        (self._port,) = free_ports(1)
        self.host = f"{LOCALHOST}:{self._port}"
        self._sink = sink
        self.process: Process

    def __enter__(self) -> Self:
        argv = (str(sdk.find_bigtable()), f"-host={LOCALHOST}", f"-port={self._port}")
        self.process = Process(Program("bigtable", argv, restarts=False), self._sink)
        self.process.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._listens():
            if self.process.ended.is_set() or time.monotonic() > deadline:
                self.process.stop()
                raise InfraError(f"bigtable did not start; the end of its output:\n{self.process.last_lines}")
            time.sleep(POLL_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.stop()

    def _listens(self) -> bool:
        try:
            socket.create_connection((LOCALHOST, self._port), timeout=1).close()
        except OSError:
            return False
        return True
