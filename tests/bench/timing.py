"""Timing in microseconds of CPU, by turns.

In each turn every function runs in several rounds, one function after another. A turn's value is the best of its
rounds, because disturbances only make a run slower.
"""

import time
from collections.abc import Callable

TURNS = 5
ROUNDS = 4


def cpu_in_turns(*works: Callable[[], object], times: int, turns: int = TURNS) -> list[list[float]]:
    """For each function, microseconds of CPU per call in each turn."""
    measured: list[list[float]] = [[] for _ in works]
    for _ in range(turns):
        best = [float("inf")] * len(works)
        for _ in range(ROUNDS):
            for place, work in enumerate(works):
                best[place] = min(best[place], _cpu_of(work, times))
        for values, value in zip(measured, best, strict=True):
            values.append(value)
    return measured


def _cpu_of(work: Callable[[], object], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times * 1e6
