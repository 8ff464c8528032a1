"""How the command line was started, so that what a hint says can be copied as it stands."""

import sys
from pathlib import Path


def again() -> str:
    """The start of a command like this one: a Python below here by its path, any other by its name."""
    python, here = Path(sys.executable), Path.cwd()
    return f"{python.relative_to(here) if python.is_relative_to(here) else 'python'} -m infra"
