"""The command that runs the console beside the functions."""

import sys

from infra.emulator.processes import Program
from infra.topology import ROOT


def program(port: int) -> Program:
    """The program that shows the running emulators on this port, and may write to them."""
    argv = (sys.executable, "-m", "infra", "console", "--write", "--port", str(port))
    return Program("console", argv, folder=ROOT)
