"""The emulator runtime: both emulators and one process per function, connected as in the topology."""

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from infra.deploy.package import compose
from infra.emulator import functions, topics
from infra.emulator.emulators import Emulators
from infra.emulator.landing import Landing
from infra.emulator.processes import Process, Sink, stop_all
from infra.emulator.readiness import wait_until_ready, wait_until_serving
from infra.emulator.saved import Saved, save
from infra.emulator.scheduler import Scheduler
from infra.errors import InfraError
from infra.raw.folder import RAW, set_aside
from infra.remote import running
from infra.remote.clock import SETTING, RunningClock
from infra.remote.endpoints import LOCALHOST, Endpoints, free_ports
from infra.remote.pubsub import Bus
from infra.topology import ROOT, GrpcServiceRow, Topology, load

DEFAULT_PROJECT = "upbeat-local"
LINKS = "email_links"
"""The function that answers the links in mails."""
WATCH_SECONDS = 0.5
"""Polling interval of `EmulatorRuntime.wait`, per emulator."""

PublishCatalog = Callable[[Endpoints], object]
"""Publishes a catalog to the emulators at these endpoints."""


class EmulatorRuntime:
    """Upbeat running on the emulators; a context manager that starts everything and leaves no process behind.

    In the `state_folder`, it also keeps the raw log: every message in and out.

    There, too, is the clock that the functions follow; it starts at `now` (UTC), at the time of what was `saved`,
    or at the machine's time. `save_into` is a folder to save everything into in the end.

    The gRPC services run only `with_grpc`. With `emulators`, it uses that running pair and leaves it running;
    otherwise it runs its own pair. With `state_folder`, only one runtime per folder can run at a time.

    With `sends_email`, consumers and pages run as well; the settings of the mail server are the environment's.

    Raises `InfraError` on entering if java or an emulator is missing, if a process fails to start, or if another
    runtime uses the `state_folder`.
    """

    def __init__(  # noqa: PLR0913 - each is a setting that some test or command overrides
        self,
        project: str = DEFAULT_PROJECT,
        *,
        topology: Topology | None = None,
        root: Path = ROOT,
        emulators: Emulators | None = None,
        env: Mapping[str, str] | None = None,
        tick_seconds: float | None = None,
        publish_catalog: PublishCatalog | None = None,
        state_folder: Path | None = None,
        now: datetime | None = None,
        ports: tuple[int, int] = (0, 0),
        with_grpc: bool = False,
        saved: Saved | None = None,
        save_into: Path | None = None,
        sink: Sink | None = None,
        sends_email: bool = False,
    ) -> None:
        self.project = project
        self.topology = topology or load()
        self.function_urls: dict[str, str] = {}
        self.grpc_addresses: dict[str, str] = {}
        """By name, `host:port` of each gRPC service."""
        self.pages = self.topology.pages if sends_email else {}
        """The functions that anybody may call and that run."""
        mailing = (*self.topology.consumers, *self.pages) if sends_email else ()
        self._names = (*self.topology.deployed, *mailing)
        self.endpoints: Endpoints
        self.bus: Bus
        self._processes: dict[str, Process] = {}
        self._root = root
        self._given_emulators = emulators
        self._emulators: Emulators
        self._env = env or {}
        self._tick_seconds = tick_seconds
        self._publish_catalog = publish_catalog
        self._state_folder = state_folder
        self._now = now or (saved.now if saved else None)
        self._ports = ports
        self._with_grpc = with_grpc
        self._saved = saved
        self._save_into = save_into
        self._sink: Sink = sink or (lambda _name, _line: None)
        self._entered = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            if self._state_folder:
                stack.enter_context(running.claimed(self._state_folder))
                RunningClock(self._state_folder).start_at(self._now)
            folder = self._compose(stack)
            self._start_emulators(stack)
            self._start_functions(stack, folder)
            self._connect(stack)
            self._entered = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered.close()

    @property
    def state(self) -> running.RuntimeState:
        """The process id and all addresses, as written to the state file."""
        return running.RuntimeState(os.getpid(), self.endpoints, self.function_urls, self.grpc_addresses)

    def wait(self) -> None:
        """Block until an exception such as Ctrl-C. Raises `InfraError` if an emulator ends."""
        watched = self._emulators.processes.values()
        while not any(process.ended.wait(WATCH_SECONDS) for process in watched):
            pass
        dead = next(process for process in watched if process.ended.is_set())
        raise InfraError(f"the {dead.program.name} emulator ended, and its data is lost:\n{dead.last_lines}")

    def kill(self, name: str) -> None:
        """Kill a process, as a crash would. A function is restarted, an emulator is not."""
        {**self._emulators.processes, **self._processes}[name].kill()

    def wait_until_ready(self, function: str) -> None:
        """Wait until a function responds. Raises `InfraError` if it crashes or takes too long."""
        wait_until_ready(self._processes[function], self.function_urls[function])

    def pid(self, function: str) -> int | None:
        """The process group of a function; None while it is down."""
        return self._processes[function].pid

    def last_lines(self, function: str) -> str:
        """The last lines of a function's log."""
        return self._processes[function].last_lines

    def _compose(self, stack: ExitStack) -> Path:
        """Package each function and service as for a deploy. Comes first because it fails fastest."""
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="upbeat-")))
        services = self._grpc_services.values()
        for name in (*self._names, *{row.folder for row in services}):
            compose(name, folder / name, root=self._root, precompile=True)
        return folder

    def _start_emulators(self, stack: ExitStack) -> None:
        """Start the emulators, create the topics and publish the catalog: all that a function depends on."""
        self._sink("up", "starting the emulators")
        self._emulators = self._given_emulators or stack.enter_context(self._own_emulators())
        self.endpoints = self._emulators.endpoints(self.project)
        self.bus = Bus.of_emulator(self.endpoints)
        stack.callback(self.bus.close)
        topics.create_topics(self.bus, self.topology)
        if self._state_folder:
            self._start_landing(stack, self._state_folder)
        if self._publish_catalog:
            self._publish_catalog(self.endpoints)

    def _start_landing(self, stack: ExitStack, folder: Path) -> None:
        """Land every message from now on. The raw log begins anew, since the emulators are empty."""
        set_aside(folder)
        if self._saved:
            self._saved.restore_raw(folder)
        if self._save_into:
            stack.callback(self._save, self._save_into, folder)
        topics.create_landing(self.bus, self.topology)
        clock = RunningClock(folder)
        stack.enter_context(Landing(self.bus, self.topology.topics, folder / RAW, self._sink, lambda: clock.ahead))

    def _own_emulators(self) -> Emulators:
        export = self._saved.firestore_export if self._saved else None
        return Emulators(ports=self._ports, firestore_export=export)

    def _save(self, into: Path, folder: Path) -> None:
        """Runs when the functions have stopped and everything has landed, while the emulators still run."""
        self._sink("up", f"saving into {into}")
        save(into, self.endpoints, folder / RAW, RunningClock(folder).now())

    def _start_functions(self, stack: ExitStack, folder: Path) -> None:
        self._sink("up", f"starting {', '.join((*self._names, *self._grpc_services))}")
        clock = {SETTING: str(RunningClock(self._state_folder).file)} if self._state_folder else {}
        stack.callback(lambda: stop_all(self._processes.values()))
        ports = dict(zip(self._names, free_ports(len(self._names)), strict=True))
        self.function_urls = {name: f"http://{LOCALHOST}:{port}" for name, port in ports.items()}
        env = {**self.endpoints.env, **clock, **self._email_env(), **self._env}
        for name, port in ports.items():
            self._processes[name] = Process(functions.program(name, port, folder / name, env), self._sink)
            self._processes[name].start()
        self._start_grpc(folder, env)
        for name in self._names:
            self.wait_until_ready(name)
        for name, address in self.grpc_addresses.items():
            wait_until_serving(self._processes[name], address)

    @property
    def _grpc_services(self) -> Mapping[str, GrpcServiceRow]:
        return self.topology.grpc_services if self._with_grpc else {}

    def _start_grpc(self, folder: Path, env: Mapping[str, str]) -> None:
        services = self._grpc_services
        for (name, row), port in zip(services.items(), free_ports(len(services)), strict=True):
            self.grpc_addresses[name] = f"{LOCALHOST}:{port}"
            program = functions.service_program(row, port, folder / row.folder, env)
            self._processes[name] = Process(program, self._sink)
            self._processes[name].start()

    def _email_env(self) -> dict[str, str]:
        """The settings of the functions for e-mail beside the mail server: the address of links, and a key."""
        if LINKS not in self.function_urls:
            return {}
        usual = {"UPBEAT_MAIL_LINKS": self.function_urls[LINKS], "UPBEAT_MAIL_LINK_KEY": token_hex(32)}
        return {name: os.environ.get(name, value) for name, value in usual.items()}

    def _connect(self, stack: ExitStack) -> None:
        """Connect functions and the scheduler last, so that no message arrives before its function is ready."""
        topics.connect_functions(self.bus, self.topology, self.function_urls)
        stack.callback(topics.disconnect_functions, self.bus, self.topology)
        if self._tick_seconds:
            scheduler = Scheduler(self.bus, self.topology.schedules, self._tick_seconds, self._sink)
            scheduler.start()
            stack.callback(scheduler.stop)
        if self._state_folder:
            running.write(self._state_folder, self.state)
