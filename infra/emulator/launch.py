"""Runs a program that Linux stops with SIGTERM when its parent dies: `launch.py PARENT_PID PROGRAM ARGS`.

The script calls `prctl` after fork and exec, in a process with a single thread, and then replaces itself with the
program. A `preexec_fn`, which runs between fork and exec, would first restart gRPC's threads in the child and then
close the files that those threads use.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""From `<sys/prctl.h>`; see https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html."""

if __name__ == "__main__":
    parent, *argv = sys.argv[1:]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):
        sys.exit("cannot start: the parent is gone")
    try:
        os.execvp(argv[0], argv)  # noqa: S606 - the programs are our own
    except OSError as error:
        sys.exit(f"cannot start: {error}")
