"""The instances of every function, started as the cloud starts them: killed, frozen and crashed on demand."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from random import Random

from infra.deploy.package import compose
from infra.emulator.functions import program
from infra.emulator.processes import Process, stop_all
from infra.emulator.readiness import wait_until_ready
from infra.remote.endpoints import LOCALHOST, free_ports

HERE = Path(__file__).parent
SKEW_SECONDS = 5.0
"""The most by which an instance's clock is off. The design allows producers, and so the instances, minutes."""


class Fleet:
    """Several instances of each function, each with a clock of its own. A killed instance is restarted."""

    def __init__(
        self, instances: Mapping[str, int], folder: Path, env: Mapping[str, str], random: Random, sabotage: str
    ) -> None:
        self.faults: Counter[str] = Counter()
        self.ports: dict[str, list[int]] = {}
        """The ports of the instances of each function."""
        self._random = random
        self._crashes_ordered = 0
        self._processes: list[Process] = []
        self._urls: list[str] = []
        self._fuses: list[Path] = []
        """By instance: the file of `UPBEAT_EXIT_BEFORE_PUBLISH`: it makes it exit between commit and publish."""
        ports = iter(free_ports(sum(instances.values())))
        for function, count in instances.items():
            source = _wrapped(function, folder / function)
            self.ports[function] = [*islice(ports, count)]
            for port in self.ports[function]:
                self._add(function, port, source, env, sabotage)

    def _add(self, function: str, port: int, source: Path, env: Mapping[str, str], sabotage: str) -> None:
        fuse = source.with_name(f"fuse-{port}")
        own = {
            "LOG_EXECUTION_ID": "true",
            "UPBEAT_EXIT_BEFORE_PUBLISH": str(fuse),
            "CHAOS_SKEW_SECONDS": f"{self._random.uniform(-SKEW_SECONDS, SKEW_SECONDS):.3f}",
            "CHAOS_SABOTAGE": sabotage,
        }
        self._processes.append(Process(program(function, port, source, {**env, **own})))
        self._urls.append(f"http://{LOCALHOST}:{port}")
        self._fuses.append(fuse)

    def start(self) -> None:
        """Start every instance, and wait until all respond."""
        for process in self._processes:
            process.start()
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until every instance responds. Raises `InfraError` if one ends before it does."""
        for process, url in zip(self._processes, self._urls, strict=True):
            wait_until_ready(process, url)

    def stop(self) -> None:
        """Stop every instance."""
        self.thaw()
        stop_all(self._processes)

    async def kill(self) -> None:
        """Kill an instance at once, in the middle of whatever it does."""
        process = self._random.choice(self._processes)
        if process.pid:
            self.faults["instances killed"] += 1
            await asyncio.to_thread(process.kill)

    async def crash(self) -> None:
        """Make an instance exit after its next commit, before it publishes what it committed."""
        fuse = self._random.choice(self._fuses)
        if not fuse.exists():
            fuse.touch()
            self._crashes_ordered += 1

    async def freeze(self, seconds: float) -> None:
        """Stop an instance where it is for some time, so that it goes on with what it knew before."""
        process = self._random.choice(self._processes)
        if group := process.pid:
            self.faults["instances frozen"] += 1
            _signal(group, signal.SIGSTOP)
            await asyncio.sleep(seconds)
            _signal(group, signal.SIGCONT)

    def thaw(self) -> None:
        """Let every instance run."""
        for process in self._processes:
            if group := process.pid:
                _signal(group, signal.SIGCONT)

    def end_crashes(self) -> None:
        """Count the crashes that were ordered and have happened, and call off the others."""
        left = [fuse for fuse in self._fuses if fuse.exists()]
        for fuse in left:
            fuse.unlink(missing_ok=True)
        self.faults["crashes between commit and publish"] = self._crashes_ordered - len(left)


def _wrapped(function: str, folder: Path) -> Path:
    """The packaged folder of a function, with the harness's `main.py` around the packaged one."""
    compose(function, folder, precompile=True)
    (folder / "main.py").rename(folder / "packaged_main.py")
    for compiled in folder.glob("__pycache__/main.*"):
        compiled.unlink()  # it would be taken for the new one, since its source is never compared
    for name, source in (("main.py", "instance.py"), ("sabotage.py", "sabotage.py")):
        (folder / name).write_bytes((HERE / source).read_bytes())
    return folder


def _signal(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
