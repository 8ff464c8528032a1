"""Timing: microseconds of CPU, the best of several rounds, since a machine is only ever disturbed to be slower."""

import time
from collections.abc import Callable


def cpu_of_each(*works: Callable[[], object], times: int, rounds: int = 20) -> list[float]:
    """Microseconds of CPU for one call of each, measured by turns, so that all meet the same."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for place, work in enumerate(works):
            began = time.process_time()
            for _ in range(times):
                work()
            best[place] = min(best[place], (time.process_time() - began) / times * 1e6)
    return best


def cpu_of(work: Callable[[], object], times: int, rounds: int = 20) -> float:
    """Microseconds of CPU for one call."""
    (best,) = cpu_of_each(work, times=times, rounds=rounds)
    return best
