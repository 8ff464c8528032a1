"""The Firestore and Pub/Sub emulators, run by java directly: the gcloud wrapper would leave java behind."""

from types import TracebackType
from typing import Self

from infra.emulator import sdk
from infra.emulator.processes import Process, Program, Sink, stop_all
from infra.emulator.readiness import wait_until_ready
from infra.remote.endpoints import LOCALHOST, Endpoints, free_ports

SMALL_JVM = ("-Xmx256m", "-XX:+UseSerialGC")
FIRESTORE_MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"


class Emulators:
    """Both emulators, on free ports, holding everything in memory; a context manager.

    One pair serves any number of projects, and a fresh project is an empty one. A crash is final: what was in
    memory is lost, and to start again without it would only look like being well.
    """

    def __init__(self, sink: Sink | None = None) -> None:
        pubsub_port, firestore_port = free_ports(2)
        self.pubsub_host = f"{LOCALHOST}:{pubsub_port}"
        self.firestore_host = f"{LOCALHOST}:{firestore_port}"
        self._sink = sink
        self.processes: dict[str, Process] = {}
        """By name: `pubsub` and `firestore`."""

    def endpoints(self, project: str) -> Endpoints:
        """Where to find one project."""
        return Endpoints(project, self.pubsub_host, self.firestore_host)

    def start(self) -> None:
        """Start both and return when both answer. Raises `InfraError` where something is missing or fails."""
        found = sdk.find()
        pubsub = _java(found, "pubsub", ("-jar", str(found.pubsub_jar)), self.pubsub_host)
        firestore_jar = ("-cp", str(found.firestore_jar), FIRESTORE_MAIN, "start")
        firestore = _java(found, "firestore", firestore_jar, self.firestore_host)
        for program in (pubsub, firestore):
            self.processes[program.name] = Process(program, self._sink)
            self.processes[program.name].start()
        wait_until_ready(self.processes["pubsub"], f"http://{self.pubsub_host}/")
        wait_until_ready(self.processes["firestore"], f"http://{self.firestore_host}/")

    def stop(self) -> None:
        """Stop both."""
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


def _java(found: sdk.Sdk, name: str, what: tuple[str, ...], host: str) -> Program:
    address, port = host.split(":")
    argv = (str(found.java), *SMALL_JVM, *what, f"--host={address}", f"--port={port}")
    return Program(name, argv, restarts=False)
