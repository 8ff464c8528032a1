"""CPU time of other processes, read from Linux."""

import time

from tests.support.watching import descendants


def cpu_seconds(pid: int) -> float:
    """The CPU time so far of a process and of all that descend from it."""
    return sum(time.clock_gettime(_clock_of(one)) for one in (pid, *descendants(pid)))


def _clock_of(pid: int) -> int:
    """The id of the clock of a process's CPU time, in nanoseconds, as clock_getcpuclockid(3) makes it."""
    return (~pid << 3) | 2
