"""The Firestore and Pub/Sub emulators, run with java directly: the gcloud wrapper leaves java processes behind."""

from pathlib import Path
from types import TracebackType
from typing import Self

from infra.emulator import sdk
from infra.emulator.processes import Process, Program, Sink, stop_all
from infra.emulator.readiness import wait_until_ready
from infra.remote.endpoints import LOCALHOST, Endpoints, check_free, free_ports

SMALL_JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""JVM options for few threads and a fast start. C1 alone, the first JIT, takes a third less CPU."""
HEAP_MIB = 256
"""The memory for the data of one emulator, enough for some 10,000 users. A full one stands still."""
FIRESTORE_MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"


class Emulators:
    """Both emulators, with all data in memory; a context manager.

    `ports` are those of Pub/Sub and of Firestore, 0 for any free one. `firestore_export` is an export with
    which Firestore begins.

    One pair serves any number of projects, and a new project starts empty. A crashed emulator is not restarted:
    its data is lost, and a restart would hide that loss.
    """

    def __init__(
        self,
        sink: Sink | None = None,
        heap_mib: int = HEAP_MIB,
        *,
        ports: tuple[int, int] = (0, 0),
        firestore_export: Path | None = None,
    ) -> None:
        pubsub_port, firestore_port = (
            given or free for given, free in zip(ports, free_ports(len(ports)), strict=True)
        )
        self._ports = ports
        self._more = (f"--import-data={firestore_export}",) if firestore_export else ()
        self.pubsub_host = f"{LOCALHOST}:{pubsub_port}"
        self.firestore_host = f"{LOCALHOST}:{firestore_port}"
        self._sink = sink
        self._heap_mib = heap_mib
        self.processes: dict[str, Process] = {}
        """The processes by name: `pubsub` and `firestore`."""

    def endpoints(self, project: str) -> Endpoints:
        """The addresses of both emulators, for one project."""
        return Endpoints(project, self.pubsub_host, self.firestore_host)

    def start(self) -> None:
        """Start both emulators and wait until both respond.

        Raises `InfraError` if java or an emulator is missing, if one fails to start, or if a port is in use.
        """
        installed = sdk.find()
        for port in filter(None, self._ports):
            check_free(port)
        pubsub_jar = ("-jar", str(installed.pubsub_jar))
        firestore_jar = ("-cp", str(installed.firestore_jar), FIRESTORE_MAIN, "start", *self._more)
        for program in (
            _java(installed, "pubsub", pubsub_jar, self.pubsub_host, self._heap_mib),
            _java(installed, "firestore", firestore_jar, self.firestore_host, self._heap_mib),
        ):
            self.processes[program.name] = Process(program, self._sink)
            self.processes[program.name].start()
        wait_until_ready(self.processes["pubsub"], f"http://{self.pubsub_host}/")
        wait_until_ready(self.processes["firestore"], f"http://{self.firestore_host}/")

    def stop(self) -> None:
        """Stop both emulators."""
        stop_all(self.processes.values())

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _java(installed: sdk.Sdk, name: str, main: tuple[str, ...], host: str, heap_mib: int) -> Program:
    address, port = host.split(":")
    argv = (str(installed.java), f"-Xmx{heap_mib}m", *SMALL_JVM, *main, f"--host={address}", f"--port={port}")
    return Program(name, argv, restarts=False)
