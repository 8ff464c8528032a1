"""Runs the parts of a replay in parallel, one process each, supervised by this process."""

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
from infra.replay.part import PartResult, PartTask, Progress, run_part

POLL_SECONDS = 0.1
"""Interval between two progress reports."""


class _SharedProgress:
    """Progress of each part, from 0 to 1, in memory shared with the supervising process."""

    done: Any = None
    """Set in each worker process when it starts."""


def run_parts(tasks: Sequence[PartTask], progress: Progress) -> list[PartResult]:
    """Run every part; a single part runs in this process.

    Raises `InfraError` if a part fails or its process is killed, `OSError` if a file cannot be read or written.
    """
    if len(tasks) == 1:
        return [run_part(tasks[0], progress)]
    context = multiprocessing.get_context("fork" if _is_single_threaded() else "spawn")
    done = context.Array("d", len(tasks))
    try:
        with ProcessPoolExecutor(len(tasks), context, _start_part, (done,)) as pool:
            running = [pool.submit(_run, task) for task in tasks]
            while wait(running, POLL_SECONDS).not_done:
                progress(sum(done[:]) / len(tasks))
            return [future.result() for future in running]
    except BrokenProcessPool as error:
        raise InfraError("a process of the replay was killed, perhaps because memory ran out") from error


def _is_single_threaded() -> bool:
    """True if this process has a single thread. Linux counts the threads of native libraries too.

    Only then are the parts forked, which saves each of them one second of start-up. A fork is unsafe in a process
    with other threads: https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods
    """
    threads = Path("/proc/self/task")
    return threads.is_dir() and len([*threads.iterdir()]) == 1


def _start_part(done: Any) -> None:
    start_worker()
    _SharedProgress.done = done


def start_worker() -> None:
    """Set up a worker process.

    Ctrl-C reaches every process. Workers end silently, because the supervising process reports it.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent ends; otherwise it would wait for more work for ever."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _run(task: PartTask) -> PartResult:
    return run_part(task, partial(_SharedProgress.done.__setitem__, task.number))
