"""CPU time of other processes, read from Linux."""

import sys
import time

from infra.errors import InfraError
from tests.support.watching import descendants


def cpu_seconds(pid: int) -> float:
    """The CPU time so far of a process and of all that descend from it. Raises `InfraError` outside of Linux."""
    if sys.platform != "linux":
        raise InfraError(f"the CPU time of other processes: expected Linux to read it from, found {sys.platform}")
    return sum(time.clock_gettime(_clock_of(one)) for one in (pid, *descendants(pid)))


def _clock_of(pid: int) -> int:
    """The id of the clock of a process's CPU time, in nanoseconds, as clock_getcpuclockid(3) makes it."""
    return (~pid << 3) | 2
