"""Timing in microseconds of CPU: the best of several rounds, because disturbances only make a run slower."""

import time
from collections.abc import Callable


def cpu_of_each(*works: Callable[[], object], times: int, rounds: int = 20) -> list[float]:
    """Microseconds of CPU per call of each function, measured in turns under the same conditions."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for place, work in enumerate(works):
            began = time.process_time()
            for _ in range(times):
                work()
            best[place] = min(best[place], (time.process_time() - began) / times * 1e6)
    return best


def cpu_of(work: Callable[[], object], times: int, rounds: int = 20) -> float:
    """Microseconds of CPU per call."""
    (best,) = cpu_of_each(work, times=times, rounds=rounds)
    return best
