"""Becomes another program that Linux will send SIGTERM when the parent dies: `launch.py PARENT_PID PROGRAM ARGS`.

It runs after fork and exec, in a process of one thread. Asking between the two instead (`preexec_fn`) would first
restart gRPC's threads in the child, and then close the files under them.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    parent, *argv = sys.argv[1:]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):
        sys.exit("cannot start: the parent is gone")
    try:
        os.execvp(argv[0], argv)  # noqa: S606 - the programs are our own
    except OSError as error:
        sys.exit(f"cannot start: {error}")
