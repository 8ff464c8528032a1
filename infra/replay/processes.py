"""The parts of a replay, side by side: one process each, watched from this one."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Any

from infra.errors import InfraError
from infra.replay.part import Part, PartTask, Progress, run_part

POLL_SECONDS = 0.1


class _Shares:
    """In a process of the replay: which share of each part is done, seen by the watching process too."""

    done: Any = None


def run_parts(assignments: Sequence[PartTask], progress: Progress) -> list[Part]:
    """Run every part, here if it is the only one. Raises `InfraError` and `OSError` as `run_part` does."""
    if len(assignments) == 1:
        return [run_part(assignments[0], progress)]
    context = multiprocessing.get_context("fork" if _is_alone() else "spawn")
    done = context.Array("d", len(assignments))
    try:
        with ProcessPoolExecutor(len(assignments), context, _begin, (done,)) as pool:
            running = [pool.submit(_run, assignment) for assignment in assignments]
            while wait(running, POLL_SECONDS).not_done:
                progress(sum(done[:]) / len(assignments))
            return [each.result() for each in running]
    except BrokenProcessPool as error:
        raise InfraError("a process of the replay was killed, perhaps for want of memory") from error


def _is_alone() -> bool:
    """Whether this process has one thread only, as Linux counts them, those of libraries too.

    Then the parts are forked, which spares each of them the second it takes to start; no fork survives other
    threads.
    """
    threads = Path("/proc/self/task")
    return threads.is_dir() and len([*threads.iterdir()]) == 1


def _begin(done: Any) -> None:
    """Ctrl-C goes to every process; those of a replay end without a word, the watching one says it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _Shares.done = done


def _end_with_parent() -> None:
    """A process whose watching one was killed would wait for more work for ever."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _run(assignment: PartTask) -> Part:
    return run_part(assignment, partial(_Shares.done.__setitem__, assignment.number))
