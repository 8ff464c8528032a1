"""The way in which the command line was started, for hints that can be copied as they stand."""

import sys
from pathlib import Path
from shutil import which

COMMAND = "upbeat"


def again() -> str:
    """The words that start another command: `upbeat` if this one was started by it, else `python -m infra`.

    A program that is not on the PATH, or a Python below the current folder, is named by its path.
    """
    program = Path(sys.argv[0])
    if program.stem != COMMAND:
        python = Path(sys.executable)
        return f"{_below_here(python) or 'python'} -m infra"
    found = which(COMMAND)
    if found and Path(found).absolute() == program.absolute():
        return COMMAND
    return _below_here(program) or str(program)


def _below_here(program: Path) -> str | None:
    """The path of a program relative to the current folder; None if the program is elsewhere."""
    path, here = program.absolute(), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else None
